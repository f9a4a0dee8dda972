"""What a second view is worth to the engine `revert`: the depth of lumbar vertebrae from one film and from two.

    PYTHONPATH=MRI2MeshExtension python Testing/benchmarks/revert_two_views.py --work FOLDER [--people 3] [--refine]

Front and side views of spines made of the vertebrae of the subject that neither the networks nor these shape models
learned from; where the spine lies is believed 15 mm off (standard deviation) in each view. Prints at the end how far
the vertices are off in all (root mean square), along the first beam, across it, after rigid alignment, and what is
stated along the beam, mm. FOLDER: where the left-out spines are kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.engines.model_cache import ModelCache
from mri2mesh.engines.revert.engine import reconstruct
from mri2mesh.engines.revert.targets import targets
from mri2mesh.engines.revert.training.films import LEFT_OUT, left_out_trunks
from mri2mesh.engines.revert.training.polarity import shows_bone_bright
from mri2mesh.geometry.transforms import apply, rigid_fit
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.reconstruction import Reconstruction
from mri2mesh.synthesis.films.develop import Appearance, develop
from mri2mesh.synthesis.films.lumbar.case import make_lumbar_case
from mri2mesh.synthesis.films.lumbar.parts import trunk_parts
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker, LumbarRegion
from mri2mesh.synthesis.films.lumbar.views import lumbar_geometry
from mri2mesh.synthesis.films.views import View

VIEWS = {180.0: 1000.0, 90.0: 900.0}
"""Positioner angle, and from the source to the spine, mm."""
SIZE, FIELD_MM, TO_DETECTOR_MM, BELIEVED_SD_MM = 320, 380.0, 1150.0, 15.0


def film(region: LumbarRegion, angle: float, rng: np.random.Generator) -> Radiograph:
    """Its camera is right; how deep the spine is expected is not."""
    true = lumbar_geometry(
        SIZE, FIELD_MM, TO_DETECTOR_MM, VIEWS[angle], angle, 0.0, region.middle, np.zeros(2)
    )
    case = make_lumbar_case(region, View(true.camera(), False, "table"), rng)
    image = develop(case, rng, Appearance(metal=0, text=0, collimation=0))
    image = image if shows_bone_bright(case, image) else -image
    believed = true.with_values(
        "tag",
        source_to_detector_mm=TO_DETECTOR_MM,
        source_to_isocentre_mm=VIEWS[angle] + rng.normal(0, BELIEVED_SD_MM),
        pixel_spacing_mm=(FIELD_MM / SIZE,) * 2,
        primary_angle_deg=angle,
    )
    by = true.camera().source_ras_mm - believed.camera().source_ras_mm
    isocentre = tuple(float(value) for value in np.array(believed.isocentre_ras_mm.value) + by)
    return Radiograph(image, believed.with_values("tag", isocentre_ras_mm=isocentre), "logarithmic")


def errors(found: Reconstruction, region: LumbarRegion, beam: NDArray) -> list[list[float]]:
    """A row for each vertebra, see above."""
    rows = []
    for item in found.structures:
        true = region.vertices[trunk_parts().rows[item.name]].astype(np.float64)
        vertices = item.mesh.vertices.astype(np.float64)
        if len(vertices) != len(true):  # mended where it cut itself
            continue
        middle = (vertices - true).mean(axis=0)
        along = float(middle @ beam)
        stated = float(item.mesh.point_data["uncertainty_along_beam_mm"].mean())
        rows.append(
            [
                _rms(vertices - true),
                abs(along),
                float(np.linalg.norm(middle - along * beam)),
                _rms(apply(rigid_fit(vertices, true), vertices) - true),
                stated,
            ]
        )
    return rows


def _rms(offsets: NDArray) -> float:
    return float(np.sqrt((offsets**2).sum(axis=1).mean()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--people", type=int, default=3)
    parser.add_argument("--refine", action="store_true")
    options = parser.parse_args()
    maker, models, kept = LumbarMaker(left_out_trunks(options.work, 4, 991)), targets(LEFT_OUT), ModelCache()
    ways: dict[str, list[list[float]]] = {"one": [], "two": []}
    for person in range(options.people):
        rng = np.random.default_rng([15, person])
        region = maker.draw(rng, number=person % 4, strength=0.0)
        films = [film(region, angle, rng) for angle in VIEWS]
        for way, own in (("one", films[:1]), ("two", films)):
            found = reconstruct(
                own, refine=options.refine, cache=lambda make, *rest: models if make is targets else kept(make, *rest)
            )  # fmt: skip
            ways[way] += errors(found, region, films[0].camera.axes_ras[2])
            print(person, way, "passed" if found.passed else "failed", flush=True)
    for way, rows in ways.items():
        print(
            way, len(rows), "vertebrae: in all, along, across, rigid, stated along", np.mean(rows, axis=0).round(2)
        )  # fmt: skip


if __name__ == "__main__":
    main()
