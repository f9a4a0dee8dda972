"""How a reconstruction ended, in words and as an exit status."""

from __future__ import annotations

import sys
from pathlib import Path

from mri2mesh.anatomy.doubtful_levels import shown_name
from mri2mesh.reconstruction import Reconstruction


def summarise(reconstruction: Reconstruction, out: Path) -> int:
    """Says what came out; the exit status."""
    failed = [check for check in reconstruction.checks if not check.passed]
    count = reconstruction.levels
    if count is not None and not count.certain:
        print(f"warning: {count.statement} {count.advice}", file=sys.stderr)
    for warning in reconstruction.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for check in failed:
        where = f"{check.structure}: " if check.structure else ""
        print(f"check failed: {where}{check.name}: {check.detail or check.value}", file=sys.stderr)
    certain = reconstruction.levels_certain
    names = ", ".join(shown_name(one.name, one.structure.kind, certain) for one in reconstruction.structures)
    print(f"{names} written to {out}" if names else f"no surfaces; the report in {out} says why")
    return 1 if failed else 0
