"""Which vertebra is where in a film, what its name rests on, and how sure the count is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.lumbar_region import BONES, VERTEBRAE
from mri2mesh.engines.dense_maps.completion.complete import robust_pose
from mri2mesh.engines.dense_maps.maps import SURE, BoneMaps
from mri2mesh.errors import InputError
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.reconstruction import LevelCount, given_statement

Hint = tuple[int, NDArray[np.float64]]
"""Number of a bone in `BONES`, and where it is: (column, row) on the grid of the maps."""
Look = Callable[[Hint | None], BoneMaps]
LEAST_MM2 = 250.0
"""Area at the spine from which a bone counts as seen."""
LEAST_SACRUM_MM2 = 1500.0
"""Of the sacrum, from which it counts as seen."""
_DECIDED = 0.75
"""Mean presence of the likeliest level on the spine from which names need no second look."""
_LEAST_AT_CLICK = 0.35
_MOST_SHIFT = 3
_SAME_MM = 15.0
"""Bodies whose middles are nearer than that are one."""
_SPACING_MM, _USUAL_MM = 22.0, 36.0
"""Between middles of neighbours: at least, and usually (the population's landmarks)."""
_SACRUM = BONES.index("sacrum")


@dataclass(frozen=True)
class SpineSeen:
    """maps: what the network saw, its channels by `BONES`. channels: name of a vertebra -> its channel, from head to
    foot. centres: name -> [3] mm of its body's middle. count: how they came by their names."""

    maps: BoneMaps
    channels: dict[str, int]
    centres: dict[str, NDArray[np.float64]]
    count: LevelCount


def find_spine(look: Look, depth_mm: float, named: Hint | None = None) -> SpineSeen:
    """look: what the network sees, given a hint. depth_mm: how far from the source the spine is expected. named: a
    vertebra that the user pointed at.

    Where the film alone does not say how to count, the likeliest name of one vertebra is taken and the others follow
    from it, so that all names are of one count. Raises InputError where no vertebra is at the place that was named.
    """
    first = look(None)
    hint = _likeliest(first) if named is None else named
    maps = first if hint is None else look(hint)
    area = (maps.presence > SURE).sum((1, 2)) * _pixel_mm2(maps, depth_mm)
    channels = [k for k in range(len(VERTEBRAE)) if area[k] >= LEAST_MM2]
    middles = {k: centre_of(maps, k) for k in channels}
    order = order_along_spine(middles, {k: float(area[k]) for k in channels}, maps.camera)
    if named is None:
        weights = [float(area[k]) for k in order]
        offset = _most([k - place for k, place in order.items()], weights)
    else:
        at = _channel_at(maps, named, list(order), middles)
        offset = 0 if at is None else named[0] - order[at]
    renamed = {
        VERTEBRAE[place + offset]: k for k, place in order.items() if 0 <= place + offset < len(VERTEBRAE)
    }
    centres = {name: middles[k] for name, k in renamed.items()}
    count = _count(first, maps, list(order), renamed, named, float(area[_SACRUM]))
    return SpineSeen(maps, renamed, centres, count)


def order_along_spine(
    middles: Mapping[int, NDArray], area: Mapping[int, float], camera: XrayCamera
) -> dict[int, int]:
    """Channel -> its place in the row of vertebrae, from head to foot; a place is left free where a gap is wide enough
    for a vertebra, against what most neighbours are apart. Of two channels in one place the one with less area is left
    out: vertebrae do not lie in each other.

    middles: channel -> [3] RAS mm of the body. camera: of a film that hangs head up."""
    pixels = {k: camera.project(middle) for k, middle in middles.items()}
    row = sorted(pixels, key=lambda k: float(pixels[k][1]))
    kept = list[int]()
    for k in row:
        if kept and _across(middles[kept[-1]], middles[k], camera) < _SAME_MM:
            if area[k] > area[kept[-1]]:
                kept[-1] = k
            continue
        kept.append(k)
    apart = [_across(middles[a], middles[b], camera) for a, b in pairwise(kept)]
    # Most of the names that the network gives follow one another rightly, and the picture's scale may be unknown.
    each = [one / (b - a) for one, (a, b) in zip(apart, pairwise(kept), strict=True) if b > a]
    usual = max(_SPACING_MM, float(np.median(each)) if each else _USUAL_MM)
    places = [0]
    for one in apart:
        places.append(places[-1] + max(1, round(one / usual)))
    return dict(zip(kept, places, strict=False))


def _across(one: NDArray, other: NDArray, camera: XrayCamera) -> float:
    """mm between two places, without what lies along the beam."""
    return float(np.linalg.norm(camera.axes_ras[:2] @ (np.asarray(one) - np.asarray(other))))


def _most(values: list[int], weights: list[float]) -> int:
    """The value with the largest weight, 0 of none."""
    total: dict[int, float] = {}
    for value, weight in zip(values, weights, strict=True):
        total[value] = total.get(value, 0.0) + weight
    return max(total, key=lambda value: total[value], default=0)


def centre_of(maps: BoneMaps, bone: int) -> NDArray[np.float64]:
    """[3] mm, where the origin of the mean bone lies: the middle of a vertebra's body."""
    samples = maps.samples(bone)
    return np.asarray(robust_pose(samples.places, samples.points, samples.confidence)[:3, 3])


def _likeliest(maps: BoneMaps) -> Hint | None:
    """The vertebra that the network is surest of, where it is not sure of most."""
    vertebrae = maps.presence[:_SACRUM]
    spine = 1 - np.prod(1 - vertebrae, axis=0) > SURE
    if not spine.any() or vertebrae.max(axis=0)[spine].mean() >= _DECIDED:
        return None
    weight = np.where(spine, vertebrae, 0.0) ** 2
    bone = int(weight.sum((1, 2)).argmax())
    row, column = np.indices(spine.shape)
    total = weight[bone].sum()
    return bone, np.array([(weight[bone] * column).sum(), (weight[bone] * row).sum()]) / total


def _channel_at(
    maps: BoneMaps, named: Hint, channels: list[int], middles: Mapping[int, NDArray]
) -> int | None:
    """Of the channels that of the vertebra that was pointed at: whose body is nearest. Raises InputError where no
    vertebra is seen there."""
    bone, (column, row) = named
    rows, columns = maps.presence.shape[1:]
    top, left = (
        int(np.clip(round(float(value)) - 1, 0, n - 1)) for value, n in ((row, rows), (column, columns))
    )
    near = maps.presence[:_SACRUM, top : top + 3, left : left + 3].mean(axis=(1, 2))
    if near.sum() < _LEAST_AT_CLICK:
        raise InputError(
            f"no vertebra is seen at the place given for {VERTEBRAE[bone]}: click on the middle of its body"
        )
    pixels = {k: maps.camera.project(middles[k]) for k in channels}
    return min(channels, key=lambda k: float(np.linalg.norm(pixels[k] - [column, row])), default=None)


def probabilities_of(first: BoneMaps, maps: BoneMaps, channels: list[int]) -> dict[int, float]:
    """Of each shift of the names: how far the first look, without a hint, agrees with it where one bone alone is."""
    bones = maps.presence > SURE
    alone = {k: on for k in channels if (on := bones[k] & (bones.sum(axis=0) == 1)).any()}
    scores = {}
    for shift in range(-_MOST_SHIFT, _MOST_SHIFT + 1):
        shares = [
            float(first.presence[k + shift][on].mean()) if 0 <= k + shift < _SACRUM else 0.0
            for k, on in alone.items()
        ]
        scores[shift] = (float(np.mean(shares)) if shares else 0.0) + 1e-3
    total = sum(scores.values())
    return {shift: score / total for shift, score in scores.items()}


def _count(
    first: BoneMaps,
    maps: BoneMaps,
    channels: list[int],
    renamed: dict[str, int],
    named: Hint | None,
    sacrum_mm2: float,
) -> LevelCount:
    lowest = max(renamed, key=VERTEBRAE.index, default="L5")
    if named is not None:
        return LevelCount("given", given_statement(VERTEBRAE[named[0]]), lowest)
    shares = probabilities_of(first, maps, channels)
    seen = sacrum_mm2 >= LEAST_SACRUM_MM2
    at = VERTEBRAE.index(lowest)
    by_name = {
        VERTEBRAE[at + shift]: share for shift, share in shares.items() if 0 <= at + shift < len(VERTEBRAE)
    }
    total = sum(by_name.values())
    by_name = {name: share / total for name, share in by_name.items()}
    listed = ", ".join(
        f"{name} {100 * share:.0f}%"
        for name, share in sorted(by_name.items(), key=lambda item: -item[1])
        if share >= 0.02
    )
    # On real films the count from the sacrum has been wrong too often to be believed (ModelWeights/README.md).
    why = (
        "counting up from the sacrum in one film is not reliable yet"
        if seen
        else "the sacrum is not in the film"
    )
    return LevelCount(
        "none",
        f"The names of the levels are a guess: {why}. How probable each name of the lowest vertebra in view is, by "
        f"what the network sees: {listed}.",
        lowest,
        by_name,
        "Name one vertebra: --level L4@column,row says that the body at this pixel of the radiograph is L4.",
    )


def _pixel_mm2(maps: BoneMaps, depth_mm: float) -> float:
    row_mm, column_mm = maps.camera.pixel_spacing_mm
    return float(row_mm * column_mm * (depth_mm / maps.camera.source_to_detector_mm) ** 2)
