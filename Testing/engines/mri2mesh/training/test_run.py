"""The shipped training command on two real synthetic cases: it runs, resumes, repeats itself, and its weights load."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mri2mesh import cli
from mri2mesh.engines.mri2mesh.deformation.models import (
    LOCALISER,
    PROFILES,
    load_localiser,
    load_profiles,
)
from mri2mesh.engines.mri2mesh.networks.localiser import WIDTHS, build_localiser
from mri2mesh.engines.mri2mesh.training.pool import CasePool
from mri2mesh.engines.mri2mesh.training.run import TrainOptions, train
from mri2mesh.errors import InputError
from mri2mesh.weights import load_safetensors, save_weights


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory, training_data: Path) -> Path:
    """A folder of two cases, made once by the pool's own worker."""
    folder = tmp_path_factory.mktemp("cases")
    pool = CasePool(folder, training_data, n_cases=2, seed=3, workers=1)
    for index in range(2):
        assert pool.load(index).spine.structures
    pool.close()
    return folder


def options(out: Path, cases: Path, **changes: object) -> TrainOptions:
    settings = {
        "minutes": 5.0,
        "device": "cpu",
        "n_cases": 2,
        "workers": 0,
        "batch": 1,
        "steps": 2,
        "seed": 3,
    }
    return TrainOptions(data=cases, out=out, cases=cases, **{**settings, **changes})


def test_the_localiser_trains_resumes_and_its_weights_load(tmp_path, cases):
    train("mri2mesh-localiser", options(tmp_path, cases))
    train("mri2mesh-localiser", options(tmp_path, cases, steps=3, resume=True, validation=cases))
    (row,) = csv.DictReader((tmp_path / "validation.csv").open())
    assert row["step"] == "3"
    assert all(np.isfinite(float(row[name])) for name in ("dice_body", "width_mm", "depth_mm", "height_mm"))
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 3
    network, entry = load_localiser(torch.device("cpu"), tmp_path)
    assert entry.name == LOCALISER
    assert not network.training


def test_training_starts_from_weights_of_the_same_part(tmp_path, cases):
    train("mri2mesh-localiser", options(tmp_path / "first", cases, steps=1))
    train("mri2mesh-localiser", options(tmp_path / "second", cases, steps=0, start_from=tmp_path / "first"))
    before, after = (load_safetensors(LOCALISER, weights_dir=tmp_path / run) for run in ("first", "second"))
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_a_localiser_of_another_voxel_size_is_not_used(tmp_path):
    network = build_localiser()
    kept = {"widths": list(WIDTHS), "spacing_mm": [5.0, 3.0, 3.0]}
    save_weights(
        LOCALISER,
        network.state_dict(),
        folder=tmp_path,
        licence="MIT",
        origin="untrained",
        engine="mri2mesh",
        created_by="a test",
        metadata=kept,
    )
    with pytest.raises(InputError, match="voxel size"):
        load_localiser(torch.device("cpu"), tmp_path)


@pytest.mark.parametrize("supervision", ["rendering", "chamfer"])
def test_surfaces_train_by_either_supervision_and_the_same_seed_repeats_itself(tmp_path, cases, supervision):
    states = []
    for run in ("a", "b"):
        train("mri2mesh-surfaces", options(tmp_path / run, cases, supervision=supervision))
        (name,) = json.loads((tmp_path / run / "manifest.json").read_text())["weights"]
        states.append(load_safetensors(name["name"], weights_dir=tmp_path / run))
    # Convolutions on several threads may round otherwise from run to run, and Adam turns a rounding of a gradient that
    # is nothing into a step: of other samples or another start, hardly a weight would be the same.
    first, second = (torch.cat([state[key].flatten().float() for key in states[0]]) for state in states)
    assert ((first - second).abs() < 1e-4).float().mean() > 0.99


def test_the_baseline_trains_on_the_same_cases(tmp_path, cases):
    train("baseline-unet", options(tmp_path, cases, steps=1))
    assert (tmp_path / "baseline_unet.safetensors").is_file()


def test_an_unknown_part_lists_the_right_ones(tmp_path):
    with pytest.raises(InputError, match="mri2mesh-localiser"):
        train("everything", TrainOptions(data=tmp_path, out=tmp_path))


def test_a_missing_data_folder_is_bad_usage(tmp_path, capsys):
    status = cli.main(
        ["train", "mri2mesh-localiser", "--data", str(tmp_path / "none"), "--out", str(tmp_path / "o")]
    )
    assert status == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_profiles_train_go_on_and_their_weights_load(tmp_path, cases):
    train("mri2mesh-profiles", options(tmp_path, cases, batch=256))
    train("mri2mesh-profiles", options(tmp_path, cases, batch=256, steps=3, resume=True, validation=cases))
    (row,) = csv.DictReader((tmp_path / "validation.csv").open())
    assert row["step"] == "3"
    assert all(np.isfinite(float(row[name])) for name in ("body_normal_mm", "left_mm", "width_sd_mm"))
    _, entry = load_profiles(torch.device("cpu"), tmp_path)
    assert entry.name == PROFILES
