"""What the worker needs and Slicer does not bring: asked for when the user presses Run, and only then installed.

By `installing`, in a process of its own. PyTorch is installed as the PyTorch extension does it where that is there, so
that every extension shares one; a PyTorch, VTK or NumPy that is there is never replaced.
"""

from __future__ import annotations

import importlib.metadata
import re
from dataclasses import dataclass

from slicer.i18n import tr as _


@dataclass(frozen=True)
class Package:
    """requirement: as pip takes it. megabytes: of the download with what it brings, roughly."""

    requirement: str
    megabytes: int

    @property
    def name(self) -> str:
        return re.split(r"[<>=~! ]", self.requirement, maxsplit=1)[0]


TORCH = Package("torch>=2.4", 250)
PACKAGES = (
    Package("scipy>=1.13", 35),
    Package("SimpleITK>=2.4", 50),
    Package("pydicom>=2.4", 3),
    Package("trimesh>=4.4", 1),
    Package("pyvista>=0.44", 3),
    Package("pyacvd>=0.3", 1),
    Package("fast-simplification>=0.1.9", 2),
    Package("safetensors>=0.4.5", 1),
    Package("matplotlib>=3.9", 10),
    Package("tqdm>=4.66", 1),
    Package("numba>=0.61", 45),
)
"""The same packages as in pyproject.toml, which a test compares; numba makes fits many times faster."""


_found: set[str] = set()
"""Requirements that were met once: looking takes time, and packages do not leave a running Slicer."""


def missing() -> list[Package]:
    """What is not there, or too old."""
    packages = (TORCH, *PACKAGES)
    _found.update(p.requirement for p in packages if p.requirement not in _found and _is_there(p))
    return [package for package in packages if package.requirement not in _found]


def obstacle(packages: list[Package]) -> str:
    """Why they cannot be installed, as something to do: others may use the PyTorch there is. Else empty."""
    if TORCH not in packages:
        return ""
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return ""
    return _(
        "PyTorch {version} is here and MRI2Mesh needs {least} or later: other extensions may need the one that is "
        "here, so it is not replaced. Update it in the module PyTorch Utils, restart Slicer, and press Run again."
    ).format(version=version, least=TORCH.requirement.partition(">=")[2])


def question(packages: list[Package]) -> str:
    """What would be installed and how much that is."""
    size = sum(package.megabytes for package in packages)
    lines = [_("To compute, MRI2Mesh needs Python packages that this Slicer does not have:"), ""]
    lines += [f"    {package.requirement}" for package in packages]
    lines += ["", _("About {size} MB are downloaded, once.").format(size=size)]
    if TORCH in packages:
        lines.append(
            _("PyTorch for an NVIDIA card takes up to 3000 MB instead of {cpu}.").format(cpu=TORCH.megabytes)
        )
    lines.append(_("Slicer can be used meanwhile. Install them now?"))
    return "\n".join(lines)


def _is_there(package: Package) -> bool:
    try:
        version = importlib.metadata.version(package.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    least = package.requirement.partition(">=")[2]
    return _numbers(version) >= _numbers(least)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])
