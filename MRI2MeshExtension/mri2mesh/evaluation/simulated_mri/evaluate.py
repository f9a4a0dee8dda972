"""``mri2mesh evaluate simulated-mri``: the engine on simulated exams whose whole vertebrae are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.mri2mesh.deformation.models import load_models
from mri2mesh.errors import InputError
from mri2mesh.evaluation.lumbar_mri.engine_runs import engine_run
from mri2mesh.evaluation.lumbar_mri.evaluate import ENGINE, THICK, THICK_SLICES, write_csv
from mri2mesh.evaluation.simulated_mri.by_kind import (
    ExamScore,
    KindFigures,
    describe_kinds,
    expected_vertebrae,
    kind_figures,
    score_exam,
)
from mri2mesh.evaluation.simulated_mri.kinds import KINDS, case_of_kind
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
from mri2mesh.synthesis.mr.targets import centres


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


def evaluate_kinds(
    folder: Path,
    kinds: Sequence[str],
    data: Path,
    *,
    each: int = 3,
    out: Path | None = None,
    device: str = "auto",
    weights_dir: Path | None = None,
) -> list[KindFigures]:
    """Measure ``each`` simulated exams of every kind (`kinds.KINDS`), slices of 4 mm; print a line for each kind.

    Exams that are not in ``folder`` yet are made there from the training data. With ``out`` also kinds.csv and
    vertebrae.csv. Raises InputError for a kind that there is not, or where data or weights are missing.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise InputError(f"there are no simulated exams called {kind!r}: choose from {', '.join(KINDS)}")
    models = load_models(device, weights_dir)
    scores: list[ExamScore] = []
    for kind, number in tqdm([(kind, n) for kind in kinds for n in range(each)], desc="exams"):
        path = folder / f"{kind.replace(' ', '_')}_{number:02d}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            case_of_kind(kind, number, data).save(path)
        case = SyntheticCase.load(path)
        volume = average_slices(case.image, "x", THICK)
        result, sound = engine_run(path.stem, THICK_SLICES, volume, models)
        seen = expected_vertebrae(c.name for c in centres(case.spine, case.image) if c.in_view)
        score = score_exam(kind, path.stem, result, case.spine.structures, seen)
        scores.append(score)
        right = sum(vertebra.named_rightly for vertebra in score.vertebrae)
        tqdm.write(
            f"{path.stem}: {len(score.vertebrae)} vertebrae, {right} named rightly, {sound.seconds:.0f} s"
        )
    rows = kind_figures(scores)
    print(describe_kinds(rows))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_csv([asdict(row) for row in rows], out / "kinds.csv")
        found = [asdict(vertebra) for score in scores for vertebra in score.vertebrae]
        if found:
            write_csv(found, out / "vertebrae.csv")
    return rows
