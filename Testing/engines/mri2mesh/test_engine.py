"""The whole engine with the shipped weights on a synthetic lumbar MRI whose surfaces are known."""

from pathlib import Path

import numpy as np
import pytest

from mri2mesh.anatomy.regions import body_of
from mri2mesh.engines.mri2mesh.deformation.models import Models, load_models
from mri2mesh.engines.mri2mesh.engine import reconstruct_with
from mri2mesh.engines.registry import get_engine
from mri2mesh.errors import InputError, ReconstructionRefused
from mri2mesh.geometry.checks import is_watertight, self_intersections
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.geometry.volume import Volume
from mri2mesh.quality.field_of_view import inside_image
from mri2mesh.reconstruction import Reconstruction
from mri2mesh.synthesis.mr.case import Profile, SyntheticCase, make_case

SEED = 900_000_007
"""A seed far from those of training: no network has seen this case."""


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models("cpu")


@pytest.fixture(scope="module")
def case(training_data: Path) -> SyntheticCase:
    return make_case(SEED, training_data, Profile(contrast="T2"))


@pytest.fixture(scope="module")
def result(case: SyntheticCase, models: Models) -> Reconstruction:
    return reconstruct_with(case.image, models)


def nearest_level(result: Reconstruction, case: SyntheticCase, name: str) -> str:
    """Which true vertebra a reconstructed one lies on."""
    centre = body_of(result[name].mesh).vertices.mean(0)
    truths = {n: f[:3, 3] for n, f in case.spine.frames.items() if "-" not in n and n != "sacrum"}
    return min(truths, key=lambda n: float(np.linalg.norm(truths[n] - centre)))


def vertebrae(result: Reconstruction) -> list[str]:
    return [item.name for item in result.structures if item.structure.kind == "vertebra"]


def test_vertebrae_come_out_in_order_and_each_lies_on_a_vertebra_of_its_own(result, case):
    found = vertebrae(result)
    assert len(found) >= 4
    lying_on = [nearest_level(result, case, name) for name in found]
    order = list(case.spine.frames)
    assert lying_on == sorted(set(lying_on), key=order.index)


def test_bodies_lie_on_the_true_bodies(result, case):
    distances = []
    for name in vertebrae(result):
        truth = case.spine.structures[nearest_level(result, case, name)]
        distances.append(surface_distances(body_of(result[name].mesh), body_of(truth), n_samples=3000).assd)
    assert np.median(distances) < 3.0


def test_every_surface_is_closed_and_does_not_meet_itself(result):
    for item in result.structures:
        assert is_watertight(item.mesh), item.name
        assert self_intersections(item.mesh) == 0, item.name


def test_vertices_carry_region_uncertainty_and_support(result):
    for item in result.structures:
        count = len(item.mesh.vertices)
        assert item.mesh.regions is not None
        assert item.uncertainty_mm.shape == (count,)
        assert (item.uncertainty_mm >= 0).all()
        assert item.support.shape == (count,)
        assert ((item.support >= 0) & (item.support <= 1)).all()


def test_one_number_shifts_all_levels(case, models, result):
    shifted = reconstruct_with(case.image, models, level_shift=1)
    up = {"L5": "L4", "L4": "L3", "L3": "L2", "L2": "L1", "L1": "T12", "T12": "T11"}
    common = [name for name in vertebrae(result) if name in up and up[name] in vertebrae(shifted)]
    assert len(common) >= 3
    for name in common:
        assert np.allclose(result[name].mesh.vertices, shifted[up[name]].mesh.vertices, atol=1.0)


def test_the_patient_s_place_in_the_scanner_does_not_matter(case, models, result):
    """The same image stored left-handed, axes swapped and moved by half a metre: the same surfaces, moved.

    A body cut by the end of the image is placed by the step between its neighbours and repeats less well.
    """
    image = case.image
    matrix = image.ijk_to_ras.copy()
    count = image.array.shape[2]
    matrix[:3, 3] += matrix[:3, 0] * (count - 1) + np.array([120.0, -300.0, 500.0])
    matrix[:3, 0] *= -1
    flipped = Volume(np.ascontiguousarray(image.array[:, :, ::-1]), matrix)
    moved = reconstruct_with(flipped, models)
    assert vertebrae(moved) == vertebrae(result)
    for name in vertebrae(result):
        mesh = result[name].mesh
        whole = inside_image(image, body_of(mesh).vertices).all()
        shift = moved[name].mesh.vertices - mesh.vertices
        assert np.abs(np.median(shift, axis=0) - [120, -300, 500]).max() < (0.5 if whole else 1.5)


def knee() -> Volume:
    """Two long bones end to end with a joint between them, muscle around, air outside, 3 mm sagittal slices."""
    k, j, i = np.meshgrid(np.arange(160), np.arange(150), np.arange(30), indexing="ij")
    across = np.hypot((i - 15) * 3.0, j - 75.0)
    shaft = 14 + 14 * np.exp(-(((k - 80) / 22.0) ** 2))
    image = np.where(across < 60, 0.35, 0.02)
    image[across < shaft] = 0.8
    image[(np.abs(across - shaft) < 1.5) | ((np.abs(k - 80) < 3) & (across < shaft))] = 0.1
    noise = np.random.default_rng(0).normal(0, 0.02, image.shape)
    matrix = np.diag([3.0, 1.0, 1.0, 1.0])
    return Volume((image + noise).astype(np.float32), matrix)


def test_a_knee_is_refused(models):
    with pytest.raises(ReconstructionRefused, match="no lumbar spine"):
        reconstruct_with(knee(), models)


def test_an_image_too_small_for_any_spine_is_refused(models):
    tiny = Volume(np.random.default_rng(1).normal(100, 20, (30, 30, 12)).astype(np.float32), np.eye(4))
    with pytest.raises(ReconstructionRefused, match="30 mm long"):
        reconstruct_with(tiny, models)


def test_noise_is_refused(models):
    noise = np.random.default_rng(1).normal(100, 20, (80, 80, 30)).astype(np.float32)
    with pytest.raises(ReconstructionRefused):
        reconstruct_with(Volume(noise, np.diag([3.0, 2.0, 2.0, 1.0])), models)


def test_an_unknown_engine_and_device_are_named(case):
    with pytest.raises(InputError, match="no engine"):
        get_engine("magic")
    with pytest.raises(InputError, match="--device"):
        get_engine("mri2mesh").load()(case.image, device="abacus")
