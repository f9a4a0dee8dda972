"""Tetrahedra inside closed surfaces, by whichever mesher is asked for.

netgen-mesher (LGPL-2.1) and pytetwild (MPL-2.0) come with ``pip install "mri2mesh[finite-elements]"``. gmsh (GPL-2.0 or
later) and tetgen (AGPL-3.0) are used only where the user has installed them and asks for them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

from mri2mesh.errors import InputError
from mri2mesh.export.finite_elements.meshers.boundary import Boundary, Filled, MesherRefused
from mri2mesh.export.finite_elements.meshers.netgen_mesher import fill_with_netgen
from mri2mesh.export.finite_elements.meshers.tetwild_mesher import fill_with_tetwild
from mri2mesh.export.finite_elements.meshers.users_own import fill_with_gmsh, fill_with_tetgen
from mri2mesh.export.finite_elements.volume_mesh import signed_volumes

__all__ = ["Boundary", "Filled", "MesherRefused", "check_installed", "fill"]

INSTALL = 'pip install "mri2mesh[finite-elements]"'


def fill(boundary: Boundary, mesher: str, edge_length_mm: float) -> Filled:
    """Tetrahedra in every domain.

    mesher: as in `ExportRequest`; "auto" is netgen, and tetwild (one domain only) where that refuses.
    Raises InputError where a mesher is not installed, or none can fill the surface.
    """
    order: tuple[str, ...]
    if mesher != "auto":
        order = (mesher,)
    else:
        order = ("netgen", "tetwild") if boundary.inside.max() == 1 else ("netgen",)
    reasons = []
    for name in order:
        try:
            filled = _MESHERS[name](boundary, edge_length_mm)
        except MesherRefused as refused:
            reasons.append(f"{name}: {refused}")
            continue
        except ModuleNotFoundError as error:
            reasons.append(f"{name} is not installed ({_HOW_TO_GET[name]})")
            if name == order[-1]:
                raise InputError("no tetrahedra: " + "; ".join(reasons)) from error
            continue
        return _positive(filled)
    raise InputError("no tetrahedra: " + "; ".join(reasons) + "; try another edge length or --mesher")


def check_installed(mesher: str, together: bool) -> None:
    """Raises InputError where no mesher that may be used is installed: before the long work that comes first.

    together: several structures in one mesh, which of those used by themselves only netgen can fill.
    """
    usable = ("netgen",) if together else ("netgen", "tetwild")
    names = usable if mesher == "auto" else (mesher,)
    if not any(find_spec(_MODULES[name]) for name in names):
        ways = "; ".join(dict.fromkeys(_HOW_TO_GET[name] for name in names))
        raise InputError(f"tetrahedra need {' or '.join(names)}, which is not installed: {ways}")


def _positive(filled: Filled) -> Filled:
    tetrahedra = filled.tetrahedra.copy()
    turned = signed_volumes(filled.nodes, tetrahedra) < 0
    tetrahedra[turned] = tetrahedra[turned][:, [0, 2, 1, 3]]
    return replace(filled, tetrahedra=tetrahedra)


_MESHERS: dict[str, Callable[[Boundary, float], Filled]] = {
    "netgen": fill_with_netgen,
    "tetwild": fill_with_tetwild,
    "tetgen": fill_with_tetgen,
    "gmsh": fill_with_gmsh,
}
_MODULES = {"netgen": "netgen", "tetwild": "pytetwild", "tetgen": "tetgen", "gmsh": "gmsh"}
_HOW_TO_GET = {
    "netgen": INSTALL,
    "tetwild": INSTALL,
    "tetgen": "pip install tetgen; its licence is AGPL-3.0",
    "gmsh": "pip install gmsh; its licence is GPL-2.0 or later",
}
