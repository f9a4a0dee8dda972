"""Training of 3DDX: new films all along, others' films for validation, wrong requests refused."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.hip_region import BONES
from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.engines.ddx.networks.stored import new_network
from mri2mesh.engines.ddx.training.batches import batches, make_batch
from mri2mesh.engines.ddx.training.films import add_films
from mri2mesh.engines.ddx.training.run import LEFT_OUT, DdxTrainOptions, train_ddx
from mri2mesh.engines.ddx.training.validation import validation_of
from mri2mesh.engines.dense_maps.network import Maps
from mri2mesh.engines.dense_maps.training.step import MapsStep
from mri2mesh.engines.dense_maps.training.validation import figures
from mri2mesh.errors import InputError
from mri2mesh.learning.loop import LoopOptions, train_loop
from mri2mesh.learning.ring import FileRing
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.posed_region import RegionMaker
from mri2mesh.synthesis.films.region_shapes import RegionShapes, _aligned_femora, _centred


@pytest.fixture(scope="module")
def shapes() -> RegionShapes:
    joint = read_shape_model("pelvis_femur")
    limbs = joint.vertices(joint.scores[:4])
    count = int(min(joint.part_vertices("femur_left")))
    pelves = np.stack([_centred(limb[:count], joint) for limb in limbs]).astype(np.float32)
    femora = _aligned_femora(limbs[:, joint.part_vertices("femur_left")], joint).astype(np.float32)
    names = joint.subjects[:4]
    return RegionShapes(pelves, femora, names, names, ("limb",) * 4, joint, np.arange(9))


@pytest.fixture(scope="module")
def films(shapes: RegionShapes, tmp_path_factory) -> FileRing:
    ring = FileRing(tmp_path_factory.mktemp("films"), 2)
    add_films(ring, RegionMaker(shapes, None), 0)
    return ring


def test_the_oldest_films_make_room_for_the_newest(shapes: RegionShapes, films: FileRing):
    made = films.made()
    assert made >= 2
    assert len(list(films.folder.glob("film_*.npz"))) == 2
    before = films.path(made % 2).read_bytes()
    add_films(films, RegionMaker(shapes, None), 0)
    assert films.made() > made  # counted on, not begun again
    assert films.path(made % 2).read_bytes() != before


def test_every_use_of_a_film_is_another_film_with_the_same_truth(films: FileRing):
    case = FilmCase.load(films.path(0))
    first, second = (make_batch([case], np.random.default_rng(seed)) for seed in (1, 2))
    assert not torch.equal(first.film, second.film)
    for batch in (first, second):
        depth = batch.log_depth.exp() * batch.reference_mm[:, None, None, None, None]
        true = torch.from_numpy(case.truth.depth)[None]
        on = batch.mask[:, :, None].expand_as(depth)
        torch.testing.assert_close(depth[on], true[on], rtol=1e-5, atol=0.01)


def test_perfect_maps_score_perfectly_and_shifted_ones_by_their_shift(films: FileRing):
    batch = make_batch([FilmCase.load(films.path(0))], np.random.default_rng(0))
    logits = batch.mask.float() * 20 - 10
    perfect = figures(Maps(logits, batch.log_depth, batch.canonical), batch, BONES)
    assert perfect["depth_mm"] < 1e-3
    assert perfect["canonical_mm"] < 1e-3
    assert min(value for name, value in perfect.items() if name.startswith("dice") and value == value) == 1.0
    reference = batch.reference_mm[:, None, None, None, None]
    deeper = torch.log(batch.log_depth.exp() + 10.0 / reference)
    shifted = figures(Maps(logits, deeper, batch.canonical), batch, BONES)
    assert shifted["depth_mm"] == pytest.approx(10.0, abs=0.05)
    assert shifted["depth_shifted_mm"] < 0.05


def test_training_writes_a_curve_of_other_films_and_can_be_taken_up(films: FileRing, tmp_path: Path):
    case = FilmCase.load(films.path(0))

    def endless():
        rng = np.random.default_rng(0)
        while True:
            yield make_batch([case], rng)

    for steps, resume in ((1, False), (2, True)):
        network = new_network((16, 16, 16, 16, 16))
        validation = validation_of(network, [FilmCase.load(films.path(1))], tmp_path, 64)
        options = LoopOptions(minutes=1.0, out=tmp_path, max_steps=steps, resume=resume, examine=validation)
        train_loop(network, endless(), MapsStep(), options)
    with (tmp_path / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert float(rows[0]["depth_mm"]) > 0


def test_a_loss_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="use one of dependent, independent, single"):
        train_ddx(DdxTrainOptions(data=tmp_path, out=tmp_path, loss="best"))


def test_a_number_of_pixels_that_does_not_fit_the_network_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="multiple of 32"):
        train_ddx(DdxTrainOptions(data=tmp_path, out=tmp_path, pixels=100))


def test_batches_are_parts_of_films_at_the_size_that_is_asked_for(films: FileRing):
    case = FilmCase.load(films.path(0))
    drawn = batches(lambda rng: case, 2, 0, 96)
    sizes = {tuple(batch.film.shape[-2:]) for batch in islice(drawn, 8)}
    assert sizes == {(96, 96), (64, 96)}


def test_left_out_subjects_exist_in_the_sources():
    limbs, atlas = read_shape_model("pelvis_femur").subjects, read_shape_model("pelvis").subjects
    assert {name for name in LEFT_OUT if name.startswith("limb")} <= set(limbs)
    assert {name for name in LEFT_OUT if name.startswith("atlas")} <= set(atlas)
