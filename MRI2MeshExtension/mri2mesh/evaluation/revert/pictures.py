"""``mri2mesh evaluate revert --pictures``: real front views without a geometry, with a mask per vertebral body.

Levels that are right, and how far the projected bodies cover the masks. Nothing is learned from them. Such pictures may
show the whole spine: the engine is given the part from T12 to below L5, as the masks say where that is; the first time
nothing else, the second time one click on a body.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tqdm import tqdm

from mri2mesh.anatomy.regions import body_of
from mri2mesh.engines.model_cache import ModelCache
from mri2mesh.engines.revert.engine import reconstruct
from mri2mesh.engines.revert.targets import LEVELS
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.overlap import dice
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.reconstruction import Reconstruction
from mri2mesh.rendering.both_faces import render_both_faces
from mri2mesh.rendering.projective import ProjectiveCameras

FIRST = 18
"""Label of L1; those of T1 to T12 are 6 to 17."""
_MARGIN = 0.7
"""Of a body's height, above T12 and below the last body."""
Row = dict[str, object]


@dataclass(frozen=True)
class Picture:
    """name: of the file. image, labels: [H, W] the lumbar part."""

    name: str
    image: NDArray[np.uint8]
    labels: NDArray[np.int64]


def read_pictures(folder: Path) -> list[Picture]:
    """``NAME.png`` with ``NAME_labels.png`` beside it. Raises InputError where there are none."""
    found = []
    for path in sorted(folder.glob("*.png")):
        marks = path.with_name(f"{path.stem}_labels.png")
        if not marks.is_file():
            continue
        image = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
        labels = sitk.GetArrayFromImage(sitk.ReadImage(str(marks))).astype(np.int64)
        if image.ndim == 3:
            image = image[..., :3].mean(axis=-1)
        rows = np.nonzero((labels >= FIRST - 1) & (labels < FIRST + len(LEVELS)))[0]
        height = np.ptp(np.nonzero(labels == FIRST)[0])
        top, bottom = rows.min() - _MARGIN * height, rows.max() + 1.5 * height
        part = slice(max(0, int(top)), min(len(image), int(bottom)))
        found.append(Picture(path.stem, image[part].astype(np.uint8), labels[part]))
    if not found:
        raise InputError(f"no NAME.png with NAME_labels.png beside it in {folder}")
    return found


def evaluate_pictures(folder: Path, out: Path, *, weights_dir: Path | None = None) -> list[Row]:
    """Rows of all pictures and levels; writes ``pictures.csv`` and ``NAME_found.png``, ``NAME_clicked.png`` with the
    outlines, and prints a summary. Raises InputError where there are no pictures or weights."""
    out.mkdir(parents=True, exist_ok=True)
    cache, rows = ModelCache(), list[Row]()
    for picture in tqdm(read_pictures(folder), desc="pictures"):
        path = out / f"{picture.name}.png"
        sitk.WriteImage(sitk.GetImageFromArray(picture.image), str(path))
        radiograph = read_radiograph(path)
        for method, level in (("found", None), ("clicked", _click(picture))):
            head: Row = {"picture": picture.name, "method": method}
            try:
                result = reconstruct([radiograph], level=level, weights_dir=weights_dir, cache=cache)
            except (InputError, ReconstructionRefused) as error:
                rows.append(head | {"outcome": str(error)})
                continue
            bodies = projected_bodies(result, radiograph.camera)
            rows += [head | row for row in scores(picture, bodies, result)]
            draw(picture, bodies, out / f"{picture.name}_{method}.png")
    _write(rows, out / "pictures.csv")
    print(summary(rows))
    return rows


def _click(picture: Picture) -> str:
    """L3, or what is nearest to it, at the middle of its mask."""
    label = min(
        set(np.unique(picture.labels)) & set(range(FIRST, FIRST + 5)), key=lambda one: abs(one - FIRST - 2)
    )
    row, column = np.argwhere(picture.labels == label).mean(axis=0)
    return f"{LEVELS[label - FIRST]}@{column:.1f},{row:.1f}"


def projected_bodies(result: Reconstruction, camera: XrayCamera) -> dict[str, NDArray[np.bool_]]:
    """Name -> [H, W] where a body's shadow falls."""
    found = {}
    for item in result.structures:
        body: Mesh = body_of(item.mesh)
        faces = torch.from_numpy(np.asarray(body.faces))
        seen: Any = render_both_faces(
            torch.from_numpy(body.vertices.astype(np.float32))[None], faces,
            torch.zeros(len(faces), dtype=torch.long), 1, ProjectiveCameras.of([camera]),
        )  # fmt: skip
        found[item.name] = seen.mask[0, 0, 0].numpy()
    return found


def scores(picture: Picture, bodies: dict[str, NDArray[np.bool_]], result: Reconstruction) -> list[Row]:
    """A row for each level that has a mask: Dice with the body of that name, whether the body of that name is the
    nearest to the mask, Dice with the nearest body whatever its name."""
    certain, passed = result.levels_certain, result.passed
    middles = {name: np.argwhere(body).mean(axis=0) for name, body in bodies.items() if body.any()}
    rows: list[Row] = []
    for number, level in enumerate(LEVELS):
        mask = picture.labels == FIRST + number
        if not mask.any():
            continue
        middle = np.argwhere(mask).mean(axis=0)
        nearest = min(middles, key=lambda name: float(np.linalg.norm(middles[name] - middle)), default="")
        rows.append(
            {
                "level": level,
                "dice": dice(bodies[level], mask) if level in bodies else 0.0,
                "right": nearest == level,
                "dice_of_nearest": dice(bodies[nearest], mask) if nearest else 0.0,
                "certain": certain,
                "passed": passed,
                "outcome": "done",
            }
        )
    return rows


def draw(picture: Picture, bodies: dict[str, NDArray[np.bool_]], path: Path) -> None:
    """The masks' outlines in green, those of the found bodies in red, with their names."""
    rows, columns = picture.image.shape
    figure = Figure(figsize=(4, 4 * rows / columns), layout="tight")
    axes = figure.subplots()
    axes.imshow(picture.image, cmap="gray")
    axes.set_axis_off()
    for number in range(len(LEVELS)):
        mask = picture.labels == FIRST + number
        if mask.any():
            axes.contour(mask, [0.5], colors="lime", linewidths=0.8)
    for name, body in bodies.items():
        if body.any():
            axes.contour(body, [0.5], colors="red", linewidths=1.0)
            row, column = np.argwhere(body).mean(axis=0)
            axes.text(column, row, name, color="yellow", ha="center", va="center")
    figure.savefig(path, dpi=90)


def summary(rows: Sequence[Row]) -> str:
    """Markdown, by method."""
    lines = [
        "| method | levels | right | Dice of the name | Dice of the nearest | passed | refused |",
        "|---|---|---|---|---|---|---|",
    ]
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        done = [row for row in own if row["outcome"] == "done"]
        mean = {
            name: float(np.mean([float(str(row[name])) for row in done])) if done else 0.0
            for name in ("dice", "dice_of_nearest")
        }
        lines.append(
            f"| {method} | {len(done)} | {sum(bool(row['right']) for row in done)} | {mean['dice']:.2f} "
            f"| {mean['dice_of_nearest']:.2f} | {sum(bool(row['passed']) for row in done)} | {len(own) - len(done)} |"
        )
    return "\n".join(lines)


def _write(rows: Sequence[Row], path: Path) -> None:
    names = ["picture", "method", "level", "dice", "right", "dice_of_nearest", "certain", "passed", "outcome"]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
