"""A part of a film on fewer pixels: truth and camera go with it."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.engines.dense_maps.points import points_from_depth
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.synthesis.films.case import FilmCase, FilmTruth
from mri2mesh.synthesis.films.framing import Frame, drawn_frame, framed, whole_frame

NORMAL, OFFSET = np.array([-0.2, 1.0, 0.1]), 12.0


def plane_case(size: int = 64, *, round_field: bool = False) -> FilmCase:
    """Every bone is the plane y = 0.2 x - 0.1 z + 12, seen on the right three quarters of the film."""
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(6.0, 6.0),
        size=(size, size),
        primary_angle_deg=180.0,
    )
    truth = camera.coarser(2)
    row, column = (axis.ravel() for axis in np.mgrid[0 : size // 2, 0 : size // 2])
    per_depth = np.stack([column, row, np.ones_like(row)], 1) @ np.linalg.inv(truth.matrix[:, :3]).T
    depth = ((OFFSET - NORMAL @ truth.source_ras_mm) / (per_depth @ NORMAL)).reshape(size // 2, size // 2)
    places = points_from_depth(truth, column, row, depth.ravel()).T.reshape(3, size // 2, size // 2)
    mask = np.zeros((5, size // 2, size // 2), bool)
    mask[:, :, size // 8 :] = True
    images = np.arange(size * size).reshape(size, size).astype(np.float16)
    maps = FilmTruth(
        mask,
        np.where(mask[:, None], depth, 0).repeat(2, 1).astype(np.float32),
        np.where(mask[:, None, None], places, 0).repeat(2, 1).astype(np.float32),
    )
    return FilmCase(images, images, images, maps, camera, np.zeros((2, 3)), round_field, "table")


@pytest.mark.parametrize(
    "frame", [Frame(0, 0, 1.0, (64, 64)), Frame(0, 0, 2.0, (32, 32)), Frame(7.3, 11.9, 1.37, (24, 32))]
)
def test_depth_and_place_of_every_pixel_stay_where_they_are_in_space(frame: Frame):
    new = framed(plane_case(), frame)
    mask = new.truth.mask[0]
    assert mask.any()
    mask = mask & np.roll(
        mask, 1, axis=1
    )  # pixels that the mask's edge cuts hold the mean of what is on the bone
    row, column = np.nonzero(mask)
    points = points_from_depth(new.camera.coarser(2), column, row, new.truth.depth[0, 0][mask])
    np.testing.assert_allclose(points @ NORMAL, OFFSET, atol=0.02)
    np.testing.assert_allclose(points, new.truth.canonical[0, 0][:, mask].T, atol=0.2)


def test_the_whole_film_on_its_own_pixels_is_the_film():
    case = plane_case()
    same = framed(case, whole_frame(case, 64))
    np.testing.assert_array_equal(same.cortex, case.cortex)
    np.testing.assert_array_equal(same.truth.mask, case.truth.mask)
    assert same.camera.principal_point_px == case.camera.principal_point_px


def test_frames_lie_inside_the_film_and_round_fields_are_not_cut_off_on_one_side():
    rng = np.random.default_rng(0)
    for _ in range(50):
        frame = drawn_frame(plane_case(), (24, 32), rng)
        assert frame.row >= 0
        assert frame.column >= 0
        assert frame.row + frame.step * 24 <= 64 + 1e-9
        assert frame.column + frame.step * 32 <= 64 + 1e-9
    whole = drawn_frame(plane_case(round_field=True), (32, 32), rng)
    assert whole == Frame(0.0, 0.0, 2.0, (32, 32))
