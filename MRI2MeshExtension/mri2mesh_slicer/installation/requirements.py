"""What a run needs and Slicer does not bring: asked for when the user presses Run, and only then installed."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Sequence
from dataclasses import dataclass

from slicer.i18n import tr as _


@dataclass(frozen=True)
class Package:
    """requirement: as pip takes it. megabytes: of the download with what it needs, roughly."""

    requirement: str
    megabytes: int

    @property
    def name(self) -> str:
        return re.split(r"[<>=~! ]", self.requirement, maxsplit=1)[0]

    @property
    def least(self) -> str:
        """The oldest version that serves."""
        return self.requirement.partition(">=")[2]


TORCH = Package("torch>=2.4", 250)
PACKAGES = (
    Package("safetensors>=0.4.5", 1),
    Package("matplotlib>=3.9", 10),
    Package("numba>=0.61", 45),
)
"""What a run imports and Slicer does not bring; numba makes fits to radiographs many times faster."""
NETGEN = Package("netgen-mesher>=6.2.2600", 60)
"""Fills surfaces with tetrahedra: asked for when finite elements are to be exported."""
BROUGHT = (
    Package("numpy>=2.0", 0),
    Package("scipy>=1.13", 0),
    Package("SimpleITK>=2.4", 0),
    Package("pydicom>=2.4", 0),
)
"""What Slicer itself brings (VTK too, which has no version that pip knows): never installed and never replaced."""

_found: set[str] = set()
"""Requirements that were met once: looking takes time, and packages do not leave a running Slicer."""


def missing(also: Sequence[Package] = ()) -> list[Package]:
    """What is to be installed because it is not there, or too old. also: packages beside those of every run."""
    packages = (TORCH, *PACKAGES, *also)
    _found.update(p.requirement for p in packages if p.requirement not in _found and _serves(p))
    return [package for package in packages if package.requirement not in _found]


def obstacle(packages: list[Package]) -> str:
    """Why nothing can be installed, as something to do; empty where it can.

    What Slicer brings is not replaced, nor a PyTorch that is there, as other extensions may need that very one.
    """
    for package in BROUGHT:
        version = _version(package)
        if version and not _serves(package):
            return _(
                "This Slicer brings {name} {version} and MRI2Mesh needs {least} or later; what Slicer brings is not "
                "replaced. Install a newer Slicer."
            ).format(name=package.name, version=version, least=package.least)
    version = _version(TORCH) if TORCH in packages else ""
    if not version:
        return ""
    return _(
        "PyTorch {version} is here and MRI2Mesh needs {least} or later: other extensions may need the one that is "
        "here, so it is not replaced. Update it in the module PyTorch Utils, restart Slicer, and press Apply again."
    ).format(version=version, least=TORCH.least)


def question(packages: list[Package], *, window_waits: bool) -> str:
    """What would be installed and how much that is. window_waits: Slicer's window does not answer meanwhile."""
    size = sum(package.megabytes for package in packages)
    lines = [_("To compute, MRI2Mesh needs Python packages that this Slicer does not have:"), ""]
    lines += [f"    {package.requirement}" for package in packages]
    lines += ["", _("About {size} MB are downloaded, once.").format(size=size)]
    if TORCH in packages:
        lines.append(
            _("PyTorch for an NVIDIA GPU takes up to 3000 MB instead of {cpu}.").format(cpu=TORCH.megabytes)
        )
    if window_waits:
        lines.append(
            _("PyTorch comes first; Slicer's window does not answer until it is there, some minutes.")
        )
    else:
        lines.append(_("Slicer can be used meanwhile."))
    lines.append(_("Install them now?"))
    return "\n".join(lines)


def _version(package: Package) -> str:
    try:
        return importlib.metadata.version(package.name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _serves(package: Package) -> bool:
    return _numbers(_version(package)) >= _numbers(package.least)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])
