"""Lists to choose from that leave the panel as narrow as the user wants it."""

from __future__ import annotations

from typing import Any

import qt

LEAST_LETTERS = 12


def narrow_list() -> Any:
    """A combo box that may be narrower than its longest entry; its pop-up list is not."""
    box = qt.QComboBox()
    box.sizeAdjustPolicy = qt.QComboBox.AdjustToMinimumContentsLengthWithIcon
    box.minimumContentsLength = LEAST_LETTERS
    return box
