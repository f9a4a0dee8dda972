"""Films of whole hip regions of left-out subjects: every bone, skin edge, air and gas are in them, as in a patient's.

The bones are `synthesis.films`'s, posed as people lie, without blending or deformation; the one that is to be
reconstructed is known in its shape model's own topology, and its subject is left out of that model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.anatomy.shape_models.local_modes import flexible
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.ddx.training.run import LEFT_OUT
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.transforms import Matrix, apply, rigid_fit, rigid_inverse, translation
from mri2mesh.imaging.radiographs.masks.mask import with_masks
from mri2mesh.imaging.radiographs.radiograph import Radiograph, Scale
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry, assumed_geometry
from mri2mesh.synthesis.films.case import make_case
from mri2mesh.synthesis.films.correspondence import nearest
from mri2mesh.synthesis.films.develop import attenuation_image, displayed
from mri2mesh.synthesis.films.posed_region import PosedRegion, RegionMaker
from mri2mesh.synthesis.films.region_shapes import RegionShapes
from mri2mesh.synthesis.films.spines import LowerSpines
from mri2mesh.synthesis.films.views import View

REGION_ANATOMIES = ("pelvis", "femur_left", "femur_right")
SIZE = 512
FIELD_MM, SOURCE_TO_DETECTOR_MM, SOURCE_TO_ISOCENTRE_MM = 430.0, 1150.0, 1000.0
AP, OBLIQUE = 180.0, 135.0
COLLIMATED_MM = (75.0, 55.0)
"""How far the blades are from the middle of the thigh to either side, and above the hip, at the patient."""
LEAD = 0.7
"""Logarithm of how much less comes through a blade, scatter alone, than through the thickest of the patient."""


@dataclass(frozen=True)
class FilmCondition:
    """angles_deg: primary angle of each view. collimated: to one hip and thigh. displayed: after local contrast
    processing and a display curve, as a viewing station exports it."""

    angles_deg: tuple[float, ...]
    collimated: bool = False
    displayed: bool = False


FILM_CONDITIONS = {
    "ap": FilmCondition((AP,)),
    "two-views": FilmCondition((AP, OBLIQUE)),
    "ap-collimated": FilmCondition((AP,), collimated=True),
    "two-views-collimated": FilmCondition((AP, OBLIQUE), collimated=True),
    "two-views-displayed": FilmCondition((AP, OBLIQUE), displayed=True),
}


DISTANCE_SD_MM = 5.0
"""How far off the distance from the hips to the detector is that a user gives with one view: as on a table."""


@dataclass(frozen=True)
class RegionCase:
    """One person. subject: whose bone it is. model: everybody else's, flexible. truth: [V, 3] mm RAS, the bone in that
    model's topology. region: all bones, in the region's topology."""

    subject: str
    anatomy: str
    model: ShapeModel
    truth: NDArray[np.float64]
    region: PosedRegion


class RegionCases:
    """Makes cases from shapes and spines (`RegionShapes`, `LowerSpines` files)."""

    def __init__(self, shapes: Path, spines: Path) -> None:
        self.shapes, self.spines = RegionShapes.load(shapes), LowerSpines.load(spines)
        self.maker = RegionMaker(self.shapes, self.spines)

    def subjects(self, anatomy: str) -> list[str]:
        """Whose bone can be measured: of a pelvis the atlas's subjects, of a femur all; of both those that the network
        of the engine ddx has not seen either, for a fit begins where it places the bones."""
        if anatomy == "pelvis":
            names = [
                name
                for name, source in zip(self.shapes.pelvis_subjects, self.shapes.pelvis_sources, strict=True)
                if source == "atlas"
            ]
        else:
            names = list(self.shapes.femur_subjects)
        return [name for name in dict.fromkeys(names) if name in LEFT_OUT]

    def case(self, anatomy: str, subject: str, seed: int) -> RegionCase:
        """The same for the same seed."""
        rng = np.random.default_rng([seed, *subject.encode()])
        shapes, model = self.shapes, read_shape_model(anatomy)
        femur_row = self._row(shapes.femur_subjects, subject, rng)
        pelvis_row = self._row(shapes.pelvis_subjects, subject, rng)
        femur = shapes.femora[femur_row].astype(np.float64)
        own = shapes.pelvis_subjects[pelvis_row] == shapes.femur_subjects[femur_row]
        pelvis = shapes.pelves[pelvis_row].astype(np.float64)
        region = self.maker.pose(pelvis, [femur, femur], rng, fitted=not own)
        truth = self._truth(model, subject, region)
        rest = model.without(subject) if subject in model.subjects else model
        return RegionCase(subject, anatomy, flexible(rest), truth, region)

    @staticmethod
    def _row(subjects: Sequence[str], subject: str, rng: np.random.Generator) -> int:
        """The subject's own, else anybody's."""
        own = [row for row, name in enumerate(subjects) if name == subject]
        drawn = int(rng.integers(len(subjects)))
        return own[0] if own else drawn

    def _truth(self, model: ShapeModel, subject: str, region: PosedRegion) -> NDArray[np.float64]:
        template = self.shapes.template
        if model.name != "pelvis":
            return region.vertices[template.part_vertices(model.name)].astype(np.float64)
        # the atlas's own vertices, moved as the region's were
        row = next(k for k, name in enumerate(model.subjects) if name == subject and not model.mirrored[k])
        atlas = model.vertices(model.scores[row])
        number = self.shapes.pelvis_subjects.index(subject)
        hips = np.concatenate([template.part_vertices(f"hip_{side}") for side in ("left", "right")])
        posed = rigid_fit(self.shapes.pelves[number][hips].astype(np.float64), region.vertices[hips])
        # the region's hips are points on the atlas's surface: what lays them on it is the way between the frames
        points = self.shapes.pelves[number][hips[:: max(1, len(hips) // 1500)]].astype(np.float64)
        surface = Mesh(atlas.astype(np.float32), model.faces)
        back = _laid_on(points, surface)
        return apply(posed, apply(rigid_inverse(back), atlas))

    def hips_to_detector_mm(self, case: RegionCase, condition: FilmCondition, seed: int) -> float | None:
        """What a user says of one view, nearly right; of several views nothing need be said."""
        if len(condition.angles_deg) > 1:
            return None
        rng = np.random.default_rng([seed, *case.subject.encode(), 2])
        return SOURCE_TO_DETECTOR_MM - SOURCE_TO_ISOCENTRE_MM + DISTANCE_SD_MM * float(rng.normal())

    def radiographs(self, case: RegionCase, condition: FilmCondition, seed: int) -> list[Radiograph]:
        """What a user's files would be read as, masks included."""
        return [
            self.radiograph(case, angle, condition, [seed, number])
            for number, angle in enumerate(condition.angles_deg)
        ]

    def radiograph(
        self, case: RegionCase, angle: float, condition: FilmCondition, seed: Sequence[int]
    ) -> Radiograph:
        geometry = _geometry(case, angle)
        # bones and body are drawn alike for all views of a person, the exposure for each
        body = np.random.default_rng([seed[0], *case.subject.encode()])
        film = make_case(self.maker, case.region, View(geometry.camera(), False, "table"), body)
        image = attenuation_image(film, np.random.default_rng([*seed, 1]))
        if condition.collimated:
            image = _behind_lead(image, case, geometry)
        if condition.displayed:
            image = displayed(image)
        scale: Scale = "display" if condition.displayed else "logarithmic"
        return with_masks(Radiograph(image.astype(np.float32), geometry, scale))


