"""How much memory rendering takes, with gradient: the growth of the process while it renders an image.

    PYTHONPATH=Testing python Testing/benchmarks/peak_memory.py

Each figure comes from a process of its own, which has rendered a small image first. 20,480 faces.
"""

from __future__ import annotations

import resource
import subprocess
import sys

WORK = [
    (kind, backend, size, views)
    for kind in ("thickness", "soft")
    for backend in ("numba", "torch")
    for size, views in ((256, 1), (1024, 1), (256, 16))
]


def growth_mb(kind: str, backend: str, size: int, views: int) -> float:
    from bench_rendering import SCENES, cameras

    from mri2mesh.rendering.soft import blur_for, render_soft
    from mri2mesh.rendering.surfaces import ClosedSurfaces
    from mri2mesh.rendering.thickness import ray_thickness

    vertices, faces = SCENES["20480 faces"]()
    surfaces = ClosedSurfaces.of(faces, vertices.shape[1])
    leaf = vertices.requires_grad_()

    def render(side: int, count: int) -> float:
        view = cameras(side, count)
        if kind == "thickness":
            ray_thickness(leaf, surfaces, view, backend=backend).square().mean().backward()
        else:
            sigma, blur_radius = blur_for(view)
            soft = render_soft(leaf, faces, view, sigma, 1e-3, blur_radius, backend=backend)
            (soft.silhouette.mean() + soft.depth.mean()).backward()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes, on Linux

    before = render(16, 1)
    return render(size, views) - before


if __name__ == "__main__":
    if len(sys.argv) == 5:
        print(f"{growth_mb(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])):.0f}")
    else:
        print("| images | back-end | pixels | views | MB |\n|---|---|---|---|---|")
        for work in WORK:
            words = [str(word) for word in work]
            figure = subprocess.run(
                [sys.executable, __file__, *words], capture_output=True, text=True, check=True
            )
            print("| " + " | ".join([*words, figure.stdout.strip()]) + " |")
