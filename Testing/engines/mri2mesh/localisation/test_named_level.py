"""A vertebra that the user names: how it is written, and where its point lies."""

import numpy as np
import pytest

from mri2mesh.engines.mri2mesh.localisation.named_level import NamedLevel, parse_level
from mri2mesh.errors import InputError
from mri2mesh.geometry.volume import Volume


def volume() -> Volume:
    """Voxel axes that run to the left, the back and the head, so that RAS, LPS and voxels all differ."""
    matrix = np.diag([-2.0, -3.0, 4.0, 1.0])
    matrix[:3, 3] = [50.0, 60.0, -70.0]
    return Volume(np.zeros((40, 30, 20), np.float32), matrix)


def test_ras_lps_and_voxels_of_one_point_are_the_same_point() -> None:
    places = [
        parse_level(text).ras(volume()) for text in ("L3@40,45,10", "l3@lps:-40,-45,10", "L3@ijk:5,5,20")
    ]
    for place in places:
        np.testing.assert_allclose(place, [40, 45, 10])


def test_what_is_written_reads_back() -> None:
    for text in ("T10@10.7,-61.2,-336.5", "S1@ijk:5,5,20", "L1@lps:1,2,3"):
        assert str(parse_level(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "L3",
        "L3@",
        "L3@1,2",
        "L3@1,2,3,4",
        "L3@a,b,c",
        "L3@nan,0,0",
        "L3@1e999,0,0",
        "@1,2,3",
        "L3@xyz:1,2,3",
        "",
        "L3 1,2,3",
    ],
)
def test_anything_else_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(InputError, match=r"--level (knows|.*L3@x,y,z)"):
        parse_level(text)


@pytest.mark.parametrize("name", ["L6", "T6", "C7", "L3-L4", "x" * 500])
def test_an_unknown_level_is_named_with_those_that_are_known(name: str) -> None:
    with pytest.raises(InputError, match="T7 to S1") as caught:
        parse_level(f"{name}@1,2,3")
    assert len(str(caught.value)) < 200


def test_a_point_outside_the_image_asks_whether_it_is_ras() -> None:
    with pytest.raises(InputError, match=r"outside the image.*RAS or LPS"):
        NamedLevel("L3", (-40.0, -45.0, 10.0)).ras(volume())
