"""The training loop of every network: time-bounded, resumable, any device, averaged weights, metrics as it goes."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from mri2mesh.learning.muon import Muon, kernels_of
from mri2mesh.networks.layout import fast_module

Step = Callable[[nn.Module, Any], tuple[Tensor, dict[str, float]]]
"""A step takes the network and a batch and returns the loss and figures to write down."""


@dataclass(frozen=True)
class LoopOptions:
    """How long, where and how to train.

    minutes: wall-clock bound for this call. max_steps: stop there as well, counted over all calls (None: no bound).
    schedule_steps: steps over which the learning rate falls to a tenth along a cosine; resuming goes on along it.
    kernel_rate: learning rate of Muon for the kernels of convolutions; 0: AdamW for these too.
    cpu_bfloat16: mixed precision on the CPU too, which pays where the processor multiplies matrices of that type.
    examine: called with the averaged weights and the step every ``examine_every_s`` seconds and at the end, to
        measure the network on other data.
    """

    minutes: float
    out: Path
    device: str = "cpu"
    learning_rate: float = 1e-3
    kernel_rate: float = 0.0
    weight_decay: float = 1e-4
    schedule_steps: int = 4000
    max_steps: int | None = None
    ema_decay: float = 0.995
    resume: bool = False
    save_every_s: float = 120.0
    cpu_bfloat16: bool = False
    examine: Callable[[dict[str, Tensor], int], None] | None = None
    examine_every_s: float = 600.0


class Average:
    """Exponential moving average of a network's weights (Polyak): steadier than the last step's."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.state[name].lerp_(value, 1 - decay)
            else:
                self.state[name].copy_(value)


def multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for it; without them mixed precision is slower."""
    return bool(torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def train_loop(
    network: nn.Module, batches: Iterator[object], step: Step, options: LoopOptions
) -> dict[str, Tensor]:
    """Train until the time or the steps are up; returns the averaged weights, on the CPU.

    Writes ``metrics.jsonl`` (a line every 20 steps) and ``checkpoint.pt`` in ``options.out``; with ``resume`` the
    checkpoint there is continued. Mixed precision (bfloat16) on CUDA, on CPUs where asked for.
    """
    options.out.mkdir(parents=True, exist_ok=True)
    device = torch.device(options.device)
    network.to(device).train()
    fast_module(network, device)
    optimisers = _optimisers(network, options)
    average = Average(network, options.ema_decay)
    done = 0
    checkpoint = options.out / "checkpoint.pt"
    if options.resume and checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(saved["network"])
        kept = saved.get("optimisers", [])
        if len(kept) == len(optimisers):  # otherwise it goes on with another kind, which begins anew
            for optimiser, state in zip(optimisers, kept, strict=True):
                optimiser.load_state_dict(state)
        average.state = saved["average"]
        done = int(saved["step"])

    started = last_saved = last_examined = time.monotonic()
    limit = options.minutes * 60
    sums: dict[str, float] = {}
    counted = 0
    bar = tqdm(desc=options.out.name, initial=done, total=options.max_steps, unit="step", mininterval=5)
    with (options.out / "metrics.jsonl").open("a" if options.resume else "w") as log:
        while time.monotonic() - started < limit and (options.max_steps is None or done < options.max_steps):
            progress = min(done / options.schedule_steps, 1.0)
            falling = 0.1 + 0.45 * (1 + math.cos(math.pi * progress))
            for optimiser, full in zip(
                optimisers, (options.learning_rate, options.kernel_rate), strict=False
            ):
                for group in optimiser.param_groups:
                    group["lr"] = full * falling * min(1.0, (done + 1) / 100)  # a short warm-up
            mixed = device.type == "cuda" or (device.type == "cpu" and options.cpu_bfloat16)
            batch = next(batches)  # outside: samples drawn in this process need their full precision
            with torch.autocast(device.type, torch.bfloat16, enabled=mixed):
                loss, figures = step(network, batch)
            network.zero_grad(set_to_none=True)
            loss.backward()
            norm = nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            if not torch.isfinite(norm):
                continue  # one bad sample must not end hours of training
            for optimiser in optimisers:
                optimiser.step()
            done += 1
            average.update(network, done)
            for name, value in {"loss": float(loss.detach()), **figures}.items():
                sums[name] = sums.get(name, 0.0) + value
            counted += 1
            bar.update()
            if counted == 20:
                line = {name: value / counted for name, value in sums.items()}
                log.write(json.dumps({"step": done, "seconds": time.monotonic() - started, **line}) + "\n")
                log.flush()
                bar.set_postfix(loss=f"{line['loss']:.3f}")
                sums, counted = {}, 0
            if time.monotonic() - last_saved > options.save_every_s:
                _save(checkpoint, network, optimisers, average, done)
                last_saved = time.monotonic()
            if options.examine and time.monotonic() - last_examined > options.examine_every_s:
                options.examine(average.state, done)
                last_examined = time.monotonic()
    bar.close()
    _save(checkpoint, network, optimisers, average, done)
    if options.examine:
        options.examine(average.state, done)
    return {name: value.cpu() for name, value in average.state.items()}


def _optimisers(network: nn.Module, options: LoopOptions) -> list[torch.optim.Optimizer]:
    """AdamW, and Muon after it where it has kernels to train."""
    kernels = kernels_of(network) if options.kernel_rate else []
    apart = {id(kernel) for kernel in kernels}
    others = [value for value in network.parameters() if id(value) not in apart]
    adam = torch.optim.AdamW(others, options.learning_rate, weight_decay=options.weight_decay)
    return [adam, Muon(kernels, options.kernel_rate)] if kernels else [adam]


def _save(
    path: Path, network: nn.Module, optimisers: list[torch.optim.Optimizer], average: Average, step: int
) -> None:
    state = {
        "network": network.state_dict(),
        "optimisers": [optimiser.state_dict() for optimiser in optimisers],
        "average": average.state,
        "step": step,
    }
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    os.replace(temporary, path)
