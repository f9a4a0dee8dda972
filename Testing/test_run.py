"""One run: a GPU that is full, what is cached for the next, and errors in one line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
import torch
from trimesh.creation import icosphere

from mri2mesh import run as run_module
from mri2mesh import weights
from mri2mesh.anatomy.structures import STRUCTURES
from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.model_cache import ModelCache, no_cache
from mri2mesh.errors import InputError, ReconstructionRefused, explain, is_out_of_memory
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.reconstruction import ReconstructedStructure, Reconstruction
from mri2mesh.request import Request
from mri2mesh.run import GPU_FULL, run
from mri2mesh.weights_import import import_weights


@pytest.fixture
def image(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).normal(100, 20, (12, 30, 30)).astype(np.float32)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(noise), str(tmp_path / "noise.nii.gz"))
    return tmp_path / "noise.nii.gz"


@dataclass
class HungryEngine:
    """A ball called L3, for which every device but the CPU has too little memory."""

    devices: list[str] = field(default_factory=list)

    def reconstruct(self, volume: Volume, *, device: str, **options: object) -> Reconstruction:
        self.devices.append(device)
        if device != "cpu":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        ball = icosphere(subdivisions=2, radius=5.0)
        middle = volume.ras_from_ijk((np.array(volume.array.shape[::-1]) - 1) / 2)
        mesh = Mesh(ball.vertices + middle, ball.faces)
        ones = np.ones(len(mesh.vertices), np.float32)
        return Reconstruction("ball", [ReconstructedStructure(STRUCTURES["L3"], mesh, ones, ones)])


@pytest.fixture
def hungry(monkeypatch: pytest.MonkeyPatch) -> HungryEngine:
    engine = HungryEngine()
    monkeypatch.setattr(Engine, "load", lambda declared: engine.reconstruct)
    return engine


def test_a_full_gpu_leaves_the_work_to_the_cpu_and_the_report_says_so(hungry, image, tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "choose_device", lambda name: torch.device("cuda"))
    warnings: list[str] = []
    result = run(Request((image,), tmp_path / "out"), warn=warnings.append)
    assert hungry.devices == ["auto", "cpu"]
    assert warnings == result.warnings == [GPU_FULL]
    assert GPU_FULL in json.loads((tmp_path / "out" / "report.json").read_text())["warnings"]


def test_a_full_memory_is_no_reason_to_try_again_where_the_cpu_was_at_work(
    hungry, image, tmp_path, monkeypatch
):
    monkeypatch.setattr(run_module, "choose_device", lambda name: torch.device("cpu"))
    with pytest.raises(torch.OutOfMemoryError):
        run(Request((image,), tmp_path / "out"))
    assert hungry.devices == ["auto"]
    assert not (tmp_path / "out").exists()


def too_much_for_torch() -> None:
    torch.empty(2**55)


def too_much_for_numpy() -> None:
    np.empty(2**55)


@pytest.mark.parametrize("too_much", [too_much_for_torch, too_much_for_numpy])
def test_memory_that_ran_out_is_reported_as_such(too_much):
    with pytest.raises((MemoryError, RuntimeError)) as raised:
        too_much()
    assert is_out_of_memory(raised.value)
    kind, message = explain(raised.value)
    assert kind == "memory"
    assert "smaller or coarser image" in message


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (InputError("two\nlines"), "input", "two lines"),
        (ReconstructionRefused("no spine"), "refused", "no spine"),
        (OSError(28, "No space left on device", "/home/DOE"), "input", "No space left"),
        (
            ModuleNotFoundError("No module named 'torch.x'", name="torch.x"),
            "internal",
            "package 'torch' is not",
        ),
        (KeyError("/home/DOE"), "internal", "KeyError"),
        (RuntimeError("the memory of /home/DOE"), "internal", "RuntimeError"),
    ],
)
def test_every_error_is_one_line_that_names_no_file(error, kind, says):
    try:
        raise error
    except Exception as raised:
        found, message = explain(raised)
    assert found == kind
    assert says in message
    assert "DOE" not in message
    assert "\n" not in message


def test_what_was_loaded_is_loaded_once_and_only_the_last_few_are_kept():
    loaded: list[str] = []

    def load(name: str) -> list[str]:
        loaded.append(name)
        return [name]

    cache = ModelCache(at_most=2)
    assert cache(load, "a") is cache(load, "a")
    for name in ("b", "a", "c", "a", "b"):
        assert cache(load, name) == [name]
    assert loaded == ["a", "b", "c", "b"]
    cache.clear()
    assert no_cache(load, "b") == cache(load, "b") == ["b"]
    assert loaded[4:] == ["b", "b"]


def test_imported_weights_are_not_missed_by_what_is_cached(tmp_path):
    cache = ModelCache()
    first = cache(list, (1,))
    weights.save_weights("mine", {"w": torch.ones(3)}, folder=tmp_path, licence="CC0-1.0", origin="a test")
    import_weights(tmp_path)
    assert cache(list, (1,)) is not first


@pytest.mark.parametrize(
    ("engine", "wrong", "says"),
    [
        (None, {"anatomy": "L3"}, "no use for --anatomy"),
        (None, {"cameras": (Path("c.json"),)}, "no use for --camera"),
        (None, {"start": Path(".")}, "no use for --start"),
        (None, {"level_shift": 7}, "--level-shift must be a whole number from -6 to 6, not 7"),
        (None, {"levle_shift": 1}, "no engine has an option 'levle_shift'"),
        (None, {"level": "L3@1,2,3", "level_shift": 1}, "give either --level or --level-shift"),
        ("xray-fit", {"weights_dir": Path(".")}, "no use for --weights"),
        ("xray-fit", {"level_shift": 1}, "no use for --level-shift"),
        ("xray-fit", {}, "the engine xray-fit needs --anatomy pelvis|"),
        ("xray-fit", {"anatomy": "skull"}, "--anatomy must be one of pelvis, .*, not 'skull'"),
        ("xray-fit", {"anatomy": "L3", "cameras": (None, None)}, "one --camera per image"),
        ("xray-fit", {"anatomy": "L3", "frames": (1, 1)}, "one --frame for all images, or one per image"),
    ],
)
def test_an_option_that_is_of_no_use_is_refused(image, tmp_path, engine, wrong, says):
    with pytest.raises(InputError, match=says.replace("|", r"\|")):
        run(Request((image,), tmp_path / "out", engine, options=wrong))
    assert not (tmp_path / "out").exists()
