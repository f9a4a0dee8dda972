"""``mri2mesh evaluate simulated-mri``: the engine on simulated exams whose whole vertebrae are known."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.mri2mesh.deformation.models import load_models
from mri2mesh.errors import InputError
from mri2mesh.evaluation.lumbar_mri.engine_runs import engine_run
from mri2mesh.evaluation.lumbar_mri.evaluate import ENGINE, THICK, THICK_SLICES, write_csv
from mri2mesh.evaluation.simulated_mri.parts import (
    Distances,
    PartFigures,
    describe,
    distances,
    part_figures,
    true_vertebra,
)
from mri2mesh.imaging.volumes.resampling import average_slices
from mri2mesh.synthesis.mr.case import SyntheticCase


def evaluate(
    folder: Path,
    out: Path | None = None,
    *,
    limit: int | None = None,
    thick_only: bool = False,
    device: str = "auto",
    weights_dir: Path | None = None,
) -> list[PartFigures]:
    """Measure every case (*.npz of `SyntheticCase`) of a folder, as it is and with slices of 4 mm; print the table.

    A vertebra is compared with the true one on which it lies, whatever it is called; how many have the right name is
    printed beside. With ``out`` also parts.csv. Raises InputError when the folder holds no case or weights are missing.
    """
    paths = sorted(folder.glob("*.npz"))[:limit]
    if not paths:
        raise InputError(
            f"{folder} holds no simulated exams (*.npz): ModelWeights/README.md says how to make some"
        )
    models = load_models(device, weights_dir)
    measured: dict[str, list[Distances]] = {}
    named: dict[str, list[bool]] = {}
    for path in tqdm(paths, desc="cases"):
        case = SyntheticCase.load(path)
        truths = {
            name: mesh
            for name, mesh in case.spine.structures.items()
            if name in STRUCTURES and STRUCTURES[name].kind == "vertebra"
        }
        volumes = {THICK_SLICES: average_slices(case.image, "x", THICK)}
        if not thick_only:
            volumes = {ENGINE: case.image, **volumes}
        for method, volume in volumes.items():
            result, sound = engine_run(path.stem, method, volume, models)
            found = (
                [item for item in result.structures if item.structure.kind == "vertebra"] if result else []
            )
            for item in found:
                lies_on = true_vertebra(item.mesh, truths)
                named.setdefault(method, []).append(lies_on == item.name)
                if lies_on is not None:
                    measured.setdefault(method, []).append(distances(item, truths[lies_on]))
            tqdm.write(f"{path.stem}, {method}: {len(found)} vertebrae, {sound.seconds:.0f} s")
    rows = [row for method, of_method in measured.items() for row in part_figures(method, of_method)]
    print("mean distance from the truth, by part and by what the result says of its support")
    print(describe(rows))
    for method, right in named.items():
        print(f"  {method}: {sum(right)} of {len(right)} vertebrae lie where their name says")
    if out is not None and rows:
        out.mkdir(parents=True, exist_ok=True)
        write_csv([asdict(row) for row in rows], out / "parts.csv")
    return rows
