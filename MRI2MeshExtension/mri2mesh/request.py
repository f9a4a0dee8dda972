"""What is asked of a run: images in, a folder out, and how. The command line and the worker both make one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mri2mesh.errors import InputError

if TYPE_CHECKING:
    from mri2mesh.engines.registry import Entry
    from mri2mesh.imaging.radiographs.radiograph import Bone

DEFAULT_FORMATS = ("vtp",)
OF_KIND = {
    "volume": ("series", "labelmaps", "scene"),
    "radiographs": ("cameras", "markers", "bone", "frames"),
}
"""Options that go with a kind of input; those of an engine are in its entry of the registry."""
TAKEN = {"volume": "a volume such as an MRI", "radiographs": "radiographs"}
"""Kinds of input in words."""
FLAGS = {
    "cameras": "camera",
    "markers": "calibrate",
    "masks": "mask",
    "frames": "frame",
    "weights_dir": "weights",
}
"""Fields whose option of the command line is called otherwise."""


@dataclass(frozen=True)
class Request:
    """One reconstruction. Fields as the options of ``mri2mesh reconstruct``.

    images: one volume, or radiographs. engine: None for the default of their kind. cameras: one per image, None for one
    whose own tags say it. landmarks: the same, or one for all. markers, masks: one per image, None for one without;
    markers as `imaging.radiographs.calibration.marker_option` reads them. bone: how the images show it. frames: one per
    image, or one for all. start: folder of an earlier result of the same views, to go on from.
    """

    images: tuple[Path, ...]
    out: Path
    engine: str | None = None
    anatomy: str | None = None
    cameras: tuple[Path | None, ...] = ()
    landmarks: tuple[Path | None, ...] = ()
    markers: tuple[str | None, ...] = ()
    masks: tuple[Path | None, ...] = ()
    bone: Bone | None = None
    frames: tuple[int, ...] = ()
    start: Path | None = None
    series: int | None = None
    level: str | None = None
    level_shift: int = 0
    device: str = "auto"
    weights_dir: Path | None = None
    formats: tuple[str, ...] = DEFAULT_FORMATS
    labelmaps: bool = False
    scene: bool = False

    def refuse_missing(self) -> None:
        """Raises InputError for an image that is not there, which has no kind that an engine could be chosen by."""
        for number, image in enumerate(self.images, 1):
            if "\0" in str(image) or not image.exists():
                which = f"image {number}: " if len(self.images) > 1 else ""
                raise InputError(f"{which}no such file or folder: check the path of the image")

    def refuse_useless(self, engine: str, entry: Entry) -> None:
        """Raises InputError for an option that the engine would silently ignore, or images that do not fit."""
        of_some = {
            "anatomy",
            "landmarks",
            "masks",
            "start",
            "level",
            "level_shift",
            "weights_dir",
            *sum(OF_KIND.values(), ()),
        }
        for name in sorted(of_some - {*OF_KIND[entry.takes], *entry.options}):
            if getattr(self, name):
                flag = FLAGS.get(name, name).replace("_", "-")
                raise InputError(
                    f"the engine {engine}, for {TAKEN[entry.takes]}, has no use for --{flag}: leave it out,"
                    " or check the image"
                )
        if entry.takes == "volume" and len(self.images) > 1:
            raise InputError(f"the engine {engine} takes one image, got {len(self.images)}")
        for name in ("cameras", "markers", "masks", "frames"):
            given = len(getattr(self, name))
            if given not in (0, len(self.images)) and (name, given) != ("frames", 1):
                raise InputError(
                    f"give one --{FLAGS[name]} per image, in their order: {given} for {len(self.images)} images"
                )
        if self.bone not in (None, "dark", "bright"):
            raise InputError(f"bone is shown dark or bright, not {self.bone!r}")
