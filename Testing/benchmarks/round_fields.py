"""Round-field C-arm films of right hips of left-out people: what the network of ddx sees of the femur, and where a fit
from landmarks ends.

    PYTHONPATH=MRI2MeshExtension:Testing python Testing/benchmarks/round_fields.py --data DATA --work FOLDER \
        [--films 18] [--fit]

The films are as intra-operative ones: source to detector 1,000 mm, a field of 200 to 280 mm at the detector, sometimes
cut by blades, every second one with a guide wire, the view some degrees off the front, air and thick parts saturated;
bones dark, in white, and in white with a black surrounding. They are read as a user's pictures are, with the distance
to the detector alone, so that their scale is unknown; landmarks are picked with 2.5 mm of error. Masks: Dice of the
femur in the field, by a film whose field is not known, by the film as it is and with landmarks, and how often the
polarity is right. Fits (--fit): mm at the patient
from the true outline of head, neck and greater trochanter to the fit's, + where it ends outside the bone. Training data
alone is used.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, distance_transform_edt, map_coordinates

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.engines.ddx.networks.stored import load_network
from mri2mesh.engines.ddx.picked import rays_in, see_picked
from mri2mesh.engines.ddx.seeing import Seen, see
from mri2mesh.engines.ddx.targets import plain_targets
from mri2mesh.engines.ddx.training.run import prepared_anatomy
from mri2mesh.engines.dense_maps.reference import reference_of
from mri2mesh.engines.xray_fit.fitting.beginning import beginning_of, settings_from
from mri2mesh.engines.xray_fit.fitting.case import prepare_case
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import fit
from mri2mesh.evaluation.xray_fit.region_films import RegionCase, RegionCases
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.overlap import dice
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.imaging.radiographs.reading import read_radiograph
from mri2mesh.synthesis.films.case import make_case
from mri2mesh.synthesis.films.develop import attenuation_image
from mri2mesh.synthesis.films.overlays import METAL_PER_MM, rod_path
from mri2mesh.synthesis.films.single_bone import thickness
from mri2mesh.synthesis.films.views import View, rolled

PIXELS, DISTANCE_MM, PICKED_SD_MM = 512, 1000.0, 2.5
LOOKS = ("field not known", "as it is", "with landmarks")
SHOWN = ("dark", "bright", "blanked")
PICKED = ("femoral_head_centre_right", "greater_trochanter_right", "lesser_trochanter_right")
FEMUR = BONES.index("femur_right")


@dataclass(frozen=True)
class RoundFilm:
    """camera: the true one. field: [H, W] what the detector got. pixel_mm: at the patient. pictures: as `SHOWN`."""

    case: RegionCase
    camera: XrayCamera
    field: NDArray[np.bool_]
    pixel_mm: float
    marks: dict[str, tuple[float, float]]
    pictures: dict[str, NDArray[np.uint8]]


def round_film(cases: RegionCases, subject: str, number: int) -> RoundFilm:
    """The same for the same number."""
    rng, case = np.random.default_rng([77, number]), cases.case("femur_right", subject, number)
    hip, down = case.region.hips_ras_mm[1], case.region.thighs[1]
    middle, depth = np.sign(hip[0]), float(rng.uniform(600, 740))
    spacing = float(rng.uniform(215, 300)) / PIXELS
    isocentre = hip + down * rng.uniform(15, 40) + [rng.uniform(5, 25) * middle, 0, 0] + rng.normal(0, 6, 3)
    camera = XrayCamera.from_c_arm(
        source_to_detector_mm=DISTANCE_MM,
        source_to_isocentre_mm=depth,
        pixel_spacing_mm=(spacing, spacing),
        size=(PIXELS, PIXELS),
        primary_angle_deg=float(rng.normal(0, 8)),
        secondary_angle_deg=float(rng.normal(0, 5)),
        isocentre_ras_mm=isocentre,
    )
    camera = rolled(camera, float(rng.normal(0, 8)))
    film = make_case(cases.maker, case.region, View(camera, True, "c-arm"), rng)
    absorbed = attenuation_image(film, rng)
    row, column = np.indices(camera.size).astype(np.float32)
    per_mm = DISTANCE_MM / depth / spacing
    if number % 2:
        tip, entry = camera.project(np.stack([hip, hip + down * 95 + [20 * middle, 0, 0]]))
        absorbed = absorbed + METAL_PER_MM * rod_path(column, row, tip, entry, 1.25 * per_mm) / per_mm
    half = (PIXELS - 1) / 2
    field = np.hypot(row - half, column - half) < rng.uniform(0.455, 0.475) * PIXELS
    if rng.random() < 0.35:
        field &= np.abs(row - half) < rng.uniform(0.3, 0.42) * PIXELS
    light = np.exp(-absorbed)
    low, high = np.percentile(light[field], [0.5, rng.uniform(60, 97)])
    grey = 0.03 + 0.97 * np.clip((light - low) / (high - low), 0, 1) ** np.exp(rng.normal(-0.2, 0.3))
    dark = np.where(field, grey, 0)
    pictures = {"dark": dark, "bright": 1 - dark, "blanked": np.where(field, 1 - grey, 0)}
    marks = {}
    for name in PICKED:
        place = camera.project(case.truth[case.model.landmarks[name]].mean(axis=0))
        place = place + rng.normal(0, PICKED_SD_MM * per_mm, 2)
        marks[name] = (float(place[0]), float(place[1]))
    eight_bits = {name: np.rint(255 * picture).astype(np.uint8) for name, picture in pictures.items()}
    return RoundFilm(case, camera, field, 1 / per_mm, marks, eight_bits)


def shadow(film: RoundFilm, vertices: NDArray, camera: XrayCamera) -> NDArray[np.bool_]:
    """[H, W] of the femur."""
    return np.asarray(thickness(Mesh(vertices.astype(np.float32), film.case.model.faces), camera) > 0)


def mask_of(seen: Seen, radiograph: Radiograph) -> NDArray[np.bool_]:
    """[H, W] where the femur is seen in the field."""
    rows, columns = np.indices(radiograph.pixels.shape)
    at = rays_in(seen.maps.camera, radiograph.camera, np.stack([columns.ravel(), rows.ravel()], axis=1))
    there = map_coordinates(seen.maps.presence[FEMUR], at[:, ::-1].T, order=1).reshape(rows.shape)
    return np.asarray((there > 0.5) & radiograph.exposed)


def zones(film: RoundFilm) -> dict[str, NDArray[np.int64]]:
    """[N, 2] (row, column) of the true outline in the field, by the part of the bone."""
    mask = shadow(film, film.case.truth, film.camera)
    rim = np.argwhere(mask & ~binary_erosion(mask, border_value=1) & film.field)
    model, truth = film.case.model, film.case.truth
    head, greater, lesser = (
        film.camera.project(truth[model.landmarks[name]].mean(axis=0)) for name in PICKED
    )
    away = (greater + lesser) / 2 - head
    length = float(np.linalg.norm(away))
    away = away / length
    up = np.array([away[1], -away[0]])
    up = up if up[1] < 0 else -up
    from_head = rim[:, ::-1] - head
    along, above = from_head @ away * film.pixel_mm, from_head @ up * film.pixel_mm
    tip = np.linalg.norm(rim[:, ::-1] - greater, axis=1) * film.pixel_mm < 14
    neck = (along > 8) & (along < 0.85 * length * film.pixel_mm)
    return {
        "head": rim[(np.linalg.norm(from_head, axis=1) * film.pixel_mm < 32) & (along < 8)],
        "upper neck": rim[neck & (above > 0) & (above < 40) & ~tip],
        "lower neck": rim[neck & (above < 0)],
        "greater trochanter": rim[tip],
    }


def fitted_shadow(film: RoundFilm, radiograph: Radiograph) -> NDArray[np.bool_]:
    """[H, W] of the femur as a user's fit from the landmarks ends."""
    case = prepare_case([radiograph], film.case.model, [film.marks])
    begin = beginning_of(case, None)
    settings = settings_from(case.settings, begin)
    found = fit(begin.views, case.family, begin.starts, settings, case.terms, None, begin.expected)
    vertices = found.parameters.by_first_view(case.family)[0].cpu().numpy()
    return shadow(film, vertices, radiograph.camera)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--films", type=int, default=18)
    parser.add_argument("--fit", action="store_true")
    options = parser.parse_args()
    cases = RegionCases(*prepared_anatomy(options.data, options.work, 0))
    subjects, network, pelvis = cases.subjects("femur_right"), load_network(), plain_targets()[0]
    given = options.work / "camera.json"
    given.write_text(json.dumps({"source_to_detector_mm": DISTANCE_MM}))
    masks: dict[str, list[NDArray[np.float64]]] = {shown: [] for shown in SHOWN}
    ends: dict[str, list[NDArray[np.float64]]] = {}
    for number in range(options.films):
        film = round_film(cases, subjects[number % len(subjects)], number)
        truth, reading = shadow(film, film.case.truth, film.camera), None
        for shown, picture in film.pictures.items():
            path = options.work / f"round_{number:02d}_{shown}.png"
            sitk.WriteImage(sitk.GetImageFromArray(picture), str(path))
            radiograph = read_radiograph(path, given)
            reading = radiograph if reading is None else reading
            alike = np.corrcoef(reading.pixels[film.field], radiograph.pixels[film.field])[0, 1] > 0
            deep = reference_of(radiograph.geometry, None, "")
            looks = {
                LOOKS[0]: see(replace(radiograph, unusable={}), network, deep, pelvis),
                LOOKS[1]: see(radiograph, network, deep, pelvis),
                LOOKS[2]: see_picked(radiograph, network, deep, film.case.model, film.marks),
            }
            in_field = truth & radiograph.exposed
            rows = []
            for one in looks.values():
                assert one is not None
                rows.append((dice(mask_of(one, radiograph), in_field), float(one.inverted != alike)))
            masks[shown].append(np.array(rows))
        if options.fit and reading is not None:
            found = fitted_shadow(film, reading)
            inside = distance_transform_edt(found) - distance_transform_edt(~found)
            for zone, rim in zones(film).items():
                if len(rim):
                    ends.setdefault(zone, []).append(inside[rim[:, 0], rim[:, 1]] * film.pixel_mm)
        print(
            f"{number:3d} {film.case.subject}",
            *(masks[shown][-1][:, 0].round(2) for shown in SHOWN),
            flush=True,
        )
    for shown, table in masks.items():
        for look, (overlap, right) in zip(LOOKS, np.array(table).transpose(1, 2, 0), strict=True):
            middle, mean = np.median(overlap), overlap.mean()
            print(
                f"{shown}, {look}: Dice {middle:.3f} (mean {mean:.3f}), polarity right in {right.mean():.0%}"
            )
    for zone, found in ends.items():
        signed, apart = [one.mean() for one in found], [np.abs(one).mean() for one in found]
        print(
            f"{zone}, {len(found)} films: off by {np.median(apart):.2f} mm (mean {np.mean(apart):.2f}), outside "
            f"the bone by {np.median(signed):+.2f} ({min(signed):+.1f} to {max(signed):+.1f})"
        )


if __name__ == "__main__":
    main()