def _laid_on(points: NDArray, surface: Mesh, rounds: int = 25) -> Matrix:
    """[4, 4] that moves points [N, 3] onto a surface that they fit exactly, from about there."""
    move = translation(surface.vertices.mean(0) - points.mean(0))
    for _ in range(rounds):
        moved = apply(move, points)
        move = rigid_fit(points, nearest(surface, moved).resample(surface.vertices.astype(np.float64)))
    return move


def _geometry(case: RegionCase, angle: float) -> XrayGeometry:
    middle = case.region.hips_ras_mm.mean(0) + [0.0, 0.0, 25.0 if case.anatomy == "pelvis" else -40.0]
    return assumed_geometry((SIZE, SIZE), "table").with_values(
        "user",
        source_to_detector_mm=SOURCE_TO_DETECTOR_MM,
        source_to_isocentre_mm=SOURCE_TO_ISOCENTRE_MM,
        pixel_spacing_mm=(FIELD_MM / SIZE, FIELD_MM / SIZE),
        principal_point_px=((SIZE - 1) / 2, (SIZE - 1) / 2),
        primary_angle_deg=angle,
        secondary_angle_deg=0.0,
        isocentre_ras_mm=tuple(float(one) for one in middle),
        seen_from="front",
        image_rotation_deg=0,
    )


def _behind_lead(image: NDArray, case: RegionCase, geometry: XrayGeometry) -> NDArray:
    """The film with blades around one hip and thigh."""
    camera, side = geometry.camera(), 1 if case.anatomy == "femur_right" else 0
    hip, down = case.region.hips_ras_mm[side], case.region.thighs[side]
    along = np.stack([hip, hip + 140 * down])
    columns = camera.project(along)[:, 0]
    per_mm = camera.source_to_detector_mm / (camera.pixel_spacing_mm[0] * SOURCE_TO_ISOCENTRE_MM)
    aside, above = (length * per_mm for length in COLLIMATED_MM)
    rows, cols = np.mgrid[: camera.size[0], : camera.size[1]]
    shown = (cols > columns.min() - aside) & (cols < columns.max() + aside)
    shown &= rows > camera.project(hip)[1] - above
    return np.where(shown, image, image[shown].max() + LEAD)
