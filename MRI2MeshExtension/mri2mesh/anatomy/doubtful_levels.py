"""How a structure is called and coloured in displays while its level is a guess: ``L3?``, in ochre."""

from __future__ import annotations

from mri2mesh.anatomy.structures import VERTEBRA_LEVELS

Colour = tuple[float, float, float]

KINDS = ("vertebra", "disc", "sacrum")
"""Kinds of structures that are named by counting."""
VERTEBRA_COLOUR, DISC_COLOUR = (0.93, 0.69, 0.25), (0.70, 0.42, 0.0)
"""The colour of a level stands for that level: what may be another level has none of them."""
MARK = "?"


def shown_name(name: str, kind: str, certain: bool) -> str:
    """The name for a reader, as ``"L3?"`` or ``"Hip left"``; files, codes and label values keep the plain name."""
    return in_words(name) if certain or kind not in KINDS else name + MARK


def shown_place(place: str, certain: bool) -> str:
    """As `shown_name`, of a place that may also join two levels (``"L3-L4"``) or be no level at all."""
    level = place.split("-")[0] in (*VERTEBRA_LEVELS, "S1")
    return place + MARK if level and not certain else in_words(place)


def in_words(name: str) -> str:
    """``"Hip left"`` for ``hip_left``."""
    return (name[:1].upper() + name[1:]).replace("_", " ")


def shown_colour(kind: str, colour: Colour, certain: bool) -> Colour:
    """colour: the structure's own. RGB 0..1."""
    if certain or kind not in KINDS:
        return colour
    return DISC_COLOUR if kind == "disc" else VERTEBRA_COLOUR
