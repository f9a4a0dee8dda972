"""The pictures of a result folder, by what they show."""

from __future__ import annotations

from pathlib import Path


def pictures_in(folder: Path | str) -> dict[str, Path]:
    """Caption -> picture, of those that a result folder holds, in the order of the report."""
    folder = Path(folder)
    overlays = sorted(folder.glob("overlay_*.png"), key=lambda path: int(path.stem.rpartition("_")[2]))
    captions = {
        "Contours of the surfaces on the image": folder / "contours.png",
        **{f"Contours of the surfaces on image {number}": path for number, path in enumerate(overlays, 1)},
        "What was seen in the image, and how deep": folder / "maps.png",
        "Where lengths were measured, millimetres": folder / "measures.png",
        "The surfaces from the front and from the left": folder / "view_3d.png",
    }
    return {caption: path for caption, path in captions.items() if path.is_file()}
