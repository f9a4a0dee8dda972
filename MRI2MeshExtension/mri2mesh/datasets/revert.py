"""Vertebrae with radiographs from all around them, in the two layouts that 3D-ReVert's paper and code have.

``paper``:  DRR/<id>/rendering/00.png ... 23.png         Mesh/<id>.stl
``code``:   Renderings/<class>/<id>/rendering/00.png ...  PointCloud/<class>/<id>.npy ([N, 3])

<id> is ``<subject>_segment_<number>``, numbers as in VerSe (20 is L1). Beside each image ``NN.camera.json`` may lie,
its geometry as README.md describes camera.json: data written by this program have it, the original ones do not.
Surfaces and points are in the space of that camera's isocentre, millimetres. STL files say whether they are LPS or RAS
(the first line, as 3D Slicer writes it); files that do not say, and ``.npy`` files, are LPS unless another space is
asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mri2mesh.atomic import whole_file
from mri2mesh.datasets.png import write_png
from mri2mesh.datasets.vertebra_id import VertebraId
from mri2mesh.errors import InputError
from mri2mesh.export.point_files import read_points
from mri2mesh.export.surfaces import read_surface, write_surface
from mri2mesh.geometry.coordinates import flip_ras_lps
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.sampling import sample_surface
from mri2mesh.imaging.radiographs.camera_file import read_camera, write_camera
from mri2mesh.imaging.radiographs.picture import read_picture
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry

Layout = Literal["paper", "code"]
LAYOUTS: tuple[Layout, ...] = ("paper", "code")
POINTS = 2048
"""Points of a vertebra in the ``code`` layout."""
CLASS = "vertebra"
"""The folder <class> that this program writes; any is read."""
_EXTENT_MM = (15.0, 250.0)
"""Least and largest extent of a vertebra: what is outside is not in millimetres, or no vertebra."""


@dataclass(frozen=True)
class RevertCase:
    """One vertebra with its images. views: pictures in the order of their numbers. target: its surface or points.
    space: of a target that does not say."""

    id: VertebraId
    views: tuple[Path, ...]
    target: Path
    space: str = "LPS"

    def image(self, number: int) -> NDArray[np.float32]:
        """[H, W] grey of a view, 0 to 1 of the values in it. Raises InputError as `read_picture` does."""
        grey, _ = read_picture(self.views[number])
        low, high = float(grey.min()), float(grey.max())
        return ((grey - low) / (high - low)).astype(np.float32)

    def geometry(self, number: int) -> XrayGeometry | None:
        """The geometry of a view, where it is known. Raises InputError for a file that is not one of its image."""
        path = camera_path(self.views[number])
        if not path.is_file():
            return None
        return read_camera(path, self.image(number).shape)

    def points(self, rng: np.random.Generator, count: int = POINTS) -> NDArray[np.float32]:
        """[count, 3] mm RAS on the surface, or drawn from the points that are stored.

        Raises InputError for a target that cannot be read or whose extent is not that of a vertebra.
        """
        if self.target.suffix.lower() == ".npy":
            stored = read_points(self.target, self.space)[0]
            chosen: NDArray = stored[rng.choice(len(stored), count, replace=len(stored) < count)]
        else:
            chosen = sample_surface(read_surface(self.target, self.space), count, rng)[0]
        extent = float(np.ptp(chosen, axis=0).max())
        if not _EXTENT_MM[0] <= extent <= _EXTENT_MM[1]:
            raise InputError(
                f"{self.target.name} is {extent:.3g} mm large, a vertebra some 80: bring it to millimetres first"
            )
        return chosen.astype(np.float32)


def camera_path(picture: Path) -> Path:
    """Where the geometry of a picture lies."""
    return picture.with_name(f"{picture.stem}.camera.json")


def read_revert(folder: Path | str, space: str = "LPS") -> list[RevertCase]:
    """All vertebrae of a folder in either layout, sorted by name; nothing but names is read yet.

    space: LPS or RAS, of surfaces and points that do not say. Raises InputError where there is neither layout, a name
    is not one of a vertebra, or images have no target or a target no images.
    """
    folder = Path(folder)
    if space not in ("LPS", "RAS"):
        raise InputError(f"a space {space!r} is not known: use LPS or RAS")
    pictures, targets = _found(folder)
    if not pictures:
        raise InputError(
            f"{folder.name} holds neither DRR/<id>/rendering/NN.png nor Renderings/<class>/<id>/rendering/NN.png"
        )
    for here, there, what in ((pictures, targets, "surface or points"), (targets, pictures, "images")):
        if missing := sorted(str(name) for name in here.keys() - there.keys()):
            raise InputError(f"{missing[0]} has no {what} ({len(missing)} such): add them, or move it away")
    return [RevertCase(name, views, targets[name], space) for name, views in sorted(pictures.items())]


def write_revert(
    folder: Path,
    name: VertebraId,
    views: list[tuple[NDArray, XrayGeometry]],
    surface: Mesh,
    layout: Layout = "paper",
    seed: int = 0,
) -> RevertCase:
    """Writes one vertebra: images [H, W] (any range) with their geometry, and its surface, RAS mm.

    Each file appears whole or not at all. seed: of the points of the ``code`` layout.
    """
    if layout not in LAYOUTS:
        raise InputError(f"no layout {layout!r}: use one of {', '.join(LAYOUTS)}")
    above = folder / "DRR" if layout == "paper" else folder / "Renderings" / CLASS
    rendering = above / str(name) / "rendering"
    rendering.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (image, geometry) in enumerate(views):
        path = rendering / f"{number:02d}.png"
        write_png(image, path)
        with whole_file(camera_path(path)) as temporary:
            write_camera(temporary, geometry)
        paths.append(path)
    if layout == "paper":
        target = folder / "Mesh" / f"{name}.stl"
        target.parent.mkdir(exist_ok=True)
        write_surface(surface, target)
    else:
        target = folder / "PointCloud" / CLASS / f"{name}.npy"
        target.parent.mkdir(parents=True, exist_ok=True)
        points = sample_surface(surface, POINTS, np.random.default_rng(seed))[0]
        with whole_file(target) as temporary:
            np.save(temporary, flip_ras_lps(points).astype(np.float32))
    return RevertCase(name, tuple(paths), target)


def _found(folder: Path) -> tuple[dict[VertebraId, tuple[Path, ...]], dict[VertebraId, Path]]:
    pictures: dict[VertebraId, tuple[Path, ...]] = {}
    targets: dict[VertebraId, Path] = {}
    for rendering in (*folder.glob("DRR/*/rendering"), *folder.glob("Renderings/*/*/rendering")):
        views = [path for path in rendering.glob("*.png") if path.stem.isdigit()]
        if views:
            _once(pictures, rendering.parent.name, tuple(sorted(views, key=lambda path: int(path.stem))))
    for target in (*folder.glob("Mesh/*.stl"), *folder.glob("PointCloud/*/*.npy")):
        _once(targets, target.stem, target)
    return pictures, targets


def _once(table: dict, name: str, value: object) -> None:
    key = VertebraId.parse(name)
    if key in table:
        raise InputError(f"{name} is there twice, in both layouts or two classes: keep one of them")
    table[key] = value
