"""`mri2mesh reconstruct` for radiographs: reads them with their geometry and landmarks, fits, writes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from mri2mesh.errors import InputError, ReconstructionRefused


def radiographs_to_folder(
    images: Sequence[Path],
    out: Path,
    *,
    engine: str = "xray-fit",
    anatomy: str | None = None,
    cameras: Sequence[Path] | None = None,
    landmarks: Sequence[Path] | None = None,
    device: str = "auto",
    formats: Sequence[str] = ("vtp",),
) -> int:
    """Reads, reconstructs, writes, says what came out. Returns the exit status 0 or 1.

    Raises InputError for bad input; then nothing was written.
    """
    from mri2mesh.commands.outcome import refused, summarise
    from mri2mesh.commands.output import check_writable
    from mri2mesh.commands.progress import ProgressBar
    from mri2mesh.engines.registry import get_engine
    from mri2mesh.export.results import check_request, write_results
    from mri2mesh.imaging.picked_landmarks import landmarks_of_views
    from mri2mesh.imaging.reading_radiograph import read_radiograph

    check_writable(out)
    check_request(out, formats)
    if cameras and len(cameras) != len(images):
        raise InputError(
            f"give one --camera per image, in their order: {len(cameras)} for {len(images)} images"
        )
    radiographs = [
        read_radiograph(image, camera)
        for image, camera in zip(images, cameras or itertools.repeat(None, len(images)), strict=True)
    ]
    picked = landmarks_of_views(landmarks, images, radiographs) if landmarks else None
    method = get_engine(engine)
    with ProgressBar() as progress:
        try:
            reconstruction = method.reconstruct(
                radiographs, anatomy=anatomy, landmarks=picked, device=device, progress=progress
            )
        except ReconstructionRefused as error:
            reconstruction = refused(engine, error)
    write_results(reconstruction, radiographs, out, formats=tuple(formats))
    return summarise(reconstruction, out)
