"""`mri2mesh reconstruct` for radiographs: reads them with their geometry and landmarks, fits, writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mri2mesh.errors import InputError, ReconstructionRefused

if TYPE_CHECKING:
    from mri2mesh.imaging.radiograph import Bone, Radiograph

Given = TypeVar("Given", str, int, Path)
NONE = "-"
"""In place of what one of several images does not have."""


def radiographs_to_folder(
    images: Sequence[Path],
    out: Path,
    *,
    engine: str = "xray-fit",
    anatomy: str | None = None,
    cameras: Sequence[Path] | None = None,
    landmarks: Sequence[Path] | None = None,
    markers: Sequence[str] | None = None,
    masks: Sequence[Path] | None = None,
    bone: Bone | None = None,
    frames: Sequence[int] | None = None,
    device: str = "auto",
    formats: Sequence[str] = ("vtp",),
) -> int:
    """Reads, reconstructs, writes, says what came out. Returns the exit status 0 or 1.

    cameras, markers (as `imaging.markers` reads them) and masks: one per image, ``-`` for one that has none.
    frames: one per image or one for all. Raises InputError for bad input; then nothing was written.
    """
    from mri2mesh.commands.outcome import refused, summarise
    from mri2mesh.commands.output import check_writable
    from mri2mesh.commands.progress import ProgressBar
    from mri2mesh.engines.registry import get_engine
    from mri2mesh.export.results import check_request, write_results
    from mri2mesh.imaging.bone_mask import read_bone_mask
    from mri2mesh.imaging.picked_landmarks import landmarks_of_views

    check_writable(out)
    check_request(out, formats)
    if frames and len(frames) == 1:
        frames = [frames[0]] * len(images)
    radiographs = _read(images, cameras, markers, bone, frames)
    silhouettes = [
        None if path is None else read_bone_mask(path, one.pixels.shape)
        for path, one in zip(_per_image("--mask", masks, images), radiographs, strict=True)
    ]
    picked = landmarks_of_views(landmarks, images, radiographs) if landmarks else None
    method = get_engine(engine)
    with ProgressBar() as progress:
        try:
            reconstruction = method.reconstruct(
                radiographs,
                anatomy=anatomy,
                landmarks=picked,
                masks=silhouettes if masks else None,
                device=device,
                progress=progress,
            )
        except ReconstructionRefused as error:
            reconstruction = refused(engine, error)
    write_results(reconstruction, radiographs, out, formats=tuple(formats))
    return summarise(reconstruction, out)


def _read(
    images: Sequence[Path],
    cameras: Sequence[Path] | None,
    markers: Sequence[str] | None,
    bone: Bone | None,
    frames: Sequence[int] | None,
) -> list[Radiograph]:
    """Each radiograph with its geometry and scale."""
    from mri2mesh.imaging.markers import read_marker
    from mri2mesh.imaging.reading_radiograph import read_radiograph

    found = []
    for image, camera, marker, frame in zip(
        images,
        _per_image("--camera", cameras, images),
        _per_image("--calibrate", markers, images),
        _per_image("--frame", frames, images),
        strict=True,
    ):
        radiograph = read_radiograph(image, camera, frame=frame, bone=bone)
        found.append(radiograph if marker is None else read_marker(marker, image).calibrate(radiograph))
    return found


def _per_image(option: str, given: Sequence[Given] | None, images: Sequence[Path]) -> Sequence[Given | None]:
    """What an option says of each image, in their order. Raises InputError where the numbers differ."""
    if not given:
        return [None] * len(images)
    if len(given) != len(images):
        raise InputError(
            f"give one {option} per image, in their order: {len(given)} for {len(images)} images"
        )
    return [None if str(one) == NONE else one for one in given]
