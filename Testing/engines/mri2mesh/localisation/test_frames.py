"""Frames point where anatomy points, for a spine that is off-centre, curved and turned."""

import numpy as np
from scipy.spatial.transform import Rotation

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.spine_model import LumbarSpineModel, SpineOptions
from mri2mesh.anatomy.templates import template
from mri2mesh.engines.mri2mesh.localisation.chain import Chain, build_chain
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.localisation.frames import body_frames, sacrum_frame
from mri2mesh.engines.mri2mesh.localisation.peaks import Peak, find_peaks
from mri2mesh.engines.mri2mesh.networks.localiser import Heat
from mri2mesh.geometry.distances import surface_distances
from mri2mesh.synthesis.mr.spine_access import body_centre

TURN = Rotation.from_euler("zx", [12, 8], degrees=True).as_matrix()
"""The patient lies turned about the long axis and tilted forward."""


def evidence() -> tuple[Evidence, list[Peak], list[Peak], Peak]:
    """A straight turned spine: bodies every 35 mm, the canal a line 28 mm behind them."""
    shape = (90, 70, 50)
    matrix = np.diag([2.5, 2.5, 2.5, 1.0])
    matrix[:3, 3] = [-60, -90, -40]
    semantic = np.zeros((len(Semantic), *shape), np.float32)
    k, j, i = np.meshgrid(*(np.arange(n) for n in shape), indexing="ij")
    ras = np.stack([i, j, k], -1) * 2.5 + matrix[:3, 3]
    local = ras @ TURN  # inverse rotation
    semantic[Semantic.CANAL] = np.hypot(local[..., 0], local[..., 1] + 28) < 8
    semantic[Semantic.BACKGROUND] = 1 - semantic[Semantic.CANAL]
    bodies = [Peak(TURN @ [0, 0, 35.0 * (n + 1)], 0.9) for n in range(4)]
    discs = [Peak(TURN @ [0, 0, 35.0 * (n + 0.5)], 0.9) for n in range(4)]
    heat = np.zeros((len(Heat), *shape), np.float32)
    for body in bodies:
        heat[Heat.BODY] = np.maximum(heat[Heat.BODY], np.exp(-0.5 * ((ras - body.centre) ** 2).sum(-1) / 36))
        near = ((ras - body.centre) ** 2).sum(-1) < 144
        semantic[:, near] = 0
        semantic[Semantic.BODY, near] = 1
    return Evidence(semantic, heat, np.ones(shape, bool), matrix), bodies, discs, Peak(np.zeros(3), 0.9)


def test_axes_follow_the_turned_spine_to_a_few_degrees():
    found, bodies, discs, s1 = evidence()
    chain = build_chain(bodies, discs, [s1])
    frames = body_frames(chain, found)
    for frame, body in zip(frames, bodies, strict=True):
        assert np.allclose(frame[:3, 3], body.centre)
        assert np.isclose(np.linalg.det(frame[:3, :3]), 1.0)
        angle = Rotation.from_matrix(frame[:3, :3].T @ TURN).magnitude()
        assert np.degrees(angle) < 4.0


def test_s1_s_template_lies_on_s1_when_the_centres_are_right():
    spine = LumbarSpineModel.load().sample(np.random.default_rng(5), SpineOptions("L2"))
    at = {name: Peak(body_centre(spine, name), 1.0) for name in ("L5", "L4", "S1", "L5-S1", "L4-L5")}
    chain = Chain([at["L5"], at["L4"]], [at["L5-S1"], at["L4-L5"]], at["S1"])
    frame = sacrum_frame(chain, spine.frames["L5"])
    placed, truth = template("sacrum").transformed(frame), spine.structures["S1"]
    assert surface_distances(placed, truth).assd < 2.5
    assert np.linalg.norm(placed.vertices - truth.vertices, axis=1).mean() < 4.0


def test_peaks_are_found_between_voxels():
    found, bodies, _, _ = evidence()
    peaks = find_peaks(found, Heat.BODY, 0.3)
    assert len(peaks) == 4
    for body in bodies:
        assert min(np.linalg.norm(peak.centre - body.centre) for peak in peaks) < 0.8
