"""``mri2mesh train``: which parts can be trained, and how each is put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from mri2mesh.device import choose_device
from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.deformation.models import (
    BASELINE,
    LOCALISER,
    PROFILES,
    SURFACES,
    load_localiser,
    load_mesh_net,
)
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM, WIDTHS, build_localiser
from mri2mesh.engines.mri2mesh.networks.mesh_net import MeshNet
from mri2mesh.engines.mri2mesh.networks.profile_net import PLACES, REACH_MM, ProfileNet
from mri2mesh.engines.mri2mesh.training.pool import CasePool
from mri2mesh.engines.mri2mesh.training.supervision import SUPERVISIONS
from mri2mesh.errors import InputError
from mri2mesh.imaging.volumes.crop import VERTEBRA_CROP
from mri2mesh.learning.curve import Examine, Validate, ValidationCurve
from mri2mesh.learning.loop import LoopOptions, train_loop
from mri2mesh.weights import load_safetensors, save_weights

FINE_TUNE = "mri2mesh-fine-tune"
VALIDATION_EVERY_S = 600.0
LICENCE = "CC BY-SA 4.0"
ORIGIN = "trained on synthetic MR made from the anatomy in ModelWeights/README.md"


@dataclass(frozen=True)
class TrainOptions:
    """What ``mri2mesh train`` was asked for. Cases are kept in ``cases`` and used by every part."""

    data: Path
    out: Path
    minutes: float = 60.0
    resume: bool = False
    device: str = "auto"
    seed: int = 0
    cases: Path | None = None
    n_cases: int = 400
    workers: int = 1
    batch: int | None = None
    steps: int | None = None
    schedule_steps: int | None = None
    learning_rate: float | None = None
    validation: Path | None = None
    supervision: str = "rendering"
    base_width: int = 16
    localiser: Path | None = None
    start_from: Path | None = None


class From(Sampler[int]):
    """Sample numbers from a first one on, without end."""

    def __init__(self, first: int) -> None:
        self.first = first

    def __iter__(self) -> Iterator[int]:
        n = self.first
        while True:
            yield n
            n += 1


def _batches(samples: Dataset, batch: int | None, first: int, loaders: int) -> Iterator[object]:
    loader: DataLoader = DataLoader(
        samples,
        batch_size=batch,
        sampler=From(first),
        num_workers=loaders,
        persistent_workers=loaders > 0,
        prefetch_factor=4 if loaders else None,
    )
    return iter(loader)


def _steps_done(options: TrainOptions) -> int:
    checkpoint = options.out / "checkpoint.pt"
    if not (options.resume and checkpoint.exists()):
        return 0
    return int(torch.load(checkpoint, map_location="cpu", weights_only=True)["step"])


def _loop_options(
    options: TrainOptions,
    learning_rate: float,
    schedule_steps: int,
    examine: Examine | None = None,
    cpu_bfloat16: bool = False,
) -> LoopOptions:
    return LoopOptions(
        minutes=options.minutes,
        out=options.out,
        device=str(choose_device(options.device)),
        learning_rate=options.learning_rate or learning_rate,
        schedule_steps=options.schedule_steps or schedule_steps,
        max_steps=options.steps,
        resume=options.resume,
        cpu_bfloat16=cpu_bfloat16,
        examine=examine,
        examine_every_s=VALIDATION_EVERY_S,
    )


def _curve(
    network: torch.nn.Module, validate: Validate | None, options: TrainOptions
) -> ValidationCurve | None:
    """``validation.csv`` in the folder of the run, where there is something to validate on."""
    if validate is None:
        return None
    return ValidationCurve(
        network, validate, options.out / "validation.csv", goes_on=_steps_done(options) > 0
    )


def _seeing(options: TrainOptions) -> torch.nn.Module | None:
    """The trained localiser whose view of the cases is learned from, where one was named."""
    return load_localiser(torch.device("cpu"), options.localiser)[0] if options.localiser else None


def _started(network: torch.nn.Module, name: str, options: TrainOptions) -> torch.nn.Module:
    """The network, filled with the weights it should go on from, where a folder of them was named."""
    if options.start_from:
        network.load_state_dict(load_safetensors(name, torch.device("cpu"), options.start_from))
    return network


def train_localiser(options: TrainOptions, pool: CasePool) -> None:
    from mri2mesh.engines.mri2mesh.training.localiser import LocaliserSamples, localiser_step
    from mri2mesh.engines.mri2mesh.training.validation import LocaliserValidation, validation_cases

    batch = options.batch or 2
    torch.manual_seed(options.seed)
    network = _started(build_localiser(), LOCALISER, options)
    batches = _batches(
        LocaliserSamples(pool, options.seed), batch, _steps_done(options) * batch, options.workers
    )
    validate = LocaliserValidation(validation_cases(options.validation)) if options.validation else None
    state = train_loop(
        network,
        batches,
        localiser_step,
        _loop_options(options, 5e-3, 4000, _curve(network, validate, options)),
    )
    _save(LOCALISER, state, options, {"widths": list(WIDTHS), "spacing_mm": list(SPACING_MM)})


def train_surfaces(options: TrainOptions, pool: CasePool) -> None:
    from mri2mesh.engines.mri2mesh.training.mesh_samples import MeshSamples
    from mri2mesh.engines.mri2mesh.training.mesh_step import MeshStep
    from mri2mesh.engines.mri2mesh.training.validation import SurfaceValidation, validation_cases

    if options.supervision not in SUPERVISIONS:
        raise InputError(f"--supervision {options.supervision}: use one of {', '.join(SUPERVISIONS)}")
    device = choose_device(options.device)
    torch.manual_seed(options.seed)
    network = _started(MeshNet(VERTEBRA_CROP, options.base_width), SURFACES, options)
    graphs = {name: graph.to(device) for name, graph in build_graphs().items()}
    step = MeshStep(graphs, SUPERVISIONS[options.supervision](), first=_steps_done(options))
    samples = MeshSamples(pool, VERTEBRA_CROP, options.batch or 4, options.seed, _seeing(options))
    batches = _batches(samples, None, _steps_done(options), options.workers)
    validate = None
    if options.validation:
        cases = validation_cases(options.validation)
        validate = SurfaceValidation(cases, graphs["level"], VERTEBRA_CROP, _seeing(options))
    state = train_loop(
        network, batches, step, _loop_options(options, 3e-3, 6000, _curve(network, validate, options))
    )
    name = SURFACES if options.supervision == "rendering" else f"{SURFACES}_{options.supervision}"
    config = {
        "base_width": options.base_width,
        "crop": asdict(VERTEBRA_CROP),
        "supervision": options.supervision,
    }
    _save(name, state, options, config)


def train_profiles(options: TrainOptions, pool: CasePool) -> None:
    from mri2mesh.engines.mri2mesh.training.profile_samples import ProfileSamples
    from mri2mesh.engines.mri2mesh.training.profile_step import profile_step
    from mri2mesh.engines.mri2mesh.training.profile_validation import ProfileValidation
    from mri2mesh.engines.mri2mesh.training.validation import validation_cases

    torch.manual_seed(options.seed)
    network = _started(ProfileNet(), PROFILES, options)
    graphs = build_graphs()
    cache = options.cases or options.out / "cases"
    samples = ProfileSamples(pool, cache / "levels", graphs, options.batch or 4096, options.seed)
    batches = _batches(samples, None, _steps_done(options), 0)
    validate = None
    if options.validation:
        validate = ProfileValidation(validation_cases(options.validation), graphs["level"])
    state = train_loop(
        network,
        batches,
        profile_step,
        _loop_options(options, 2e-3, 6000, _curve(network, validate, options), cpu_bfloat16=True),
    )
    _save(PROFILES, state, options, {"places": PLACES, "reach_mm": REACH_MM})


def train_baseline(options: TrainOptions, pool: CasePool) -> None:
    from mri2mesh.engines.mri2mesh.networks.baseline import build_baseline
    from mri2mesh.engines.mri2mesh.training.baseline import BaselineSamples, baseline_step

    torch.manual_seed(options.seed)
    network = _started(build_baseline(), BASELINE, options)
    samples = BaselineSamples(pool, VERTEBRA_CROP, options.batch or 4, options.seed, _seeing(options))
    batches = _batches(samples, None, _steps_done(options), options.workers)
    state = train_loop(network, batches, baseline_step, _loop_options(options, 5e-3, 6000))
    _save(BASELINE, state, options, {"crop": asdict(VERTEBRA_CROP)})


PARTS: dict[str, Callable[[TrainOptions, CasePool], None]] = {
    "mri2mesh-localiser": train_localiser,
    "mri2mesh-surfaces": train_surfaces,
    "mri2mesh-profiles": train_profiles,
    "baseline-unet": train_baseline,
}


def fine_tune(options: TrainOptions) -> None:
    """Go on from the shipped surface network with a folder of labelled exams (`labelled_folder`).

    Raises InputError when the folder's layout is wrong or no labelled vertebra is found in it.
    """
    from mri2mesh.engines.mri2mesh.training.labelled_folder import read_labelled_folder
    from mri2mesh.engines.mri2mesh.training.labelled_samples import LabelledSamples, labelled_levels
    from mri2mesh.engines.mri2mesh.training.labelled_step import LabelledStep

    device = choose_device(options.device)
    exams = read_labelled_folder(options.data)
    localiser, _ = load_localiser(torch.device("cpu"))
    network, entry = load_mesh_net(SURFACES, device)
    samples = LabelledSamples(
        labelled_levels(exams, localiser), network.grid, options.batch or 2, options.seed
    )
    step = LabelledStep(build_graphs()["level"].to(device))
    batches = _batches(samples, None, _steps_done(options), options.workers)
    state = train_loop(network, batches, step, _loop_options(options, 1e-4, 1000))
    _save(SURFACES, state, options, {**entry.metadata, "supervision": "rendering of labelled exams"})


def train(part: str, options: TrainOptions) -> None:
    """Train one part; writes checkpoint, metrics and the averaged weights with their manifest into ``options.out``.

    Raises InputError for an unknown part or training data that are not there.
    """
    if part == FINE_TUNE:
        fine_tune(options)
        return
    if part not in PARTS:
        raise InputError(f"nothing to train is called {part!r}: use one of {', '.join((*PARTS, FINE_TUNE))}")
    cases = options.cases or options.out / "cases"
    pool = CasePool(cases, options.data, options.n_cases, options.seed, options.workers)
    try:
        PARTS[part](options, pool)
    finally:
        pool.close()


def _save(name: str, state: dict[str, torch.Tensor], options: TrainOptions, config: dict) -> None:
    save_weights(
        name,
        state,
        folder=options.out,
        licence=LICENCE,
        origin=ORIGIN,
        engine="mri2mesh",
        created_by="mri2mesh train",
        metadata=config,
    )
