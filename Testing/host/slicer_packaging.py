"""Stand-in for ``slicer.packaging`` (Slicer 5.12): `pip_install` without blocking, by the real `slicer.util`.

Not covered: dialogs, the status bar, blocking runs, `pip_check`, `pip_ensure`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import slicer.util


def pip_install(
    requirements: Sequence[str],
    constraints: str | Path | None = None,
    *,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> None:
    assert not blocking and not show_progress and requester
    arguments = ["install", *requirements, *(["-c", str(constraints)] if constraints else [])]
    slicer.util.executePythonModule(
        "pip", arguments, blocking=False, logCallback=logCallback, completedCallback=completedCallback
    )
