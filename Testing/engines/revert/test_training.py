"""Training of the points: films and paired data in, weights and a curve out; wrong requests refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from mri2mesh.anatomy.lumbar_region import VERTEBRAE
from mri2mesh.anatomy.shapes import VertebraShapes
from mri2mesh.cli import main
from mri2mesh.datasets.revert import write_revert
from mri2mesh.datasets.vertebra_id import VertebraId
from mri2mesh.engines.revert.crop import decode, encode
from mri2mesh.engines.revert.networks.points_net import PointsNet
from mri2mesh.engines.revert.training.examples import film_batches, film_examples
from mri2mesh.engines.revert.training.films import fill_with_films
from mri2mesh.engines.revert.training.validation import chamfer_mm, figures
from mri2mesh.learning.ring import FileRing
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.develop import Appearance
from mri2mesh.synthesis.films.lumbar.views import lumbar_geometry
from mri2mesh.weights import load_safetensors


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> FileRing:
    ring = FileRing(tmp_path_factory.mktemp("films"), 6)
    fill_with_films(ring, parent=0, seed=0, most=6)
    return ring


def test_films_and_the_people_in_them_are_kept(ring: FileRing):
    assert ring.made() == 6
    assert len(list(ring.folder.glob("trunk_*.npz"))) == 1
    assert len({FilmCase.load(ring.path(k)).camera.source_ras_mm.tobytes() for k in range(6)}) == 6


def test_the_points_of_a_crop_lie_on_its_vertebra(ring: FileRing):
    found = 0
    for slot in range(6):
        case = FilmCase.load(ring.path(slot))
        for example in film_examples(
            case, np.random.default_rng(slot), 64, 3, appearance=Appearance(plain=True)
        ):
            found += 1
            assert example.level in VERTEBRAE
            places = example.crop.camera.project(example.points)
            # of a vertebra that is clicked on at its body, a part lies in the middle, and nearly all of it in the crop
            assert np.linalg.norm(places - 31.5, axis=1).min() < 6
            assert ((places > -1) & (places < 64)).all(axis=1).mean() > 0.9
            assert 15 < np.ptp(places, axis=0).max() < 70
            assert np.abs(example.crop.image).max() <= 1.5
    assert found > 6


def test_half_of_the_crops_are_mirrored_with_their_points(ring: FileRing):
    def draw(rng: np.random.Generator) -> FilmCase:
        return ring.draw(FilmCase.load, rng)

    batches = film_batches(draw, 8, 0, 64)
    batch = next(batches)
    assert batch.image.shape == (8, 1, 64, 64) and batch.shape.shape[2] == 3 and batch.known.all()
    assert np.isfinite(batch.image.numpy()).all()
    # the image's columns and the beam, in the patient: what of them is left and right tells mirrored from not
    assert not torch.equal(batch.camera, next(batches).camera)


def test_figures_tell_place_across_and_along_the_beam(ring: FileRing):
    case = FilmCase.load(ring.path(0))
    (example, *_) = film_examples(case, np.random.default_rng(0), 64, 3)
    coded = encode(example.crop, example.points)
    exact = figures(example, decode(example.crop, coded.shape, coded.centre, coded.depth))
    assert max(exact.values()) < 1e-2
    columns, _, beam = example.crop.camera.axes_ras
    moved = figures(example, example.points + 3.0 * columns + 8.0 * beam)
    assert moved["across_mm"] == pytest.approx(3.0, abs=1e-3)
    assert moved["along_mm"] == pytest.approx(8.0, abs=1e-3)
    assert moved["centred_mm"] < 1e-3 and moved["chamfer_mm"] > 1.0
    assert chamfer_mm(np.zeros((3, 3)), np.array([[3.0, 4.0, 0.0]])) == pytest.approx(5.0)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects, as somebody else's data would be: pictures, surfaces; one of them without cameras."""
    folder, shapes, rng = tmp_path_factory.mktemp("pairs"), VertebraShapes.load(), np.random.default_rng(0)
    for subject in ("first", "second"):
        geometry = lumbar_geometry(64, 150.0, 1000.0, 800.0, 180.0, 0.0, np.zeros(3), np.zeros(2))
        views = [(rng.normal(size=(64, 64)), geometry) for _ in range(2)]
        write_revert(folder, VertebraId(subject, "L3"), views, shapes.mean("L3"))
    for path in folder.glob("DRR/second*/rendering/*.camera.json"):
        path.unlink()
    return folder


def test_paired_data_are_learned_from_by_command(pairs: Path, tmp_path: Path):
    arguments = ["train", "revert", "--pairs", str(pairs), "--out", str(tmp_path), "--device", "cpu"]
    more = ["--pixels", "32", "--batch", "2", "--minutes", "5"]
    assert main([*arguments, *more, "--steps", "1"]) == 0
    assert main([*arguments, *more, "--steps", "2", "--resume"]) == 0
    with (tmp_path / "curve.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2"]
    assert float(rows[-1]["centred_mm"]) > 1
    weights = load_safetensors("revert_points", weights_dir=tmp_path)
    PointsNet().load_state_dict(weights)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["--pixels", "50"], "multiple of 32"),
        (["--pairs", "nowhere"], "neither DRR"),
        (["--minutes", "0"], "must be positive"),
    ],
)
def test_wrong_requests_are_one_line(tmp_path: Path, capsys, arguments: list[str], what: str):
    out = tmp_path / "out"
    assert main(["train", "revert", "--out", str(out), *arguments]) == 2
    error = capsys.readouterr().err
    assert what in error and error.count("\n") == 1
    assert not out.exists()


def test_one_subject_leaves_nobody_to_measure_on(pairs: Path, tmp_path: Path, capsys):
    alone = tmp_path / "alone"
    for part in ("DRR", "Mesh"):
        for path in (pairs / part).glob("first*"):
            (alone / part).mkdir(parents=True, exist_ok=True)
            (alone / part / path.name).symlink_to(path)
    assert main(["train", "revert", "--pairs", str(alone), "--out", str(tmp_path / "out")]) == 2
    assert "one subject alone" in capsys.readouterr().err


def test_other_parts_still_need_their_data(tmp_path: Path, capsys):
    assert main(["train", "ddx", "--out", str(tmp_path)]) == 2
    assert "--data is needed" in capsys.readouterr().err
    assert main(["train", "ddx", "--data", str(tmp_path), "--pairs", "x", "--out", str(tmp_path)]) == 2
    assert "--pairs is for revert" in capsys.readouterr().err
