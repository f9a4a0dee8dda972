"""What a reader can do about a check that did not pass, in the words of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LOOK = "Look at its outline in the pictures: where the line leaves the bone, nothing can be measured."
ADVICE: Mapping[str, str] = {
    "field of view": "The rest is filled in from other people's anatomy: use an image that shows all of it, or only "
    "the part that is seen (colour the 3D view by support).",
    "closed surface": "Repair it before volumes, printing or simulation.",
    "neighbours apart": "One of two surfaces that run into each other is wrong: compare both with the image.",
    "orientation of the image": "Save the image again with its orientation: no direction is certain without it.",
    "canal behind the body": "Front and back may be exchanged: check the orientation of the image.",
    "order and spacing": "A vertebra may have been left out or found twice: count them in the pictures.",
    "level count": "Name one vertebra that you know, with --level.",
    "unambiguous pose": "Add a second view, 30 degrees or more away, or landmarks with --landmarks.",
    "side": "Make sure that the side is the right one, then give landmarks with --landmarks.",
    "fit converged": "Give landmarks with --landmarks, or check the geometry with --camera.",
    "agreement with the image": "Check the geometry with --camera, or give landmarks with --landmarks.",
    "plausible shape": "Give landmarks with --landmarks, or mask what does not belong to the bone.",
    "reconstruction possible": "Check that the image is of the part and the kind that this method is made for.",
}
"""By the name of a check, whichever method makes it; others get `LOOK`."""


def advice_for(check: Mapping[str, Any]) -> str:
    """For a check as the report has it."""
    return ADVICE.get(str(check["name"]), LOOK)
