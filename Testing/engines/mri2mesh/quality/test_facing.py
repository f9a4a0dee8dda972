"""An image whose front and back are exchanged is marked, although its file says nothing of it."""

from dataclasses import replace

import numpy as np
import pytest

from mri2mesh.engines.mri2mesh.deformation.models import load_models
from mri2mesh.engines.mri2mesh.localisation.evidence import locate_tissues
from mri2mesh.engines.mri2mesh.quality.facing import facing_checks
from mri2mesh.geometry.volume import Volume
from mri2mesh.imaging.volumes.reading import read_volume
from mri2mesh.reconstruction import Check
from mri2mesh.samples import LUMBAR_T2


@pytest.fixture(scope="module")
def volume() -> Volume:
    return read_volume(LUMBAR_T2)


@pytest.fixture(scope="module")
def localiser():
    return load_models("cpu", None).localiser


def turned(volume: Volume) -> Volume:
    """The same voxels, front and back exchanged in the header alone."""
    exchanged = np.diag([1.0, -1.0, 1.0, 1.0])
    return replace(volume, ijk_to_ras=exchanged @ volume.ijk_to_ras)


def checks(volume: Volume, localiser) -> list[Check]:
    return facing_checks(volume, locate_tissues(volume, localiser, "cpu"), localiser, "cpu")


def check(volume: Volume, localiser) -> Check:
    (found,) = checks(volume, localiser)
    return found


def without_the_back(volume: Volume, mm: int) -> Volume:
    """The middle bodies, with so many of the rearmost millimetres cut away; the sample has voxels of 1 mm."""
    matrix = volume.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ [0, mm, 40]
    return Volume(np.ascontiguousarray(volume.array[40:125, mm:]), matrix)


def test_the_sample_faces_the_way_its_file_says(volume, localiser):
    found = check(volume, localiser)
    assert found.passed and found.value > 1.2


def test_the_sample_turned_front_to_back_fails(volume, localiser):
    found = check(turned(volume), localiser)
    assert not found.passed and found.value < 1 / 1.2
    assert "front and back exchanged" in found.detail


def test_the_two_ways_round_are_compared_nearly_alike(volume, localiser):
    # The image as it is has been looked at twice, mirrored too; turned round it is looked at once, which is quicker.
    both = check(volume, localiser).value * check(turned(volume), localiser).value
    np.testing.assert_allclose(both, 1.0, rtol=0.1)


def test_an_image_that_ends_behind_the_canal_is_judged(volume, localiser):
    assert check(without_the_back(volume, 60), localiser).passed
    assert not check(turned(without_the_back(volume, 60)), localiser).passed


def test_nothing_is_said_of_an_image_that_ends_before_the_canal(volume, localiser):
    assert checks(without_the_back(volume, 95), localiser) == []
    assert checks(turned(without_the_back(volume, 95)), localiser) == []
