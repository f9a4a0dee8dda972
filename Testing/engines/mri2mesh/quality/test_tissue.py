"""Shares of tissue inside a surface and around it, on boxes whose shares are known."""

import numpy as np
import pytest

from geometry.solids import box
from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.quality.tissue import own_tissue, tissue_checks
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import Check, ReconstructedStructure

LOW, HIGH = (-20.0, -15.0, -10.0), (20.0, 15.0, 10.0)


def cube(low: tuple[float, ...] = LOW, high: tuple[float, ...] = HIGH) -> Mesh:
    return box(tuple(np.subtract(high, low)), tuple(np.add(high, low) / 2))


def image(above_mm: float = 60.0) -> Volume:
    matrix = np.eye(4)
    matrix[:3, 3] = -60
    return Volume(np.zeros((int(60 + above_mm), 120, 120), np.uint8), matrix)


def seen(
    low: tuple[float, ...] = LOW,
    high: tuple[float, ...] = HIGH,
    tissue: Semantic = Semantic.DISC,
    probability: float = 1.0,
) -> Evidence:
    """A box of one tissue on a grid of 1 mm."""
    matrix = np.eye(4)
    matrix[:3, 3] = -60
    k, j, i = np.meshgrid(*(np.arange(121) - 60.0,) * 3, indexing="ij")
    points = np.stack([i, j, k], -1)
    semantic = np.zeros((len(Semantic), *k.shape), np.float32)
    semantic[tissue] = probability * ((points > low) & (points < high)).all(-1)
    return Evidence(semantic, np.zeros((3, *k.shape), np.float32), np.ones(k.shape, bool), matrix)


def test_a_surface_around_its_own_tissue_has_it_inside_and_none_outside():
    inside, outside = own_tissue(cube(), [], Semantic.DISC, image(), seen())
    assert inside > 0.93
    assert outside < 0.02


def test_the_probability_counts_not_a_verdict():
    inside, _ = own_tissue(cube(), [], Semantic.DISC, image(), seen(probability=0.6))
    assert 0.55 < inside <= 0.6


def test_other_tissue_does_not_count():
    assert own_tissue(cube(), [], Semantic.BODY, image(), seen()) == (0.0, 0.0)


def test_a_surface_twice_as_high_is_half_full():
    inside, _ = own_tissue(cube(high=(20, 15, 30)), [], Semantic.DISC, image(), seen())
    assert abs(inside - 0.5) < 0.04


def test_tissue_left_outside_is_seen_from_2_to_5_mm_around():
    """All around the surface there is tissue up to 3 mm, or up to 10 mm; what is nearer than 1.5 mm is blur."""
    grown = [tuple(np.array(LOW) - by) + tuple(np.array(HIGH) + by) for by in (1.0, 3.5, 10.0)]
    shares = [own_tissue(cube(), [], Semantic.DISC, image(), seen(g[:3], g[3:]))[1] for g in grown]
    assert shares[0] < 0.03
    assert 0.3 < shares[1] < 0.9
    assert shares[2] == pytest.approx(1.0)


def test_tissue_within_a_neighbour_s_surface_is_the_neighbour_s():
    both = seen(LOW, (20, 15, 40))
    neighbour = cube((-20, -15, 10), (20, 15, 40))
    alone = own_tissue(cube(), [], Semantic.DISC, image(), both)[1]
    beside = own_tissue(cube(), [neighbour], Semantic.DISC, image(), both)[1]
    assert alone > 0.1
    assert beside < 0.03


def test_beyond_the_image_nothing_counts_neither_for_nor_against():
    cut = image(above_mm=0.0)
    full = own_tissue(cube(), [], Semantic.DISC, cut, seen(high=(20, 15, 0)))
    assert full[0] > 0.9
    assert own_tissue(cube((-20, -15, 10), (20, 15, 30)), [], Semantic.DISC, cut, seen()) == (0.0, 0.0)


def item(name: str, mesh: Mesh) -> ReconstructedStructure:
    ones = np.ones(len(mesh.vertices), np.float32)
    return ReconstructedStructure(STRUCTURES[name], mesh, ones, ones)


def of(checks: list[Check], name: str, structure: str) -> Check:
    (found,) = [check for check in checks if (check.name, check.structure) == (name, structure)]
    return found


@pytest.mark.parametrize(
    ("structure", "tissue", "least", "most", "words"),
    [("L3-L4", Semantic.DISC, 0.75, 0.2, "disc"), ("S1", Semantic.SACRUM, 0.7, 0.5, "sacrum")],
)
def test_each_kind_has_its_tissue_and_its_limits(structure, tissue, least, most, words):
    for probability, passes in ((least - 0.02, False), (min(least + 0.15, 1.0), True)):
        evidence = seen((-60, -60, -60), (60, 60, 60), tissue, probability)
        check = of(tissue_checks([item(structure, cube())], image(), evidence), "tissue inside", structure)
        assert check.passed is passes
        assert check.value == pytest.approx(probability, abs=0.01)
        assert check.threshold == least
        assert check.detail == f"{100 * check.value:.0f}% of its inside looks like {words}"
    for probability, passes in ((most - 0.02, True), (most + 0.02, False)):
        evidence = seen((-60, -60, -60), (60, 60, 60), tissue, probability)
        check = of(tissue_checks([item(structure, cube())], image(), evidence), "tissue outside", structure)
        assert check.passed is passes
        assert check.value == pytest.approx(probability, abs=0.01)
        assert check.threshold == most
        assert check.detail == (
            f"{100 * check.value:.0f}% of what lies within 5 mm outside it looks like {words}, too"
        )


def test_a_vertebra_is_judged_by_its_body_at_its_own_limits(spine):
    """At the limits the localiser's certainty decides: the truth, seen with less and less of it."""
    structures = spine.with_meshes({}, ("L3",))
    for certainty, passes in ((0.96, True), (0.9, False)):
        evidence = seen_less(spine.evidence, certainty)
        check = of(tissue_checks(structures, spine.volume, evidence), "tissue inside", "L3")
        assert check.passed is passes
        assert check.threshold == 0.85
        assert check.detail.endswith("looks like vertebral body")
    for spread, passes in ((0.22, True), (0.28, False)):
        evidence = seen_less(spine.evidence, 1.0)
        evidence.semantic[Semantic.BODY] = np.maximum(evidence.semantic[Semantic.BODY], spread)
        check = of(tissue_checks(structures, spine.volume, evidence), "tissue outside", "L3")
        assert check.passed is passes
        assert check.threshold == 0.25


def seen_less(evidence: Evidence, certainty: float) -> Evidence:
    return Evidence(evidence.semantic * certainty, evidence.heat, evidence.inside, evidence.ijk_to_ras)


def test_neighbours_of_the_same_kind_hold_their_own_tissue_those_of_another_do_not(spine):
    """Two discs side by side, of which the evidence is one block, and a vertebra that covers nothing of theirs."""
    both = seen(LOW, (20, 15, 40))
    upper = cube((-20, -15, 10), (20, 15, 40))
    shared = tissue_checks([item("L2-L3", upper), item("L3-L4", cube())], image(), both)
    assert of(shared, "tissue outside", "L3-L4").value < 0.03
    apart = tissue_checks([item("S1", upper), item("L3-L4", cube())], image(), both)
    assert of(apart, "tissue outside", "L3-L4").value > 0.1
