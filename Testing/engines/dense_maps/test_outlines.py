"""Outlines of bones in a film, and points that are held: what else a surface is laid on than its samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.dense_maps.completion.complete import Noise, complete
from mri2mesh.engines.dense_maps.completion.held import HeldPoint, along, everywhere
from mri2mesh.engines.dense_maps.completion.outlines import Outlines, signed_distance
from mri2mesh.engines.dense_maps.points import SurfacePoints, surface_points
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.both_faces import BothFaces, render_both_faces
from mri2mesh.rendering.projective import ProjectiveCameras

SIZE = 96


def camera() -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(330.0 / SIZE, 330.0 / SIZE),
        size=(SIZE, SIZE),
        primary_angle_deg=180.0,
        secondary_angle_deg=0.0,
        isocentre_ras_mm=(0.0, 0.0, -80.0),
    )


@pytest.fixture(scope="module")
def model() -> ShapeModel:
    return read_shape_model("femur_left")


def rendered(model: ShapeModel, vertices: np.ndarray) -> BothFaces:
    return render_both_faces(
        torch.from_numpy(vertices.astype(np.float32))[None],
        torch.from_numpy(model.faces),
        torch.zeros(len(model.faces), dtype=torch.long),
        1,
        ProjectiveCameras.of([camera()]),
    )


def outlines_of(model: ShapeModel, vertices: np.ndarray, shown: np.ndarray | None = None) -> Outlines:
    presence = rendered(model, vertices).mask[0, 0].numpy().astype(np.float32)
    return Outlines(model, presence, shown, camera())


def test_the_line_runs_where_presence_is_one_half():
    column = np.arange(40.0)
    ramp = np.clip((20.3 - column) / 8 + 0.5, 0, 1)  # one half at 20.3
    presence = np.where(np.arange(40)[:, None] > 3, ramp, 0.0).astype(np.float32)
    distance = signed_distance(presence, 4)
    assert distance is not None
    # Bilinear pixels put the line within an eighth of a pixel.
    np.testing.assert_allclose(distance[25, 14:27], column[14:27] - 20.3, atol=0.2)


def test_hardly_any_bone_has_no_outline():
    speck = np.zeros((40, 40), np.float32)
    speck[10, 10:13] = 1.0
    assert signed_distance(speck, 4) is None


def test_a_surface_on_its_outline_has_no_residual(model: ShapeModel):
    found = outlines_of(model, model.mean).residuals(model.mean)
    assert len(found.rows) > 60
    assert np.median(np.abs(found.outside_mm)) < 1.0  # pixels of 3 mm
    np.testing.assert_allclose(np.linalg.norm(found.direction, axis=1).mean(), 1.0, atol=0.15)


@pytest.mark.parametrize("axis", [0, 2])
def test_residuals_are_how_far_a_surface_was_moved_across_the_beam(model: ShapeModel, axis: int):
    move = np.zeros(3)
    move[axis] = 5.0
    found = outlines_of(model, model.mean).residuals(model.mean + move)
    expected = found.direction @ move
    steep = np.abs(expected) > 3.0
    assert steep.sum() > 20
    # Along the beam nothing is seen; across it the move itself.
    assert np.percentile(np.abs(found.outside_mm - expected)[steep], 90) < 2.0
    assert abs(np.mean(found.outside_mm[steep] - expected[steep])) < 1.0


def test_where_the_film_ends_there_is_no_outline(model: ShapeModel):
    shown = np.zeros((SIZE, SIZE), bool)
    shown[:60] = True
    found = outlines_of(model, model.mean, shown).residuals(model.mean)
    rows = camera().project(model.mean[found.rows])[:, 1]
    assert len(rows) > 20
    assert rows.max() < 60 - 1
    whole = outlines_of(model, model.mean).residuals(model.mean)
    last = camera().project(model.mean[whole.rows])[:, 1].max()
    assert 60 < last < SIZE - 2  # the shaft runs out of the film: its cut is no outline


def biased_samples(model: ShapeModel) -> SurfacePoints:
    """Maps that show the mean femur 6 mm too far to the side."""
    seen = rendered(model, model.mean)
    places = seen.of_vertices(torch.from_numpy(model.mean), torch.from_numpy(model.faces))
    depth = torch.nan_to_num(seen.depth[0, 0, 0]).numpy()
    presence = seen.mask[0, 0, 0].numpy().astype(float)
    samples = surface_points(
        camera(), presence, depth, places[0, 0, 0].permute(0, 3, 1, 2).numpy().astype(np.float64)
    )
    return replace(samples, points=samples.points + [6.0, 0.0, 0.0])


def test_an_outline_draws_a_bone_across_the_beam_to_where_it_is_seen(model: ShapeModel):
    noise, samples = Noise(along=10, across=7, independent=16), biased_samples(model)
    plain = complete(model, model.mean, samples, noise=noise)
    drawn = complete(model, model.mean, samples, noise=noise, outlines=outlines_of(model, model.mean))
    moved = [(found.vertices - model.mean)[found.measured].mean(axis=0)[0] for found in (plain, drawn)]
    assert moved[0] > 4.5
    assert moved[1] < 2.0
    assert drawn.uncertainty_mm.mean() < plain.uncertainty_mm.mean()


def test_a_point_that_is_held_along_the_beam_moves_the_bone_along_it(model: ShapeModel):
    noise, samples = Noise(along=10, across=7, independent=16), biased_samples(model)
    head = model.landmarks["femoral_head_centre_left"]
    beam = camera().axes_ras[2]
    place = model.mean[head].mean(axis=0) + 4.0 * beam
    held = [HeldPoint([head], place, along(beam, 0.5))]
    plain, moved = (complete(model, model.mean, samples, noise=noise, held=known) for known in ((), held))
    shift = (moved.vertices - plain.vertices)[head].mean(axis=0)
    assert shift @ beam == pytest.approx(4.0, abs=0.7)
    assert np.linalg.norm(shift - (shift @ beam) * beam) < 1.4


def test_a_point_is_the_mean_of_its_groups_means(model: ShapeModel):
    values = np.arange(12.0).reshape(4, 3)
    point = HeldPoint([np.array([0, 1]), np.array([3])], np.zeros(3), everywhere(2.0))
    np.testing.assert_allclose(point.of(values), (values[:2].mean(axis=0) + values[3]) / 2)
    np.testing.assert_allclose(point.information, np.eye(3) / 4)
