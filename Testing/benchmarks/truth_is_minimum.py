"""Is the truth the minimum of what an X-ray fit minimises, at every level, on films with all bones of a hip region?

    PYTHONPATH=MRI2MeshExtension:Testing python Testing/benchmarks/truth_is_minimum.py --data DATA --work FOLDER \
        [--cases pelvis/atlas33,femur_left/limb04] [--simulators surfaces,volume] [--displaced 60]

For each person, bone and simulator two views are made, at 0 and 45 degrees from the front. `surfaces` is the films of
whole regions from surfaces; `volume` makes the same person's bones into a labelled volume, that into a pseudo-CT, and
line integrals through it into films: another hand, the same truth. The truth is the nearest shape of a model without
the subject, laid on the bone. At each level of the fit, with the true neighbours in the picture, counted over the whole
film or, as the fit does once the place is known, near the bone alone, its cost is compared
with those of displaced candidates: shifted by 3 to 40 mm, turned by 2 to 12 degrees, or of another shape. The table
says how many of them cost more than the truth, by the cost as candidates are ranked, how many agree less by the
agreement near the bone that is shown to users, and how far off the farthest one is that costs less. At a minimum a fit
stays: the last columns are ASSD before and after a few steps from the truth. Training data alone is used.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

from mri2mesh.engines.ddx.training.run import prepared_anatomy
from mri2mesh.engines.xray_fit.fitting.beside import Neighbours
from mri2mesh.engines.xray_fit.fitting.case import Case, prepare_case
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import depth_of, mean_beam
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import ImageSettings, ImageTerm, Observation
from mri2mesh.engines.xray_fit.fitting.levels import PLACE_KNOWN, Level
from mri2mesh.engines.xray_fit.fitting.near import near_bone
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.prior import Prior
from mri2mesh.engines.xray_fit.fitting.pyramid import coarser
from mri2mesh.engines.xray_fit.fitting.solver import solve
from mri2mesh.evaluation.ddx.labelled import FEMUR, PELVIS, SACRUM, SPINE, pseudo_ct
from mri2mesh.evaluation.xray_fit.region_films import FILM_CONDITIONS, RegionCase, RegionCases
from mri2mesh.evaluation.xray_fit.scores import Truth, distances
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.tensors import rotation_matrix
from mri2mesh.geometry.transforms import apply, rigid_fit, rigid_inverse
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.vtk_bridge import to_polydata
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.rendering.drr import attenuation_from_hu, render_drr
from mri2mesh.rendering.projective import ProjectiveCameras

LABELS = {
    "hip_left": PELVIS,
    "hip_right": PELVIS,
    "sacrum": SACRUM,
    "femur_left": FEMUR,
    "femur_right": FEMUR,
}
VOXEL_MM = 2.0
PHOTONS = 4000.0
STEPS = 4


@dataclass(frozen=True)
class Row:
    """dearer, less_agreeing: shares of displaced candidates. farthest_mm: of those that cost less, 0 for none."""

    dearer: float
    less_agreeing: float
    farthest_mm: float
    before_mm: float
    after_mm: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of training data")
    parser.add_argument("--work", type=Path, required=True, help="where prepared anatomy is kept")
    parser.add_argument(
        "--cases", default="pelvis/atlas33,pelvis/atlas06,femur_left/limb04,femur_left/gias03"
    )
    parser.add_argument("--simulators", default="surfaces,volume")
    parser.add_argument("--displaced", type=int, default=60)
    options = parser.parse_args()
    torch.set_num_threads(1)
    films = RegionCases(*prepared_anatomy(options.data, options.work, 0))
    print(
        "| bone | person | simulator | pixels | counted | cost more | agree less | farthest that does not |"
        " truth, mm | after |"
    )
    print("|---" * 10 + "|")
    for name in options.cases.split(","):
        anatomy, subject = name.split("/")
        case = films.case(anatomy, subject, 0)
        for simulator in options.simulators.split(","):
            views = _films(films, case, simulator)
            for level, counted, row in _levels(films, case, views, options.displaced):
                print(
                    f"| {anatomy} | {subject} | {simulator} | {level.pixels} | {counted} | {row.dearer:.0%}"
                    f" | {row.less_agreeing:.0%} | {row.farthest_mm:.1f} | {row.before_mm:.2f} | {row.after_mm:.2f} |",
                    flush=True,
                )


def _films(films: RegionCases, case: RegionCase, simulator: str) -> list[Radiograph]:
    made = films.radiographs(case, FILM_CONDITIONS["two-views"], 0)
    if simulator == "surfaces":
        return made
    volume = _labelled(films, case)
    hu = attenuation_from_hu(torch.from_numpy(pseudo_ct(volume)))
    rng, result = np.random.default_rng(0), []
    for one in made:
        image = render_drr(hu, torch.from_numpy(volume.ijk_to_ras), ProjectiveCameras.of([one.camera]))[
            0
        ].numpy()
        counts = PHOTONS * np.exp(-image) + 0.05 * PHOTONS * np.exp(-image).mean()  # and scatter
        film = -np.log(rng.poisson(counts).clip(1) / PHOTONS).astype(np.float32)
        result.append(replace(one, pixels=film, unusable={}))
    return result


def _labelled(films: RegionCases, case: RegionCase) -> Volume:
    """The bones of a person as labels."""
    vertices = case.region.vertices
    template, count = films.shapes.template, case.region.bone_vertices
    low = vertices.min(0) - 30.0
    size = np.ceil((vertices.max(0) + 30.0 - low) / VOXEL_MM).astype(int)
    labels = np.zeros(size[::-1], np.uint8)
    faces = films.maker.surfaces.faces.numpy()
    spine = faces[(faces >= count).all(1)]
    labels[_inside(vertices, spine, low, size)] = SPINE
    for name, label in LABELS.items():
        own = template.faces[template.part == template.part_names.index(name)]
        labels[_inside(vertices, own, low, size)] = label
    grid = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    grid[:3, 3] = low + VOXEL_MM / 2
    return Volume(labels, grid)


def _inside(vertices: NDArray, faces: NDArray, low: NDArray, size: NDArray) -> NDArray[np.bool_]:
    used, numbered = np.unique(faces, return_inverse=True)
    mesh = Mesh(vertices[used].astype(np.float32), numbered.reshape(-1, 3))
    stencil, image = vtkPolyDataToImageStencil(), vtkImageStencilToImage()
    stencil.SetInputData(to_polydata(mesh))
    stencil.SetOutputOrigin(*(low + VOXEL_MM / 2))
    stencil.SetOutputSpacing(VOXEL_MM, VOXEL_MM, VOXEL_MM)
    stencil.SetOutputWholeExtent(0, size[0] - 1, 0, size[1] - 1, 0, size[2] - 1)
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    return vtk_to_numpy(image.GetOutput().GetPointData().GetScalars()).reshape(size[::-1]) > 0


def _levels(
    films: RegionCases, person: RegionCase, radiographs: list[Radiograph], displaced: int
) -> Iterator[tuple[Level, str, Row]]:
    case = prepare_case(radiographs, person.model)
    template = films.shapes.template
    names = ("hip_left", "hip_right", "sacrum") if person.anatomy == "pelvis" else (person.anatomy,)
    own = np.isin(template.part, [template.part_names.index(name) for name in names])
    faces = films.maker.surfaces.faces.numpy()
    others = np.concatenate([~own, np.ones(len(faces) - len(own), bool)])
    beside = Neighbours(person.region.vertices, faces[others])
    truth = _nearest(case, person.truth)
    candidates = Parameters.joined([truth, *_displaced(truth, displaced)])
    places = candidates.vertices(case.family)
    apart = (places[1:] - places[:1]).square().sum(2).mean(1).sqrt()
    shown = np.ones(len(person.truth), bool)
    for one in radiographs[:1]:
        column, row = np.rint(one.camera.project(person.truth)).T
        shown &= (column >= 0) & (column < one.camera.size[1]) & (row >= 0) & (row < one.camera.size[0])
    score = Truth(person.subject, person.model, person.truth, shown)
    near = near_bone(case.views, case.family, truth)
    for level, (counted, views) in itertools.product(
        PLACE_KNOWN, (("whole film", case.views), ("near", near))
    ):
        terms = _terms(views, case.family, level, truth, beside)
        cost = sum(term.rank_cost(candidates) / term.noise for term in terms)
        agreement = torch.stack([term.agreement_near(candidates) for term in terms]).mean(0)
        modes = case.family.n_modes if level.local else min(level.modes, case.family.n_own)
        prior = Prior(truth, mean_beam(views), case.settings.prior)
        ended = solve(terms, prior, truth, modes, STEPS).parameters
        wrong = apart[cost[1:] < cost[0]]
        before, after = (
            distances(score, at.by_first_view(case.family)[0].numpy()).assd for at in (truth, ended)
        )
        yield (
            level,
            counted,
            Row(
                float((cost[1:] > cost[0]).double().mean()),
                float((agreement[1:] < agreement[0]).double().mean()),
                float(wrong.max()) if len(wrong) else 0.0,
                before,
                after,
            ),
        )


def _terms(
    views: Sequence[Observation], whole: SurfaceFamily, level: Level, at: Parameters, beside: Neighbours
) -> list[ImageTerm]:
    image = ImageSettings(
        coarse_mm=level.coarse_mm, spongy=level.spongy, gradients=level.gradients, even=True
    )
    small = [coarser(seen, level.pixels) for seen in views]
    family = whole.lighter(level.faces) if level.faces else whole
    return [
        ImageTerm(seen, n, family, image, depth_of(seen, at), beside.layers(seen.camera))
        for n, seen in enumerate(small)
    ]


def _nearest(case: Case, there: NDArray) -> Parameters:
    """The model's own projection of the truth, laid on it."""
    model = case.model
    back = rigid_inverse(rigid_fit(model.mean, there))
    b = model.project(apply(back, there))
    pose = rigid_fit(model.vertices(b), there)
    place = torch.from_numpy(apply(pose, case.family.centre.numpy()[None]))
    turn = torch.from_numpy(pose[:3, :3])[None]
    at = Parameters.at(turn, place, case.family.n_modes, len(case.views))
    return replace(at, coefficients=torch.from_numpy(np.asarray(b, dtype=np.float64))[None])


def _displaced(at: Parameters, count: int) -> Iterator[Parameters]:
    """A third shifted, a third turned, a third of another shape."""
    rng = np.random.default_rng(0)
    for n in range(count):
        way = rng.normal(size=3)
        way /= np.linalg.norm(way)
        if n % 3 == 0:
            yield replace(at, position=at.position + torch.from_numpy(way * rng.uniform(3, 40)))
        elif n % 3 == 1:
            turn = Rotation.from_rotvec(way * rng.uniform(2, 12), degrees=True).as_rotvec()
            yield replace(at, rotation=rotation_matrix(torch.from_numpy(turn)[None]) @ at.rotation)
        else:
            other = at.coefficients + 0.7 * torch.from_numpy(rng.normal(size=at.coefficients.shape))
            yield replace(at, coefficients=other)


if __name__ == "__main__":
    main()
