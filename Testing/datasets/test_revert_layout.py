"""Data in the layouts of 3D-ReVert: written, read back in place and in millimetres; hostile folders refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import pyvista
from scipy.spatial import cKDTree

from mri2mesh.datasets.revert import LAYOUTS, camera_path, read_revert, write_revert
from mri2mesh.datasets.vertebra_id import VertebraId
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry, assumed_geometry

ANGLES = (180.0, 0.0, -90.0, 90.0, 150.0)


@pytest.fixture
def surface() -> Mesh:
    """A pear whose every side differs: the right, the front and the head are far from the middle by 40, 25, 30 mm."""
    ball = pyvista.Icosphere(radius=20.0, nsub=3)
    vertices = np.array(ball.points, dtype=np.float32)
    for axis, reach in enumerate((40.0, 25.0, 30.0)):
        vertices[:, axis] = np.where(vertices[:, axis] > 0, vertices[:, axis] * reach / 20, vertices[:, axis])
    return Mesh(vertices + [12.0, -30.0, 55.0], np.array(ball.faces).reshape(-1, 4)[:, 1:])


def geometry(primary: float, size: int = 96) -> XrayGeometry:
    return assumed_geometry((size, size)).with_values(
        "user",
        source_to_detector_mm=1000.0,
        source_to_isocentre_mm=750.0,
        pixel_spacing_mm=(1.7, 1.7),
        primary_angle_deg=primary,
        isocentre_ras_mm=(12.0, -30.0, 55.0),
    )


def shadow(surface: Mesh, view: XrayGeometry) -> np.ndarray:
    """An image that is bright where the surface projects to."""
    rows, columns = np.indices(view.size.value)
    places = view.camera().project(surface.vertices)
    near = cKDTree(places).query(np.stack([columns, rows], -1).reshape(-1, 2))[0] < 2.0
    return near.reshape(view.size.value).astype(float)


@pytest.fixture(params=LAYOUTS)
def folder(request, tmp_path: Path, surface: Mesh) -> Path:
    views = [(shadow(surface, geometry(angle)), geometry(angle)) for angle in ANGLES]
    write_revert(tmp_path, VertebraId("verse004", "L1"), views, surface, request.param)
    return tmp_path


def test_what_was_written_is_read_back_in_its_place(folder: Path, surface: Mesh):
    (case,) = read_revert(folder)
    assert str(case.id) == "verse004_segment_20"
    assert len(case.views) == len(ANGLES)
    points = case.points(np.random.default_rng(0))
    assert points.shape == (2048, 3)
    np.testing.assert_allclose(points.min(0), surface.vertices.min(0), atol=1.5)
    np.testing.assert_allclose(points.max(0), surface.vertices.max(0), atol=1.5)


def test_every_view_shows_the_surface_where_its_camera_says(folder: Path):
    """Breaks for a mirrored image, for LPS taken as RAS, and for a camera of another view."""
    (case,) = read_revert(folder)
    points = case.points(np.random.default_rng(0))
    for number, angle in enumerate(ANGLES):
        found = case.geometry(number)
        assert found is not None and found.primary_angle_deg.value == angle
        rows, columns = np.nonzero(case.image(number) > 0.5)
        places = found.camera().project(points)
        np.testing.assert_allclose(places.min(0), [columns.min(), rows.min()], atol=3.0)
        np.testing.assert_allclose(places.max(0), [columns.max(), rows.max()], atol=3.0)
        mirrored = found.camera().project(points * [-1, -1, 1])
        assert np.abs(mirrored.max(0) - [columns.max(), rows.max()]).max() > 8


def test_a_file_that_does_not_say_its_space_is_read_as_asked(folder: Path):
    (target,) = (*folder.glob("Mesh/*.stl"), *folder.glob("PointCloud/*/*.npy"))
    if target.suffix == ".stl":
        content = target.read_bytes()
        target.write_bytes(b"solid made elsewhere".ljust(80) + content[80:])
    (lps,), (ras,) = read_revert(folder), read_revert(folder, "RAS")
    here, there = (case.points(np.random.default_rng(0)) for case in (lps, ras))
    np.testing.assert_allclose(here, there * [-1, -1, 1])


def test_images_without_cameras_are_read_too(folder: Path):
    for path in folder.rglob("*.camera.json"):
        path.unlink()
    (case,) = read_revert(folder)
    assert case.geometry(0) is None


def test_a_camera_of_another_size_is_refused(folder: Path):
    (case,) = read_revert(folder)
    text = camera_path(case.views[0]).read_text()
    camera_path(case.views[0]).write_text(text.replace("96", "97"))
    with pytest.raises(InputError, match="97 x 97"):
        case.geometry(0)


@pytest.mark.parametrize(
    "name", ["verse004", "verse004_segment_", "verse004_segment_3", "a b_segment_20", "_segment_20"]
)
def test_names_that_are_none_of_a_vertebra_are_refused(tmp_path: Path, name: str):
    rendering = tmp_path / "DRR" / name / "rendering"
    rendering.mkdir(parents=True)
    (rendering / "00.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"verse004_segment_20|L1 is 20"):
        read_revert(tmp_path)


def test_images_and_surfaces_must_belong_together(folder: Path, tmp_path: Path):
    for target in (*folder.glob("Mesh/*.stl"), *folder.glob("PointCloud/*/*.npy")):
        target.rename(target.with_name(target.name.replace("_20", "_21")))
    with pytest.raises(InputError, match="verse004_segment_20 has no surface"):
        read_revert(folder)


def test_a_folder_of_something_else_is_refused(tmp_path: Path):
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match="neither DRR"):
        read_revert(tmp_path)


@pytest.mark.parametrize(
    ("points", "what"),
    [
        (np.full((5, 3), np.nan), "not numbers"),
        (np.zeros((5, 2)), "points"),
        (np.random.default_rng(0).normal(size=(50, 3)), "millimetres"),  # normalised to a unit ball
        (np.array([{"a": 1}]), "readable"),  # would have to be unpickled
    ],
    ids=["nan", "flat", "unit ball", "objects"],
)
def test_points_that_cannot_be_a_vertebra_are_refused(
    tmp_path: Path, surface: Mesh, points: np.ndarray, what: str
):
    view = geometry(180.0)
    case = write_revert(tmp_path, VertebraId("a", "L2"), [(shadow(surface, view), view)], surface, "code")
    np.save(case.target, points, allow_pickle=True)
    with pytest.raises(InputError, match=what):
        read_revert(tmp_path)[0].points(np.random.default_rng(0))


def test_a_cut_surface_and_a_cut_picture_are_refused(tmp_path: Path, surface: Mesh):
    view = geometry(180.0)
    case = write_revert(tmp_path, VertebraId("a", "L2"), [(shadow(surface, view), view)], surface)
    case.target.write_bytes(case.target.read_bytes()[:300])
    with pytest.raises(InputError):
        case.points(np.random.default_rng(0))
    case.views[0].write_bytes(case.views[0].read_bytes()[:200])
    with pytest.raises(InputError):
        case.image(0)


def test_an_image_without_contrast_is_not_written(tmp_path: Path, surface: Mesh):
    with pytest.raises(InputError, match="finite values that differ"):
        write_revert(tmp_path, VertebraId("a", "L2"), [(np.ones((64, 64)), geometry(180.0, 64))], surface)
    assert not list(tmp_path.rglob("*.png"))
