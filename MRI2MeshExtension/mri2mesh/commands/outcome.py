"""How a reconstruction ended, in words and as an exit status."""

from __future__ import annotations

import sys
from pathlib import Path

from mri2mesh.reconstruction import Reconstruction


def summarise(reconstruction: Reconstruction, out: Path) -> int:
    """Says what came out; the exit status."""
    failed = [check for check in reconstruction.checks if not check.passed]
    for warning in reconstruction.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    for check in failed:
        where = f"{check.structure}: " if check.structure else ""
        print(f"check failed: {where}{check.name}: {check.detail or check.value}", file=sys.stderr)
    names = ", ".join(structure.name for structure in reconstruction.structures)
    print(f"{names} written to {out}" if names else f"no surfaces; the report in {out} says why")
    return 1 if failed else 0
