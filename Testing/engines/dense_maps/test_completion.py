"""From depth maps to closed bones: points through the camera, then the shape model on them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.dense_maps.completion.complete import Noise, complete
from mri2mesh.engines.dense_maps.completion.correspondents import PlaceFinder
from mri2mesh.engines.dense_maps.points import SurfacePoints, points_from_depth, surface_points
from mri2mesh.errors import InputError
from mri2mesh.geometry.distances import point_to_surface
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import apply, rigid_fit, rotation_about
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.both_faces import render_both_faces
from mri2mesh.rendering.projective import ProjectiveCameras

SUBJECT = "limb04"


def camera(size: int = 96) -> XrayCamera:
    return XrayCamera.from_c_arm(
        source_to_detector_mm=1150.0,
        source_to_isocentre_mm=1000.0,
        pixel_spacing_mm=(330.0 / size, 330.0 / size),
        size=(size, size),
        primary_angle_deg=180.0,
        secondary_angle_deg=10.0,
        isocentre_ras_mm=(0.0, 0.0, -80.0),
    )


def test_pixels_of_a_tilted_plane_come_back_onto_the_plane():
    """y = 0.2 x - 0.1 z + 12: the depth of each pixel's ray there, then back to points."""
    view, normal, offset = camera(), np.array([-0.2, 1.0, 0.1]), 12.0
    row, column = (axis.ravel() for axis in np.mgrid[0:96:5, 0:96:5])
    pixel = np.stack([column, row, np.ones_like(row)], 1)
    per_depth = pixel @ np.linalg.inv(view.matrix[:, :3]).T  # what a unit of depth moves
    depth = (offset - normal @ view.source_ras_mm) / (per_depth @ normal)
    points = points_from_depth(view, column, row, depth)
    np.testing.assert_allclose(points @ normal, offset, atol=1e-8)
    np.testing.assert_allclose(view.project(points), np.stack([column, row], 1), atol=1e-8)
    # Depth is along the beam: at the border the ray is longer than that.
    assert np.linalg.norm(points[0] - view.source_ras_mm) > depth[0] + 1.0


def test_a_place_is_found_on_the_triangle_nearest_to_it():
    vertices = np.array([[0, 0, 0], [10, 0, 0], [0, 10, 0], [10, 10, 0.0]])
    finder = PlaceFinder(vertices, np.array([[0, 1, 2], [1, 3, 2]]))
    places = np.array([[2, 3, 1.0], [-4, -3, 0], [9, 8, 0], [5, -2, 0]])
    found = finder.find(places, candidates=2)
    np.testing.assert_allclose(found.on(vertices), [[2, 3, 0], [0, 0, 0], [9, 8, 0], [5, 0, 0]], atol=1e-9)
    np.testing.assert_allclose(found.distance_mm, [1, 5, 0, 2], atol=1e-9)


@pytest.fixture(scope="module")
def model() -> ShapeModel:
    return read_shape_model("femur_left").without(SUBJECT)


@pytest.fixture(scope="module")
def true() -> np.ndarray:
    """A femur that the model has not seen, turned."""
    whole = read_shape_model("femur_left")
    shape = whole.vertices(whole.scores[whole.subjects.index(SUBJECT)])
    return apply(rotation_about((0.3, 1.0, 0.5), 14.0), shape)


@pytest.fixture(scope="module")
def samples(model: ShapeModel, true: np.ndarray) -> SurfacePoints:
    """Perfect maps of it."""
    faces = torch.from_numpy(model.faces)
    seen = render_both_faces(
        torch.from_numpy(true)[None],
        faces,
        torch.zeros(len(faces), dtype=torch.long),
        1,
        ProjectiveCameras.of([camera()]),
    )
    places = seen.of_vertices(torch.from_numpy(model.mean), faces)[0, 0, 0].permute(0, 3, 1, 2)
    presence = seen.mask[0, 0, 0].numpy().astype(float)
    return surface_points(camera(), presence, torch.nan_to_num(seen.depth[0, 0, 0]).numpy(), places.numpy())


def errors(vertices: np.ndarray, true: np.ndarray, where: np.ndarray) -> float:
    """Mean distance of the chosen vertices to the true surface, mm."""
    faces = read_shape_model("femur_left").faces
    return float(point_to_surface(vertices[where], Mesh(true, faces)).mean())


def test_perfect_maps_give_the_bone_back_nearer_than_its_mean_shape(
    model: ShapeModel, true: np.ndarray, samples: SurfacePoints
):
    found = complete(model, model.mean, samples, noise=Noise(1.0, 1.5))
    placed = apply(rigid_fit(model.mean, true), model.mean)
    measured = found.measured
    assert 0.4 < measured.mean() < 0.9  # the film ends on the shaft
    assert errors(found.vertices, true, measured) < 1.2
    assert errors(found.vertices, true, measured) < 0.7 * errors(placed, true, measured)


def test_a_third_of_wild_samples_does_not_move_the_bone(
    model: ShapeModel, true: np.ndarray, samples: SurfacePoints
):
    rng = np.random.default_rng(0)
    wild = samples.points.copy()
    chosen = rng.random(len(wild)) < 0.33
    wild[chosen] += samples.rays[chosen] * rng.uniform(30, 150, (chosen.sum(), 1))
    spoilt = SurfacePoints(wild, samples.places, samples.rays, samples.confidence, samples.back)
    clean = complete(model, model.mean, samples, noise=Noise(1.0, 1.5))
    found = complete(model, model.mean, spoilt, noise=Noise(1.0, 1.5))
    assert errors(found.vertices, true, clean.measured) < errors(clean.vertices, true, clean.measured) + 0.5


def test_a_shift_of_all_depths_moves_the_bone_along_the_beam_and_is_stated_apart(
    model: ShapeModel, samples: SurfacePoints
):
    view = camera()
    depth = (samples.points - view.source_ras_mm) @ view.axes_ras[2]
    deeper = view.source_ras_mm + (samples.points - view.source_ras_mm) * ((depth + 20) / depth)[:, None]
    moved = SurfacePoints(deeper, samples.places, samples.rays, samples.confidence, samples.back)
    here = complete(model, model.mean, samples, noise=Noise(1.0, 1.5, shift=7.0))
    there = complete(model, model.mean, moved, noise=Noise(1.0, 1.5, shift=7.0))
    step = (there.vertices - here.vertices)[here.measured].mean(axis=0)
    assert step @ view.axes_ras[2] == pytest.approx(20.0, abs=2.0)
    assert here.shift_sd_mm == 7.0


def test_what_is_outside_the_film_is_completed_and_less_certain(model: ShapeModel, samples: SurfacePoints):
    found = complete(model, model.mean, samples)
    assert found.measured[model.landmarks["femoral_head_centre_left"]].all()
    assert not found.measured[model.landmarks["lateral_condyle_distal_left"]].any()
    assert found.uncertainty_mm[~found.measured].mean() > 2 * found.uncertainty_mm[found.measured].mean()


def test_too_few_pixels_are_refused(model: ShapeModel, samples: SurfacePoints):
    with pytest.raises(InputError, match="too few to place it"):
        complete(model, model.mean, samples.some(np.arange(20)))
