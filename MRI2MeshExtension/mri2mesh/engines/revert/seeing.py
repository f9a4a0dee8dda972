"""From a radiograph to the spine in it, with what has to be found out on the way: how large an image without a scale
is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.dense_maps.film import NetworkFilm, network_film, scaled
from mri2mesh.engines.dense_maps.inputs import Reference
from mri2mesh.engines.dense_maps.maps import BoneMaps, bone_seen, maps_of
from mri2mesh.engines.dense_maps.network import GRID
from mri2mesh.engines.revert.contrast import local_contrast
from mri2mesh.engines.revert.inputs import film_channels
from mri2mesh.engines.revert.key_points import KEY_VERTICES
from mri2mesh.engines.revert.networks.stored import TrainedNetworks
from mri2mesh.engines.revert.picking import Pick, ray_point
from mri2mesh.engines.revert.spine import Hint, SpineSeen, find_spine
from mri2mesh.engines.revert.targets import LEVELS
from mri2mesh.engines.revert.vertebra import SeenVertebra, completed, crop_of, look_at
from mri2mesh.errors import InputError
from mri2mesh.geometry.transforms import similarity_fit
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.radiograph import Radiograph

FINE_PIXELS = 256
"""Longer side of the film that crops are taken from, as films of training have it."""
BEND_SD_MM = 4.0
"""How far off a vertebra's depth may be against L3's, for each level between them: lordosis is hardly seen from the
front."""
FIELD_MM = 400.0
"""Longer side of a lumbar film, usually, where its scale is not known."""
UNKNOWN_SCALE_SD_MM = 100.0
"""How far off the expected distance may be then: the network was trained for it."""
MOST_SD_MM = 35.0
"""As uncertain as the network of levels has seen distances: beyond that it has learned nothing."""
_SIZES = (0.5, 2.0)
_ROUNDS_OF_SCALE = 2
_LEAST_AT_CLICK = 0.3
_BETTER = 1.15
"""How much more bone, and more surely, the other polarity has to show to be believed."""


@dataclass(frozen=True)
class SpineFilm:
    """film: whole, as the network of levels sees it. fine: that crops are taken from. reference: where the spine is
    expected. All in a world that is ``scale`` times as large as the radiograph's own, about the origin, where its scale
    is unknown; else 1. spine: what was found. clicks: by name a point on the ray through each place that was picked.
    inverted: whether the radiograph shows bone the other way round than it was taken to."""

    film: NetworkFilm
    fine: NetworkFilm
    reference: Reference
    spine: SpineSeen
    clicks: dict[str, NDArray[np.float64]]
    scale: float = 1.0
    inverted: bool = False


def see(
    radiograph: Radiograph,
    trained: TrainedNetworks,
    models: dict[str, ShapeModel],
    reference: Reference,
    picks: list[Pick],
) -> SpineFilm:
    """Raises InputError for an image that is a strip, and where nothing is seen at a place that was picked."""
    scale = 1.0
    if not radiograph.scale_known:
        spacing, size = radiograph.geometry.pixel_spacing_mm.value, radiograph.geometry.size.value
        scale = FIELD_MM / max(spacing[0] * size[0], spacing[1] * size[1])
    seen = _polarised(radiograph, trained, reference, picks, scale)
    for _ in range(0 if radiograph.scale_known else _ROUNDS_OF_SCALE):
        found = _size(seen, trained, models)
        if found is None:
            break
        # The vertebrae say how large the picture is, if they are of the usual size.
        scale = float(np.clip(scale / found, _SIZES[0] * scale, _SIZES[1] * scale))
        seen = _in_world(radiograph, trained, reference, picks, scale, seen.inverted)
    return seen


def _polarised(
    radiograph: Radiograph, trained: TrainedNetworks, reference: Reference, picks: list[Pick], scale: float
) -> SpineFilm:
    """Bone bright, as the file says; of a picture that does not say, as more of the spine is seen."""
    if radiograph.polarity_known:
        return _in_world(radiograph, trained, reference, picks, scale, False)
    one, other = (
        _in_world(radiograph, trained, reference, [], scale, inverted) for inverted in (False, True)
    )
    sure, other_sure = (bone_seen(seen.spine.maps.presence) for seen in (one, other))
    return _in_world(radiograph, trained, reference, picks, scale, other_sure > _BETTER * sure)


def _in_world(
    radiograph: Radiograph,
    trained: TrainedNetworks,
    reference: Reference,
    picks: list[Pick],
    scale: float,
    inverted: bool,
) -> SpineFilm:
    """As `look_over`, in a world so many times as large as the radiograph's."""
    camera = scaled(radiograph.camera, scale)
    clicks = {pick.name: ray_point(pick, radiograph.camera) * scale for pick in picks}
    sd = reference.sd_mm if radiograph.scale_known else UNKNOWN_SCALE_SD_MM
    deep = Reference(reference.depth_mm * scale, sd)
    pixels = -radiograph.pixels if inverted else radiograph.pixels
    named = next((pick.name for pick in picks if pick.counts), None)
    seen = look_over(pixels, camera, trained, deep, clicks, named)
    return replace(seen, scale=scale, inverted=inverted)


