"""Which silhouette brings a fit home sooner: the soft one, or the one with the derivative of its visible boundary.

    python Testing/benchmarks/compare_silhouettes.py [--seconds 15] [--subjects 4]

A left hip is fitted to its own hard silhouettes from the front and from the side (128 x 128 pixels), by the shape model
without that subject: 6 numbers of pose and 20 modes, Adam with the same steps, squared difference of silhouettes and
the population's prior. It starts from the mean shape, turned by 10 degrees and moved by 20 mm. The table gives the mean
distance of the vertices to the truth's, mm, after so many seconds; medians over the subjects.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.geometry.tensors import rotation_matrix
from mri2mesh.geometry.topology import MeshTopology
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.edges import render_silhouette
from mri2mesh.rendering.hard import render_hard
from mri2mesh.rendering.prepare import prepare
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.soft import blur_for, render_soft

MODES, TURN_DEG, SHIFT_MM = 20, 10.0, 20.0
STEPS = {"turn": 0.01, "shift": 1.0, "shape": 0.05}
"""Step sizes of Adam, in radians, mm and standard deviations."""
PRIOR = 1e-4

Silhouette = Callable[[Tensor], Tensor]


def views() -> ProjectiveCameras:
    return ProjectiveCameras.of(
        [
            XrayCamera.from_c_arm(
                source_to_detector_mm=1000,
                source_to_isocentre_mm=800,
                pixel_spacing_mm=(2.7, 2.7),
                size=(128, 128),
                primary_angle_deg=angle,
            )
            for angle in (180.0, 90.0)
        ]
    )


def fit(
    family: SurfaceFamily, truth: Tensor, silhouette: Silhouette, seconds: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    """Seconds spent and mean distance to the truth, after every step."""
    target = render_hard(truth[None], family.faces, views()).silhouette.double()
    axis, away = (torch.from_numpy(v / np.linalg.norm(v)) for v in rng.normal(size=(2, 3)))
    turn = (axis * np.radians(TURN_DEG)).requires_grad_()
    shift = (truth.mean(0) + SHIFT_MM * away).requires_grad_()
    shape = torch.zeros(1, MODES, dtype=torch.float64, requires_grad=True)
    groups = [
        {"params": [p], "lr": STEPS[n]} for n, p in (("turn", turn), ("shift", shift), ("shape", shape))
    ]
    optimiser = torch.optim.Adam(groups)
    history, spent = [], 0.0
    while spent < seconds:
        began = time.perf_counter()
        optimiser.zero_grad()
        local = family.mean + (shape @ family.basis[:MODES].flatten(1)).view(1, -1, 3)
        vertices = local @ rotation_matrix(turn).T + shift
        loss = (silhouette(vertices) - target).square().mean() + PRIOR * shape.square().mean()
        loss.backward()
        optimiser.step()
        spent += time.perf_counter() - began
        history.append((spent, float((vertices[0].detach() - truth).norm(dim=-1).mean())))
    return history


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--subjects", type=int, default=4)
    options = parser.parse_args()
    prepare(only=("soft images", "depth"))
    whole = read_shape_model("pelvis").only("hip_left")
    own = [row for row in range(len(whole.subjects)) if not whole.mirrored[row]]
    chosen = own[:: max(1, len(own) // options.subjects)][: options.subjects]
    after = [s for s in (1, 2, 5, 10, 15, 30, 60) if s <= options.seconds]
    rows: dict[str, list[list[float]]] = {"soft": [], "visible boundary": []}
    steps: dict[str, list[float]] = {"soft": [], "visible boundary": []}
    for subject in chosen:
        family = SurfaceFamily(whole.without(subject))
        shape = torch.from_numpy(whole.vertices(whole.scores[subject]))
        truth = shape - shape.mean(0)
        cameras = views()
        topology = MeshTopology.from_faces(family.faces, len(truth))
        sigma, blur = blur_for(cameras)
        kinds: dict[str, Silhouette] = {
            "soft": lambda v, f=family, c=cameras, s=sigma, b=blur: (
                render_soft(v, f.faces, c, s, 1e-3, b).silhouette
            ),
            "visible boundary": lambda v, t=topology, c=cameras: render_silhouette(v, t, c),
        }
        for name, silhouette in kinds.items():
            history = fit(family, truth, silhouette, options.seconds, np.random.default_rng(subject))
            rows[name].append([next(d for t, d in reversed(history) if t <= s) for s in after])
            steps[name].append(len(history) / history[-1][0])
    print("| silhouette | steps/s | " + " | ".join(f"{s} s" for s in after) + " |")
    print("|---|---|" + "---|" * len(after))
    for name, values in rows.items():
        figures = " | ".join(f"{v:.2f}" for v in np.median(values, axis=0))
        print(f"| {name} | {np.median(steps[name]):.1f} | {figures} |")


if __name__ == "__main__":
    main()
