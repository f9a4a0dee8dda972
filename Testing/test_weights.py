"""Weights: what is saved comes back; what was altered is refused; nothing is unpickled."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch

from anatomy.toy_shapes import stretching_ball
from mri2mesh import weights
from mri2mesh.anatomy.shape_models.file import read_shape_model, write_shape_model
from mri2mesh.errors import InputError
from mri2mesh.weights_import import import_weights
from mri2mesh.weights_manifest import MANIFEST, read_manifest


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "conv.weight": torch.randn(4, 3, 3, generator=generator),
        "bn.num_batches_tracked": torch.tensor(12),
    }


def save(
    folder: Path, state: dict[str, torch.Tensor], name: str = "small", **options: object
) -> weights.WeightsEntry:
    return weights.save_weights(name, state, folder=folder, licence="MIT", origin="a test", **options)


def test_saved_weights_come_back_to_half_precision(tmp_path, state):
    save(tmp_path, state)
    loaded = weights.load_safetensors("small", weights_dir=tmp_path)
    assert loaded["conv.weight"].dtype == torch.float32
    torch.testing.assert_close(loaded["conv.weight"], state["conv.weight"], rtol=2**-11, atol=0)
    assert loaded["bn.num_batches_tracked"].item() == 12


def test_single_precision_comes_back_exactly(tmp_path, state):
    save(tmp_path, state, half=False)
    assert torch.equal(
        weights.load_safetensors("small", weights_dir=tmp_path)["conv.weight"], state["conv.weight"]
    )


def test_numbers_that_half_precision_cannot_hold_stay_single(tmp_path):
    state = {"large": torch.tensor([1e6, -3e5]), "tiny": torch.tensor([1e-9, 2e-9])}
    save(tmp_path, state)
    loaded = weights.load_safetensors("small", weights_dir=tmp_path)
    assert torch.equal(loaded["large"], state["large"])
    assert torch.equal(loaded["tiny"], state["tiny"])


def test_half_precision_halves_the_file(tmp_path):
    state = {"weight": torch.ones(10_000)}
    whole = save(tmp_path, state, "whole", half=False).path.stat().st_size
    half = save(tmp_path, state, "half").path.stat().st_size
    assert half < 0.52 * whole


def test_views_and_tied_tensors_are_saved(tmp_path):
    base = torch.arange(12.0).reshape(3, 4)
    save(tmp_path, {"a": base, "tied": base, "view": base.T})
    assert torch.equal(weights.load_safetensors("small", weights_dir=tmp_path)["view"], base.T)


def test_diverged_weights_are_not_saved(tmp_path, state):
    state["conv.weight"][0, 0, 0] = float("nan")
    with pytest.raises(InputError, match=r"conv\.weight is not finite"):
        save(tmp_path, state)
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_says_what_the_file_is(tmp_path, state):
    entry = save(tmp_path, state, engine="mri2mesh", created_by="mri2mesh train", metadata={"width": 16})
    found = weights.find("small", weights_dir=tmp_path)
    assert found == entry
    assert found.metadata == {"width": 16}
    assert found.provenance() == {"name": "small", "sha256": entry.sha256, "licence": "MIT"}


def test_saving_again_replaces_one_line_and_keeps_the_others(tmp_path, state):
    save(tmp_path, state, "first")
    save(tmp_path, state, "second")
    save(tmp_path, {"other": torch.ones(2)}, "first")
    assert sorted(read_manifest(tmp_path)) == ["first", "second"]
    assert list(weights.load_safetensors("first", weights_dir=tmp_path)) == ["other"]
    assert {path.name for path in tmp_path.iterdir()} == {MANIFEST, "first.safetensors", "second.safetensors"}


def test_one_flipped_bit_is_refused(tmp_path, state):
    path = save(tmp_path, state).path
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="refused"):
        weights.load_safetensors("small", weights_dir=tmp_path)


def test_a_missing_file_and_a_missing_name_are_distinguished(tmp_path, state):
    save(tmp_path, state).path.unlink()
    with pytest.raises(InputError, match=r"small\.safetensors is missing"):
        weights.load_safetensors("small", weights_dir=tmp_path)
    with pytest.raises(InputError, match="no weights named 'other'"):
        weights.load_safetensors("other", weights_dir=tmp_path)


def test_a_named_folder_must_exist(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        weights.find("small", weights_dir=tmp_path / "nowhere")


def test_the_environment_names_the_only_folder_searched(tmp_path, state, monkeypatch):
    monkeypatch.setattr(weights, "shipped_folder", lambda: tmp_path / "shipped")
    save(weights.shipped_folder(), state, "shipped")
    (tmp_path / "mine").mkdir()
    assert weights.find("shipped").licence == "MIT"
    monkeypatch.setenv("MRI2MESH_WEIGHTS", str(tmp_path / "mine"))
    with pytest.raises(InputError, match="no weights named 'shipped'"):
        weights.find("shipped")


def test_imported_weights_come_before_the_shipped_until_deleted(tmp_path, state, monkeypatch):
    monkeypatch.setattr(weights, "shipped_folder", lambda: tmp_path / "shipped")
    shipped = save(tmp_path / "shipped", state)
    mine = save(tmp_path / "mine", {"conv.weight": torch.zeros(2)})
    import_weights(tmp_path / "mine")
    assert weights.find("small") == mine
    assert weights.find("small").folder == weights.user_folder()
    weights.delete_weights("small")
    assert weights.find("small") == shipped
    assert not (weights.user_folder() / "small.safetensors").exists()
    with pytest.raises(InputError, match="came with the library and stay"):
        weights.delete_weights("small")
    assert shipped.path.is_file()


def test_a_file_without_a_manifest_is_imported_with_what_the_user_states(tmp_path, state):
    save(tmp_path, state)
    (tmp_path / MANIFEST).unlink()
    import_weights(tmp_path / "small.safetensors", licence="CC0-1.0", origin="my clinic")
    entry = weights.find("small")
    assert (entry.licence, entry.origin) == ("CC0-1.0", "my clinic")
    assert torch.equal(weights.load_safetensors("small")["bn.num_batches_tracked"], torch.tensor(12))


def test_a_pickle_is_refused_and_never_run(tmp_path):
    class Payload:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))

    (tmp_path / "evil.safetensors").write_bytes(pickle.dumps(Payload()))
    with pytest.raises(InputError, match="not a safetensors file"):
        import_weights(tmp_path / "evil.safetensors")
    assert not (tmp_path / "ran").exists()
    assert not weights.user_folder().exists()


def test_a_shape_model_is_imported_as_one_and_a_damaged_one_is_not(tmp_path):
    path = write_shape_model(stretching_ball(), tmp_path / "shape_ball.npz")
    import_weights(path, licence="CC0-1.0", origin="geometry")
    assert weights.find("shape_ball").file == "shape_ball.npz"
    assert read_shape_model("ball").name == "ball"
    (tmp_path / "shape_bad.npz").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="not a shape model"):
        import_weights(tmp_path / "shape_bad.npz")


def test_an_altered_folder_imports_nothing(tmp_path, state):
    save(tmp_path, state, "good")
    save(tmp_path, state, "bad").path.write_bytes(b"cut")
    with pytest.raises(InputError, match="refused"):
        import_weights(tmp_path)
    assert not weights.user_folder().exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": 1}',
        '{"format": 1, "weights": [{"name": "x"}]}',
        '{"format": 99, "weights": []}',
        '{"format": 1, "weights": [7]}',
    ],
)
def test_a_broken_manifest_is_one_clear_line(tmp_path, text):
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(InputError, match=MANIFEST) as caught:
        weights.find("small", weights_dir=tmp_path)
    assert "\n" not in str(caught.value)


def test_a_manifest_cannot_name_a_file_elsewhere(tmp_path, state):
    save(tmp_path, state)
    content = json.loads((tmp_path / MANIFEST).read_text())
    content["weights"][0]["file"] = "../secret"
    (tmp_path / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(InputError, match="cannot name weights"):
        weights.find("small", weights_dir=tmp_path)


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "nul\0"])
def test_names_that_are_no_file_names_are_refused(tmp_path, state, name):
    with pytest.raises(InputError, match="cannot name weights"):
        save(tmp_path / "inner", state, name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path, state):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot make the folder"):
        save(tmp_path / "file" / "folder", state)
