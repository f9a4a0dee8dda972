"""The training loop: learns, stops on time, goes on where it stopped, repeats itself for the same seed."""

import json

import torch
from torch import nn

from mri2mesh.learning.loop import LoopOptions, train_loop


def line_fit_batches(seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    while True:
        x = torch.randn(16, 1, generator=generator)
        yield x, 3 * x - 1


def squared_error(network, batch):
    x, y = batch
    return (network(x) - y).square().mean(), {}


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Linear(1, 1)


def options(tmp_path, **changes) -> LoopOptions:
    return LoopOptions(
        **{"minutes": 1.0, "out": tmp_path, "max_steps": 400, "learning_rate": 0.05, **changes}
    )


def test_it_learns_a_line_and_returns_the_averaged_weights(tmp_path):
    state = train_loop(network(), line_fit_batches(), squared_error, options(tmp_path, ema_decay=0.9))
    assert abs(float(state["weight"]) - 3) < 0.05
    assert abs(float(state["bias"]) + 1) < 0.05


def test_figures_are_written_as_it_goes(tmp_path):
    train_loop(network(), line_fit_batches(), squared_error, options(tmp_path, max_steps=60))
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [20, 40, 60]
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_it_stops_when_the_time_is_up(tmp_path):
    train_loop(network(), line_fit_batches(), squared_error, options(tmp_path, minutes=0.01, max_steps=None))
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert saved["step"] > 0


def test_a_run_in_two_parts_ends_where_one_run_does(tmp_path):
    whole = train_loop(
        network(), line_fit_batches(), squared_error, options(tmp_path / "whole", max_steps=40)
    )
    batches = line_fit_batches()
    train_loop(network(), batches, squared_error, options(tmp_path / "parts", max_steps=25))
    torch.manual_seed(99)  # the fresh network that a resumed run starts with is another one
    parts = train_loop(
        nn.Linear(1, 1), batches, squared_error, options(tmp_path / "parts", max_steps=40, resume=True)
    )
    for name in whole:
        assert torch.allclose(whole[name], parts[name], atol=1e-6)


def test_a_batch_with_an_infinite_loss_is_passed_over(tmp_path):
    def sometimes_infinite(net, batch):
        loss, figures = squared_error(net, batch)
        return (loss * float("inf") if float(batch[0][0]) > 1.5 else loss), figures

    state = train_loop(network(), line_fit_batches(), sometimes_infinite, options(tmp_path, max_steps=50))
    assert all(torch.isfinite(value).all() for value in state.values())


def blurs():
    """Images and what a kernel that is looked for makes of them."""
    generator = torch.Generator().manual_seed(3)
    kernel = torch.randn(4, 2, 3, 3, generator=generator)
    while True:
        x = torch.randn(2, 2, 12, 12, generator=generator)
        yield x, nn.functional.conv2d(x, kernel)


def convolution() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.Conv2d(4, 4, 1))


def test_kernels_learn_by_muon_and_a_run_in_two_parts_ends_where_one_run_does(tmp_path):
    rates = {"learning_rate": 0.01, "kernel_rate": 0.05, "schedule_steps": 400}
    state = train_loop(
        convolution(), blurs(), squared_error, options(tmp_path / "w", max_steps=400, ema_decay=0.9, **rates)
    )
    trained = convolution()
    trained.load_state_dict(state)
    x, y = next(blurs())
    untrained = float((convolution()(x) - y).square().mean())
    assert float((trained(x) - y).square().mean()) < 0.02 * untrained
    batches = blurs()
    train_loop(convolution(), batches, squared_error, options(tmp_path / "p", max_steps=150, **rates))
    resumed = options(tmp_path / "p", max_steps=400, ema_decay=0.9, resume=True, **rates)
    parts = train_loop(convolution(), batches, squared_error, resumed)
    assert torch.allclose(parts["0.weight"], state["0.weight"], atol=0.02)


def test_a_run_goes_on_with_another_optimiser(tmp_path):
    train_loop(convolution(), blurs(), squared_error, options(tmp_path, max_steps=20))
    train_loop(
        convolution(),
        blurs(),
        squared_error,
        options(tmp_path, max_steps=40, resume=True, kernel_rate=0.02),
    )
    saved = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert saved["step"] == 40
    assert len(saved["optimisers"]) == 2


def test_samples_are_drawn_in_full_precision_where_the_step_is_not(tmp_path):
    """A place 100.25 mm away, drawn as the loop asks for it, must not be rounded to half a millimetre."""
    places = []

    def batches():
        for x, y in line_fit_batches():
            places.append(torch.tensor([[100.25]]) @ torch.eye(1))
            yield x, y

    train_loop(network(), batches(), squared_error, options(tmp_path, max_steps=1, cpu_bfloat16=True))
    assert float(places[0]) == 100.25
