"""The curve on left-out data: the averaged weights, measured aside, from the first step to the last."""

import csv

import pytest
import torch
from torch import nn

from learning.test_loop import line_fit_batches, network, options, squared_error
from mri2mesh.learning.curve import ValidationCurve
from mri2mesh.learning.loop import train_loop


def test_validation_is_written_as_it_goes_with_the_averaged_weights(tmp_path):
    def weight(net: nn.Module) -> dict[str, float]:
        assert not net.training
        return {"weight": float(net.weight)}

    started = network()
    before = float(started.weight.detach())
    curve = ValidationCurve(started, weight, tmp_path / "validation.csv")
    state = train_loop(
        started,
        line_fit_batches(),
        squared_error,
        options(tmp_path, max_steps=50, examine=curve, examine_every_s=0.0),
    )
    rows = list(csv.DictReader((tmp_path / "validation.csv").open()))
    assert [rows[0]["step"], rows[-1]["step"]] == ["0", "50"]
    assert len(rows) >= 50
    assert float(rows[0]["weight"]) == pytest.approx(before, rel=1e-3)
    assert float(rows[-1]["weight"]) == pytest.approx(float(state["weight"]), rel=1e-3)
    assert started.training


def test_a_resumed_run_goes_on_with_its_file(tmp_path):
    path = tmp_path / "validation.csv"
    path.write_text("step,weight\n7,1\n")
    net = nn.Linear(1, 1)
    curve = ValidationCurve(net, lambda n: {"weight": float(n.weight)}, path, goes_on=True)
    curve({name: torch.ones_like(value) for name, value in net.state_dict().items()}, 9)
    assert path.read_text().splitlines() == ["step,weight", "7,1", "9,1"]
