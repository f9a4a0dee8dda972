"""Fine-tuning from a researcher's folder: its layout, its messages, and learning from a few contoured slices."""

import json

import numpy as np
import pytest
import torch

from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.networks.mesh_net import MeshNet
from mri2mesh.engines.mri2mesh.training.labelled_folder import LabelledExam, read_labelled_folder
from mri2mesh.engines.mri2mesh.training.labelled_samples import LabelledLevel, LabelledSamples
from mri2mesh.engines.mri2mesh.training.labelled_step import LabelledStep
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.geometry.volume import Volume
from mri2mesh.geometry.voxelise import voxelise
from mri2mesh.imaging.volumes.crop import CropGrid
from mri2mesh.imaging.volumes.writing import write_volume

GRID = CropGrid(shape=(16, 24, 16), spacing=(6.0, 4.5, 4.5), lower=(-48.0, -78.0, -42.0))


def exam(labelled: list[int] | None = None) -> LabelledExam:
    """The template vertebra, 15% larger and 4 mm to the right, in 4 mm sagittal slices; labels on some of them."""
    graph = build_graphs()["level"]
    matrix = np.diag([4.0, 1.5, 1.5, 1.0])
    matrix[:3, 3] = [-50, -85, -50]
    empty = Volume(np.zeros((66, 85, 26), np.uint8), matrix)
    labels = np.zeros(empty.array.shape, np.uint8)
    for part, value in enumerate((22, 122)):  # L3 and the disc below it
        vertices = graph.vertices[graph.slices[part]].numpy() * 1.15 + np.array([4.0, 0, 0])
        labels[voxelise(Mesh(vertices, graph.faces_of(part).numpy()), empty)] = value
    image = Volume((labels > 0).astype(np.float32) + 0.01 * np.arange(26, dtype=np.float32), matrix)
    drawn = None
    if labelled is not None:
        drawn = np.zeros(26, bool)
        drawn[labelled] = True
        labels[:, :, ~drawn] = 0
    return LabelledExam("a", image, Volume(labels, matrix), drawn, bodies_only=False)


def write_exam(folder, made: LabelledExam) -> None:
    for kind, volume in (("images", made.image), ("labels", made.labels)):
        (folder / kind).mkdir(parents=True)
        write_volume(volume, folder / kind / "a.nii.gz")


def test_a_folder_is_read_as_its_layout_says(tmp_path):
    write_exam(tmp_path, exam([8, 13, 18]))
    (found,) = read_labelled_folder(tmp_path)
    assert found.name == "a"
    assert found.labelled is not None
    assert np.flatnonzero(found.labelled).tolist() == [8, 13, 18]
    assert not found.bodies_only


def test_settings_say_which_slices_were_drawn_on(tmp_path):
    write_exam(tmp_path, exam([8, 13, 18]))
    (tmp_path / "cases.json").write_text(json.dumps({"a": {"labelled_slices": [2, 13], "vertebrae": "body"}}))
    (found,) = read_labelled_folder(tmp_path)
    assert np.flatnonzero(found.labelled).tolist() == [2, 13]
    assert found.bodies_only


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"a": {"labelled_slices": [99]}}, "0 to 25"),
        ({"a": {"vertebrae": "most"}}, '"whole" or "body"'),
    ],
)
def test_wrong_settings_are_named(tmp_path, settings, message):
    write_exam(tmp_path, exam())
    (tmp_path / "cases.json").write_text(json.dumps(settings))
    with pytest.raises(InputError, match=message):
        read_labelled_folder(tmp_path)


def test_a_missing_label_map_is_named(tmp_path):
    write_exam(tmp_path, exam())
    (tmp_path / "labels" / "a.nii.gz").unlink()
    with pytest.raises(InputError, match=r"labels/a\.nii\.gz is missing"):
        read_labelled_folder(tmp_path)


def test_an_empty_folder_says_what_belongs_in_it(tmp_path):
    with pytest.raises(InputError, match="expected images"):
        read_labelled_folder(tmp_path)


def test_contours_on_every_fourth_slice_teach_size_and_place():
    """From silhouettes and depth in a quarter of the slices alone, the surface finds what was never drawn."""
    torch.manual_seed(0)
    graph = build_graphs()["level"]
    made = exam(list(range(1, 26, 4)))
    unseen = (torch.zeros(5, 20, 20, 20), np.diag([5.0, 5.0, 5.0, 1.0]))  # the image alone must do
    item = LabelledLevel(made, "L3", np.eye(4), unseen)
    samples = LabelledSamples([item], GRID, batch=1, seed=0)
    network, step = MeshNet(GRID, base_width=4, hidden=8, blocks=1), LabelledStep(graph)
    optimiser = torch.optim.Adam(network.pose.parameters(), 3e-3)
    batch = samples[0]
    first = None
    for _ in range(40):
        loss, _ = step(network, batch)
        first = first or float(loss.detach())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert float(loss.detach()) < 0.7 * first
