"""Stated uncertainty: what it is where the answer is known, and that it grows when the image gets worse."""

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage
from scipy.special import ndtr

from geometry.solids import sphere
from mri2mesh.anatomy.regions import main_part
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.deformation.models import Models, load_models
from mri2mesh.engines.mri2mesh.deformation.predict import SLICE_SHIFTS, predict_surfaces
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence, locate_tissues
from mri2mesh.engines.mri2mesh.localisation.spine import find_spine
from mri2mesh.engines.mri2mesh.quality.uncertainty import UNSEEN_MM, boundary_width_mm, uncertainty_of
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.imaging.volumes.resampling import average_slices
from mri2mesh.samples import LUMBAR_T2


def ball_seen(radius: float, blur_mm: float) -> Evidence:
    """The probability of disc around the origin falls from 1 to 0 at a radius, as a normal distribution's does."""
    matrix = np.eye(4)
    matrix[:3, 3] = -40
    k, j, i = np.meshgrid(*(np.arange(81) - 40.0,) * 3, indexing="ij")
    beyond = np.sqrt(k**2 + j**2 + i**2) - radius
    semantic = np.zeros((len(Semantic), *k.shape), np.float32)
    semantic[Semantic.DISC] = 1 - ndtr(beyond / blur_mm)
    return Evidence(semantic, np.zeros((3, *k.shape), np.float32), np.ones(k.shape, bool), matrix)


@pytest.mark.parametrize("blur_mm", [1.0, 1.5, 2.0])
def test_the_width_of_a_boundary_is_its_standard_deviation(blur_mm):
    width = boundary_width_mm(sphere(20.0), "disc", ball_seen(20.0, blur_mm))
    assert np.allclose(width, blur_mm, atol=0.15)


def test_a_surface_beside_the_boundary_sees_the_same_width():
    width = boundary_width_mm(sphere(21.5), "disc", ball_seen(20.0, 1.2))
    assert np.allclose(width, 1.2, atol=0.15)


def test_where_no_boundary_is_in_reach_the_surface_may_be_anywhere_within_it():
    assert pytest.approx(6 / np.sqrt(3)) == UNSEEN_MM
    for radius in (8.0, 34.0):
        assert np.allclose(boundary_width_mm(sphere(radius), "disc", ball_seen(20.0, 1.0)), UNSEEN_MM)
    assert np.allclose(boundary_width_mm(sphere(20.0), "vertebra", ball_seen(20.0, 1.0)), UNSEEN_MM)


def test_a_boundary_that_is_hardly_there_is_none():
    for certainty, seen in ((0.6, True), (0.4, False)):
        evidence = ball_seen(20.0, 1.0)
        evidence.semantic[Semantic.DISC] *= certainty
        width = boundary_width_mm(sphere(20.0), "disc", evidence)
        assert np.allclose(width, 1.0 if seen else UNSEEN_MM, atol=0.15)


def test_inside_out_there_is_no_fall():
    evidence = ball_seen(20.0, 1.0)
    evidence.semantic[Semantic.DISC] = 1 - evidence.semantic[Semantic.DISC]
    assert np.allclose(boundary_width_mm(sphere(20.0), "disc", evidence), UNSEEN_MM)


def test_spread_and_width_add_in_quadrature():
    mesh, evidence = sphere(20.0), ball_seen(20.0, 1.5)
    spread = np.linspace(0, 4, len(mesh.vertices)).astype(np.float32)
    found = uncertainty_of(mesh, "disc", spread, evidence)
    assert found.dtype == np.float32
    assert np.allclose(found, np.sqrt(spread**2 + boundary_width_mm(mesh, "disc", evidence) ** 2))


@dataclass(frozen=True)
class Sample:
    """The bundled MRI, and one of its vertebrae found once: images that are made worse are read in the same frame."""

    models: Models
    volume: Volume
    frame: np.ndarray

    def uncertainty(self, volume: Volume) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Of the vertebra and of the disc below it, the spread of the passes and the uncertainty, each [V] mm."""
        evidence = locate_tissues(volume, self.models.localiser, self.models.device)
        (found,) = predict_surfaces(volume, evidence, [self.frame], "level", self.models)
        return {
            kind: (
                surface.spread_mm,
                uncertainty_of(
                    self.models.templates[kind].with_vertices(surface.vertices),
                    kind,
                    surface.spread_mm,
                    evidence,
                ),
            )
            for kind, surface in found.items()
        }


@pytest.fixture(scope="module")
def sample() -> Sample:
    models, volume = load_models("cpu"), read_volume(LUMBAR_T2)
    return Sample(models, volume, find_spine(volume, models.localiser).frames[2])


@pytest.fixture(scope="module")
def as_it_is(sample: Sample) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return sample.uncertainty(sample.volume)


def test_the_passes_differ_everywhere_so_their_spread_is_never_nothing(as_it_is):
    assert len(set(SLICE_SHIFTS)) == 4
    for spread, total in as_it_is.values():
        assert spread.min() > 0.1
        assert 0.8 < np.median(spread) < 2.5
        assert (total > spread).all()


def blurred(volume: Volume) -> Volume:
    sigma = [4.0 / spacing for spacing in volume.spacing[::-1]]
    return volume.with_array(ndimage.gaussian_filter(volume.array.astype(np.float32), sigma))


def noisy(volume: Volume) -> Volume:
    strength = 1.5 * np.percentile(volume.array, 99)
    noise = np.random.default_rng(0).normal(0, strength, volume.array.shape)
    return volume.with_array((volume.array + noise).astype(np.float32))


def thick(volume: Volume) -> Volume:
    return average_slices(volume, "x", 8)


@pytest.mark.parametrize(("worse", "least"), [(blurred, 1.15), (noisy, 1.1), (thick, 1.02)])
def test_uncertainty_grows_when_the_image_gets_worse(sample, as_it_is, worse, least):
    """Of the body and of the disc. The arch is hardly seen in the image as it is."""
    found = sample.uncertainty(worse(sample.volume))
    for kind in ("vertebra", "disc"):
        part = main_part(sample.models.templates[kind].regions, kind)
        before, after = (np.median(one[kind][1][part]) for one in (as_it_is, found))
        assert after > least * before, (kind, before, after)
