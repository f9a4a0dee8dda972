"""FEBio 4.0: nodes, elements by part, node sets, surfaces, materials and domains; no step, for that is the user's."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import numpy as np

from mri2mesh.export.finite_elements.materials import CORTEX, Material
from mri2mesh.export.finite_elements.volume_mesh import VolumeMesh


def write_feb(
    mesh: VolumeMesh, path: Path, space: str, materials: dict[str, Material], cortex_mm: float = 0.0
) -> None:
    """Nodes are written as they are; space says what they are in. materials: of each of the mesh's parts."""
    root = Xml.Element("febio_spec", version="4.0")
    root.append(Xml.Comment(f" MRI2Mesh. SPACE={space} UNITS=mm,N,MPa. Material constants are examples. "))
    module = Xml.SubElement(root, "Module", type="solid")
    Xml.SubElement(module, "units").text = "mm-N-s"
    used = {material.name: material for material in materials.values()}
    if mesh.shells:
        used[CORTEX.name] = CORTEX
    section = Xml.SubElement(root, "Material")
    for number, material in enumerate(used.values(), 1):
        entry = Xml.SubElement(
            section, "material", id=str(number), name=material.name, type="isotropic elastic"
        )
        Xml.SubElement(entry, "density").text = "1"
        Xml.SubElement(entry, "E").text = f"{material.young_mpa:g}"
        Xml.SubElement(entry, "v").text = f"{material.poisson:g}"
    geometry = Xml.SubElement(root, "Mesh")
    nodes = Xml.SubElement(geometry, "Nodes", name="ALL_NODES")
    for number, place in enumerate(mesh.nodes.tolist(), 1):
        Xml.SubElement(nodes, "node", id=str(number)).text = ",".join(f"{value:.9g}" for value in place)
    kind = "tet10" if mesh.quadratic else "tet4"
    for part in mesh.parts:
        chosen = mesh.element_sets[part]
        _elements(geometry, part, kind, chosen + 1, mesh.tetrahedra[chosen] + 1)
    number = len(mesh.tetrahedra) + 1
    flat = "tri6" if mesh.quadratic else "tri3"
    for name, triangles in mesh.shells.items():
        _elements(geometry, name, flat, np.arange(number, number + len(triangles)), triangles + 1)
        number += len(triangles)
    for name, members in mesh.node_sets().items():
        Xml.SubElement(geometry, "NodeSet", name=f"N_{name}").text = ",".join(
            map(str, (members + 1).tolist())
        )
    for name, elements in mesh.element_sets.items():
        if name not in mesh.parts:
            text = ",".join(map(str, (elements + 1).tolist()))
            Xml.SubElement(geometry, "ElementSet", name=f"E_{name}").text = text
    for name, triangles in mesh.surfaces.items():
        surface = Xml.SubElement(geometry, "Surface", name=f"S_{name}")
        for index, triangle in enumerate((triangles + 1).tolist(), 1):
            Xml.SubElement(surface, flat, id=str(index)).text = ",".join(map(str, triangle))
    domains = Xml.SubElement(root, "MeshDomains")
    for part, material in materials.items():
        Xml.SubElement(domains, "SolidDomain", name=part, mat=material.name)
    for name in mesh.shells:
        shell = Xml.SubElement(domains, "ShellDomain", name=name, mat=CORTEX.name)
        Xml.SubElement(shell, "shell_thickness").text = f"{cortex_mm:g}"
    Xml.indent(root)
    Xml.ElementTree(root).write(path, encoding="ISO-8859-1", xml_declaration=True)


def _elements(geometry: Xml.Element, name: str, kind: str, numbers: np.ndarray, rows: np.ndarray) -> None:
    block = Xml.SubElement(geometry, "Elements", type=kind, name=name)
    for number, row in zip(numbers.tolist(), rows.tolist(), strict=True):
        Xml.SubElement(block, "elem", id=str(number)).text = ",".join(map(str, row))