def look_over(
    pixels: NDArray,
    camera: XrayCamera,
    trained: TrainedNetworks,
    reference: Reference,
    clicks: dict[str, NDArray[np.float64]] | None = None,
    named: str | None = None,
) -> SpineFilm:
    """What is seen of the spine in a film [H, W], bone bright, of a camera whose millimetres are those of the world.
    clicks: as in `SpineFilm`. named: the one of them that names are counted from."""
    film, fine = (
        _contrasted(network_film(pixels, camera, trained.film_pixels), reference),
        network_film(pixels, camera, FINE_PIXELS),
    )
    grid, known = film.camera.coarser(GRID), None
    learned = replace(reference, sd_mm=min(reference.sd_mm, MOST_SD_MM))
    if clicks and named is not None:
        known = VERTEBRAE.index(named), grid.project(clicks[named])

    def look(hint: Hint | None) -> BoneMaps:
        channels = film_channels(grid, learned, *(hint or (None, None)))
        return maps_of(trained.film, film, channels, reference.depth_mm)

    spine = find_spine(look, reference.depth_mm, known)
    return SpineFilm(film, fine, reference, spine, clicks or {})


def vertebrae_seen(seen: SpineFilm, trained: TrainedNetworks, names: list[str]) -> dict[str, SeenVertebra]:
    """What the network of single vertebrae sees of some of them, around where each was picked or found.

    Raises InputError where it sees none at a place that was picked.
    """
    if not names:
        return {}
    pixels = trained.crop_pixels
    crops = [
        crop_of(seen.fine, _centre(seen, name), _expected(seen, name, trained.places[name]), pixels)
        for name in names
    ]
    found = dict(zip(names, look_at(trained.crop, crops), strict=True))
    for name in seen.clicks.keys() & found.keys():
        presence = found[name].maps.presence[0]
        middle = presence.shape[0] // 2
        if presence[middle - 2 : middle + 2, middle - 2 : middle + 2].mean() < _LEAST_AT_CLICK:
            raise InputError(f"no vertebra is seen where {name} was picked: click on the middle of its body")
    return found


def presence_at_clicks(seen: SpineFilm) -> dict[str, float]:
    """Of any vertebra, in the whole film, where each was picked: the largest within two pixels of the maps."""
    maps, found = seen.spine.maps, dict[str, float]()
    vertebra = 1 - np.prod(1 - maps.presence[: len(VERTEBRAE)], axis=0)
    for name, place in seen.clicks.items():
        column, row = maps.camera.project(place)
        top, left = max(0, round(float(row)) - 2), max(0, round(float(column)) - 2)
        near = vertebra[top : top + 5, left : left + 5]
        found[name] = float(near.max()) if near.size else 0.0
    return found


def _centre(seen: SpineFilm, name: str) -> NDArray[np.float64]:
    return seen.clicks[name] if name in seen.clicks else seen.spine.centres[name]


def _expected(seen: SpineFilm, name: str, places: NDArray) -> Reference:
    """How deep a vertebra is expected: its body as the whole spine, and as it bends; its middle behind its body's."""
    centres, camera = seen.spine.centres, seen.film.camera
    expected = seen.reference.depth_mm + float(places.mean(axis=0) @ camera.axes_ras[2])
    from_middle = abs(VERTEBRAE.index(name) - VERTEBRAE.index("L3"))
    sd = float(np.hypot(seen.reference.sd_mm, BEND_SD_MM * seen.scale * from_middle))
    if name not in centres or len(centres) < 2:
        return Reference(expected, sd)
    levels = {one: VERTEBRAE.index(one) for one in centres}
    deep = [float((at - camera.source_ras_mm) @ camera.axes_ras[2]) for at in centres.values()]
    # What is seen of single ones scatters by a centimetre; spines bend evenly.
    curve = np.polynomial.Polynomial.fit(list(levels.values()), deep, min(2, len(deep) - 2))
    bend = float(curve(levels[name])) - float(np.median([curve(level) for level in levels.values()]))
    return Reference(expected + float(np.clip(bend, -30.0, 30.0)), sd)


def _contrasted(film: NetworkFilm, reference: Reference) -> NetworkFilm:
    """As the network of levels takes it; what pads the film is even."""
    camera = film.camera
    rows, columns = int(film.shown.any(1).sum()), int(film.shown.any(0).sum())
    pixel_mm = camera.pixel_spacing_mm[0] * reference.depth_mm / camera.source_to_detector_mm
    image = np.zeros_like(film.film)
    image[:rows, :columns] = local_contrast(film.film[:rows, :columns], pixel_mm)
    return replace(film, film=image)


def _size(seen: SpineFilm, trained: TrainedNetworks, models: dict[str, ShapeModel]) -> float | None:
    """How large the vertebrae look from where they are expected, over their usual size; None where none is seen."""
    names = [name for name in LEVELS if name in seen.spine.centres or name in seen.clicks]
    sizes = []
    for name, one in vertebrae_seen(seen, trained, names).items():
        matrix = _similarity(one, models[name], trained.places[name])
        if matrix is None:
            continue
        away = float(np.linalg.norm(matrix[:3, 3] - one.crop.camera.source_ras_mm))
        nearer = one.crop.camera.source_to_detector_mm / away
        sizes.append(float(np.cbrt(np.linalg.det(matrix[:3, :3]))) * nearer)
    return float(np.median(sizes)) if sizes else None


def _similarity(one: SeenVertebra, model: ShapeModel, places: NDArray) -> NDArray[np.float64] | None:
    """4x4 from the mean vertebra to where one is seen, with its size."""
    if one.points is not None:
        return similarity_fit(model.mean[KEY_VERTICES], one.points)
    found = completed(one, model, places, 0.0, scale=True, outlined=False)
    return None if found is None else found.matrix
