"""Names for the bodies of a chain: the sacrum anchors the count, and one number corrects it."""

from __future__ import annotations

from mri2mesh.anatomy.structures import VERTEBRA_LEVELS
from mri2mesh.engines.mri2mesh.localisation.chain import Chain
from mri2mesh.errors import InputError


def level_names(chain: Chain, level_shift: int = 0) -> list[str | None]:
    """Level of each body from the lowest upwards; None beyond the named levels.

    The lowest body is L5. level_shift: 1 calls what was found as L4 L3 (one level up), -1 calls it L5.
    Raises InputError when the shift leaves no body with a name.
    """
    lowest = len(VERTEBRA_LEVELS) - 1 - level_shift
    names = [
        VERTEBRA_LEVELS[lowest - n] if 0 <= lowest - n < len(VERTEBRA_LEVELS) else None
        for n in range(len(chain.bodies))
    ]
    if not any(names):
        raise InputError(f"--level-shift {level_shift} leaves no vertebra with a name: use a smaller number")
    return names


def level_warning(chain: Chain, level_shift: int) -> str | None:
    """The warning about the count, if there is one."""
    if level_shift:
        left_out = level_names(chain, level_shift).count(None)
        message = f"levels were shifted by {level_shift:+d} as asked"
        if left_out:
            bodies = "1 body" if left_out == 1 else f"{left_out} bodies"
            message += (
                f": {bodies} beyond {VERTEBRA_LEVELS[0]} to {VERTEBRA_LEVELS[-1]} left out, with the discs"
            )
        return message
    if chain.s1 is None:
        return (
            "the sacrum was not found in the image: the lowest body is assumed to be L5;"
            " correct the levels with --level-shift"
        )
    return None
