"""Export surfaces of a result, one surface file, or the surface through points, for other programs: as surfaces for
viewing, printing and measuring, or as tetrahedra for finite elements. Coordinates are LPS millimetres as 3D Slicer
writes them; every file has a sidecar FILE.json that says so, where it came from, and what was measured on it."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "export"
HELP = "surfaces and finite element meshes for other programs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        type=Path,
        metavar="DIR|MESH|POINTS",
        help="result folder of a reconstruction, a surface file, or points on a surface (.npy or .xyz, with outward "
        "normals in three more columns or without), which become a closed surface by Poisson reconstruction",
    )
    parser.add_argument(
        "--to",
        required=True,
        metavar="FORMATS",
        help="one or more of stl,ply,obj,vtp,vtk,gltf (surfaces), inp,feb,vtu,msh (tetrahedra), with commas",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder (default: where the source is)")
    parser.add_argument(
        "--structures", default="", metavar="NAMES", help="such as L3,L3-L4,L4 (default: all)"
    )
    parser.add_argument("--space", default="LPS", help="coordinates in the files: LPS (default) or RAS")
    parser.add_argument(
        "--edge-length",
        type=float,
        metavar="MM",
        help="edge length of new triangles (default: the surface's own; 1.5 for tetrahedra)",
    )
    parser.add_argument(
        "--by-curvature", action="store_true", help="shorter edges, down to half, where the surface bends"
    )
    parser.add_argument(
        "--max-displacement",
        type=float,
        metavar="MM",
        help="how far new triangles may lie from the surface (default: 0.3 of the edge length); refused beyond",
    )
    parser.add_argument("--quadratic", action="store_true", help="tetrahedra with ten nodes instead of four")
    parser.add_argument(
        "--join",
        action="store_true",
        help="all structures in one mesh; discs are moved onto the endplates and share their nodes",
    )
    parser.add_argument(
        "--mesher",
        default="auto",
        help="auto (default): netgen, and tetwild where netgen refuses; or netgen, tetwild, gmsh, tetgen",
    )
    parser.add_argument(
        "--region-materials",
        action="store_true",
        help="a material for each part (body, arch, annulus, nucleus) instead of one for each structure",
    )
    parser.add_argument(
        "--cortex", type=float, default=0.0, metavar="MM", help="a shell of this thickness on bones"
    )
    parser.add_argument("--unit", default="mm", help="of a surface file's numbers: mm (default), cm or m")


def run(options: argparse.Namespace) -> int:
    from mri2mesh.commands.progress import ProgressBar
    from mri2mesh.export.exporting.request import ExportRequest
    from mri2mesh.export.exporting.run import export
    from mri2mesh.export.exporting.sidecar import sentence_about

    names = [name.strip() for name in options.structures.split(",") if name.strip()]
    formats = [name.strip().lower().lstrip(".") for name in options.to.split(",") if name.strip()]
    request = ExportRequest(
        source=options.source,
        formats=tuple(formats),
        out=options.out,
        structures=tuple(names),
        space=options.space.upper(),
        edge_length_mm=options.edge_length,
        by_curvature=options.by_curvature,
        max_displacement_mm=options.max_displacement,
        quadratic=options.quadratic,
        join=options.join,
        mesher=options.mesher,
        region_materials=options.region_materials,
        cortex_mm=options.cortex,
        unit=options.unit,
    )
    with ProgressBar() as progress:
        written = export(request, progress)
    for path in written:
        if path.suffix != ".json":
            print(path)
            if about := sentence_about(path):
                print(f"    {about}")
    return 0
