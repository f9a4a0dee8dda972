"""A bone that was placed beside where it is comes home on its film, among its neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from mri2mesh.engines.revert.targets import targets
from mri2mesh.engines.xray_fit.refining import Observation, refine
from mri2mesh.geometry.transforms import apply, rigid_fit, rotation_about
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.lumbar.case import make_lumbar_case
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker
from mri2mesh.synthesis.films.lumbar.trunks import draw_trunks
from mri2mesh.synthesis.films.lumbar.views import lumbar_geometry
from mri2mesh.synthesis.films.views import View


@pytest.fixture(scope="module")
def film() -> tuple[Observation, dict[str, np.ndarray]]:
    """From the front, and where three vertebrae are in it."""
    rng = np.random.default_rng(0)
    region = LumbarMaker(draw_trunks([0], 0, healthy=True)).draw(rng)
    camera = lumbar_geometry(256, 300.0, 1150.0, 1000.0, 180.0, 0.0, region.middle, np.zeros(2)).camera()
    case = make_lumbar_case(region, View(camera, False, "ap"), rng)
    image = develop(case, rng, Appearance(metal=0, text=0, collimation=0, plain=True))
    rows = trunk_parts().rows
    true = {name: region.vertices[rows[name]].astype(np.float64) for name in ("L2", "L3", "L4")}
    return Observation(camera, image, np.ones(image.shape, bool)), true


def test_it_comes_home_across_the_beam_and_agrees_better(film):
    view, true = film
    model, faces = targets()["L3"], trunk_parts().vertebra_faces
    middle = true["L3"].mean(axis=0)
    beside = rotation_about([0.2, 1.0, 0.1], 4.0, middle) @ rigid_fit(model.mean, true["L3"])
    beside[:3, 3] += [1.5, 0.0, -1.5]
    found = refine(
        [view], model, beside, np.zeros(len(model.modes)), [(true[name], faces) for name in ("L2", "L4")], 2.0
    )
    assert found is not None
    across = view.camera.axes_ras[:2]

    def off(vertices: np.ndarray) -> float:
        return float(np.linalg.norm(across @ (vertices.mean(axis=0) - middle)))

    assert off(found.vertices) < 0.5 * off(apply(beside, model.mean))
    assert found.after[0] > found.before[0]
    assert np.isfinite(found.across_mm).all()
    assert (found.along_mm >= found.across_mm).mean() > 0.9
    np.testing.assert_allclose(np.linalg.det(found.matrix[:3, :3]), 1.0, atol=1e-6)
