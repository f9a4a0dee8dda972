"""The engine on two halves of the bundled MRI: what it leaves out, and what it marks as wrong."""

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.anatomy.measures import region_centre
from mri2mesh.anatomy.regions import Region
from mri2mesh.engines.mri2mesh.deformation.models import Models, load_models
from mri2mesh.engines.mri2mesh.engine import reconstruct_with
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.reconstruction import Reconstruction
from mri2mesh.samples import LUMBAR_T2

TRUE_ENDPLATE_MM = -328.0
"""Height at which the image shows the upper endplate of its highest whole body, in the middle, RAS."""


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models("cpu")


def part_of_the_sample(first: int, last: int) -> Volume:
    volume = read_volume(LUMBAR_T2)
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, 2] * first
    return Volume(np.ascontiguousarray(volume.array[first:last]), matrix)


@pytest.fixture(scope="module")
def lower_half(models: Models) -> Reconstruction:
    """Two bodies and half of a third, with the image ending within that."""
    return reconstruct_with(part_of_the_sample(8, 110), models)


def test_a_disc_beyond_the_end_of_the_image_is_left_out(lower_half):
    """The network gives one below each body, seen or not."""
    lowest = [item for item in lower_half.structures if item.structure.kind == "vertebra"][-1]
    assert lower_half.structures[-1] is lowest
    for item in lower_half.structures:
        assert item.support.mean() >= 0.25, item.name


def test_the_body_that_the_image_cuts_is_marked_and_the_whole_ones_are_not(lower_half):
    failed = {(check.structure, check.name) for check in lower_half.checks if not check.passed}
    *whole, cut = [item.name for item in lower_half.structures if item.structure.kind == "vertebra"]
    assert (cut, "field of view") in failed
    assert not any(structure in whole for structure, _ in failed)


def test_an_image_that_lies_as_its_file_says_passes_and_one_turned_front_to_back_does_not(lower_half, models):
    def passed(result: Reconstruction) -> bool:
        (found,) = [check for check in result.checks if check.name == "orientation of the image"]
        return found.passed

    volume = part_of_the_sample(8, 110)
    turned = replace(volume, ijk_to_ras=np.diag([1.0, -1.0, 1.0, 1.0]) @ volume.ijk_to_ras)
    assert passed(lower_half) and not passed(reconstruct_with(turned, models))


def test_uncertainty_and_support_vary_over_each_surface(lower_half):
    for item in lower_half.structures:
        assert item.uncertainty_mm.min() > 0.5, item.name
        assert item.uncertainty_mm.std() > 0.1, item.name
        assert item.support.std() > 0.05, item.name


def test_the_highest_whole_body_ends_where_the_image_says_and_what_lies_above_it_is_marked(models):
    """A part of one more body is in view there; a localiser may also take the disc between them for bone."""
    result = reconstruct_with(part_of_the_sample(95, 201), models)
    above = {
        item.name: region_centre(item.mesh, Region.SUPERIOR_ENDPLATE)[2] - TRUE_ENDPLATE_MM
        for item in result.structures
        if item.structure.kind == "vertebra"
    }
    failed = {(check.structure, check.name): check.detail for check in result.checks if not check.passed}
    whole = min(above, key=lambda name: abs(above[name]))
    edges = failed.get((whole, "edge agreement"), "")
    assert above[whole] < 1.5 or edges.startswith("upper endplate: ")
    assert all(
        any(structure == name for structure, _ in failed) for name in above if above[name] > above[whole]
    )
