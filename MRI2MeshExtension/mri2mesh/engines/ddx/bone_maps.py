"""What the network sees of a bone that another engine makes: its mask and depths, beside that engine's result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.shape_models.model import ShapeModel
from mri2mesh.engines.ddx.engine import pixel_maps
from mri2mesh.engines.ddx.networks.stored import load_network
from mri2mesh.engines.ddx.picked import FEWEST, see_picked
from mri2mesh.engines.ddx.placing import PlacedBones
from mri2mesh.engines.ddx.seeing import Seen, see
from mri2mesh.engines.ddx.targets import plain_targets
from mri2mesh.engines.dense_maps.checks import MIN_CERTAINTY
from mri2mesh.engines.dense_maps.maps import SURE
from mri2mesh.engines.dense_maps.reference import reference_of
from mri2mesh.engines.model_cache import Cache
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.radiograph import Radiograph
from mri2mesh.reconstruction import PixelMaps

FEWEST_PIXELS = 200
"""Of the maps, about 600 mm2 at the patient: what is seen of a bone is no mask of it if it is less."""


def bone_maps_in(
    radiographs: Sequence[Radiograph],
    model: ShapeModel,
    picked: Sequence[Mapping[str, tuple[float, float]]],
    placed: Sequence[PlacedBones | None],
    cache: Cache,
) -> PixelMaps | None:
    """Of the first radiograph in which the network sees the model's bones. picked: per radiograph its landmarks, or
    none at all. placed: per radiograph what was placed in it, or none at all. None where it sees nothing, or has no
    weights."""
    names = [name for name in model.part_names if name in BONES]
    if not names:
        return None
    for number, radiograph in enumerate(radiographs):
        marks = picked[number] if picked else {}
        already = placed[number] if placed else None
        try:
            seen = already.seen if already is not None else _look(radiograph, model, marks, cache)
        except InputError:
            continue
        if seen is not None and _is_seen(seen, names):
            return replace(pixel_maps(seen, names), image=number)
    return None


def _look(
    radiograph: Radiograph, model: ShapeModel, marks: Mapping[str, tuple[float, float]], cache: Cache
) -> Seen | None:
    trained = cache(load_network, None, "cpu")
    reference = reference_of(radiograph.geometry, None, "")
    if len(marks) >= FEWEST:
        return see_picked(radiograph, trained, reference, model, marks)
    return see(radiograph, trained, reference, cache(plain_targets)[0])


def _is_seen(seen: Seen, names: Sequence[str]) -> bool:
    rows = [BONES.index(name) for name in names]
    enough = (seen.maps.presence[rows] > SURE).sum() >= FEWEST_PIXELS
    return bool(enough and seen.maps.certainty_of(*rows) >= MIN_CERTAINTY)
