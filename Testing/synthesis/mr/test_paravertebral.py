"""Between the waist of a body and psoas lies what real images show there, and nothing of it in the bone."""

import numpy as np
import pytest

from mri2mesh.anatomy.canal import Canal
from mri2mesh.anatomy.regions import body_of
from mri2mesh.anatomy.spine_model import SpineSample
from mri2mesh.anatomy.templates import template
from mri2mesh.geometry.volume import Volume
from mri2mesh.synthesis.mr.canvas import Canvas
from mri2mesh.synthesis.mr.paravertebral import WallOptions, paint_walls, random_walls
from mri2mesh.synthesis.mr.tissues import Tissue

NAME = "L3"
PLAIN = WallOptions(
    waist=5.0, rim=0.0, fibres=0.0, vessel=0.0, fascia=0.0, filling=Tissue.LOOSE_TISSUE, mixed=0.0
)


@pytest.fixture
def painted():
    """Paints the walls of one vertebra that stands in psoas, 1 mm voxels: tissues, the body's mask, positions."""

    def paint(options: WallOptions):
        matrix = np.eye(4)
        matrix[:3, 3] = [-50.0, -60.0, -30.0]
        tissues = np.full((60, 100, 100), Tissue.MUSCLE_PSOAS, np.uint8)
        canvas = Canvas(tissues, Volume(tissues, matrix))
        mesh = template("vertebra")
        window = canvas.window_of(mesh, 0.0)
        bone = np.zeros(tissues.shape, bool)
        bone[window] = canvas.inside(mesh, window) | canvas.inside(body_of(mesh), window)
        tissues[bone] = Tissue.MARROW_BODY
        canal = Canal(np.array([[0.0, -30, -30], [0, -30, 30]]), np.array([8.0, 8.0]))
        spine = SpineSample({NAME: mesh}, {NAME: np.eye(4)}, canal, [])
        paint_walls(canvas, spine, np.random.default_rng(0), options)
        k, j, i = np.indices(tissues.shape)
        return tissues, bone, (i - 50.0, j - 60.0, k - 30.0)

    return paint


def test_the_pocket_is_beside_the_waist_and_not_at_the_rims(painted):
    tissues, _, (x, y, z) = painted(PLAIN)
    beside = (np.abs(x) > 15) & (np.abs(y) < 8)
    filled = tissues == Tissue.LOOSE_TISSUE
    assert (
        (filled & beside & (np.abs(z) < 3)).sum()
        > 4 * (filled & beside & (np.abs(np.abs(z) - 12) < 3)).sum()
        > 0
    )


def test_bone_stays_what_it_was(painted):
    for seed in range(5):
        tissues, bone, _ = painted(random_walls(np.random.default_rng(seed)))
        assert (tissues[bone] == Tissue.MARROW_BODY).all()


def test_without_layer_fibres_and_vessels_muscle_is_against_the_bone(painted):
    tissues, bone, _ = painted(WallOptions(0.0, 0.0, 0.0, 0.0, 0.0, Tissue.FAT_INTERNAL, 0.0))
    assert (tissues[~bone] == Tissue.MUSCLE_PSOAS).all()


def test_vessels_run_round_the_waist_on_either_side(painted):
    tissues, _, (x, _, z) = painted(WallOptions(4.0, 0.0, 0.0, 1.5, 0.0, Tissue.FAT_INTERNAL, 0.0))
    vessels = np.isin(tissues, [Tissue.VESSEL, Tissue.AORTA])
    assert (vessels & (x > 15)).sum() > 30
    assert (vessels & (x < -15)).sum() > 30
    assert np.abs(z[vessels]).max() < 14
