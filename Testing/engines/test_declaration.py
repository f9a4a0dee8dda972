"""An engine that only the tests know is everywhere: nothing but its own file was written for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from engines.toy_engine import ENGINE
from mri2mesh import cli
from mri2mesh.commands.option_tables import BEGIN, main, tables, with_tables
from mri2mesh.engines.declaration import Engine, load
from mri2mesh.engines.kinds import RADIOGRAPHS, VOLUME
from mri2mesh.engines.options import Choice, File, Number
from mri2mesh.engines.registry import check_options_agree, default_engine, engines, register
from mri2mesh.weights_manifest import read_manifest
from worker.talking import PATIENCE_S, environment

RADIUS = 7.5
BALL_MM3 = 4 / 3 * np.pi * RADIUS**3


@pytest.fixture
def toy() -> Iterator[Engine]:
    forget = register(ENGINE)
    yield ENGINE
    forget()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    noise = np.random.default_rng(0).normal(100, 20, (30, 30, 30)).astype(np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(noise), str(tmp_path / "noise.nii.gz"))
    (tmp_path / "note.txt").write_text("a ball was asked for")
    return tmp_path / "noise.nii.gz"


def report_of(folder: Path) -> dict:
    return json.loads((folder / "report.json").read_text())


def test_it_runs_from_the_command_line_with_its_options(toy, image, tmp_path):
    arguments = [
        "--engine",
        "toy",
        "--radius",
        str(RADIUS),
        "--which",
        "L4",
        "--note",
        str(tmp_path / "note.txt"),
    ]
    assert cli.main(["reconstruct", str(image), "--out", str(tmp_path / "out"), *arguments]) == 0
    report = report_of(tmp_path / "out")
    assert report["structures"][0]["name"] == "L4"
    assert report["structures"][0]["volume_mm3"] == pytest.approx(BALL_MM3, rel=0.05)
    assert "a ball was asked for" in report["warnings"]
    assert set(report["timings_s"]) == {"inflate"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--engine", "toy"], "the engine toy needs --which L3|L4: name of the ball"),
        (["--engine", "toy", "--which", "L5"], "--which must be one of L3, L4, not 'L5'"),
        (["--engine", "toy", "--which", "L3", "--radius", "50"], "--radius must be a number from 1 to 20 mm, not 50.0"),
        (["--engine", "toy", "--which", "L3", "--note", "-", "--note", "-"], "one --note per image, in their order"),
        (["--which", "L3"], "the engine mri2mesh, for a volume such as an MRI, has no use for --which"),
        (["--engine", "toy", "--which", "L3", "--level-shift", "1"], "the engine toy, for a volume such as an MRI"),
        (["--engine", "toys"], "no engine is called 'toys': use one of mri2mesh, segmentation, xray-fit, ddx"),
    ],
)  # fmt: skip
def test_what_it_cannot_use_is_one_line(toy, image, tmp_path, capsys, arguments, says):
    assert cli.main(["reconstruct", str(image), "--out", str(tmp_path / "out"), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert not (tmp_path / "out").exists()


def test_a_value_of_another_type_is_wrong_usage(toy, image, tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(["reconstruct", str(image), "--out", str(tmp_path / "out"), "--radius", "big"])
    assert stopped.value.code == 2
    assert "argument --radius: must be a number, not 'big'" in capsys.readouterr().err


def test_the_help_lists_its_options(toy, capsys):
    with pytest.raises(SystemExit):
        cli.main(["reconstruct", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "--radius MM of the ball, from 1 to 20 mm" in shown
    assert "--which L3|L4 name of the ball: L3, L4" in shown
    assert (
        "--note note.txt text to be repeated in the warnings; once per image in their order, - for none"
        in shown
    )


def test_it_runs_in_the_worker_with_its_options_in_json(image, tmp_path):
    """In a process of its own, in which the engine is registered first."""
    script = "from engines.toy_engine import ENGINE; from mri2mesh import cli, engines\n"
    script += "from mri2mesh.engines.registry import register; register(ENGINE); cli.main(['worker'])"
    options = {"radius": RADIUS, "which": "L4", "notes": [str(tmp_path / "note.txt")]}
    job = {"command": "reconstruct", "engine": "toy", "inputs": [str(image)]}
    requests = [
        {**job, "id": "good", "out": str(tmp_path / "out"), "options": options},
        {**job, "id": "bad", "out": str(tmp_path / "bad"), "options": {"radius": "large"}},
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**environment(), "PYTHONPATH": ":".join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    ends = {}
    try:
        process.stdin.write("".join(json.dumps(one) + "\n" for one in requests).encode())
        process.stdin.flush()
        while len(ends) < len(requests):
            event = json.loads(process.stdout.readline())
            if event["event"] in ("done", "error"):
                ends[event["id"]] = event
    finally:
        process.stdin.close()
        process.wait(PATIENCE_S)
    assert ends["good"]["status"] == 0
    assert ends["bad"]["message"] == "radius must be a number"
    assert report_of(tmp_path / "out")["structures"][0]["volume_mm3"] == pytest.approx(BALL_MM3, rel=0.05)


def test_it_is_in_the_tables(toy, repository, tmp_path):
    assert "| `toy` | a volume such as an MRI | Toy: a ball in a volume. Puts a ball" in tables()
    assert "| `--radius MM` | of the ball, from 1 to 20 mm |" in tables()
    assert r"| `--which L3\|L4` | name of the ball: L3, L4; required |" in tables()
    assert "| `--note note.txt` | text to be repeated in the warnings; once per image |" in tables()
    readme = tmp_path / "README.md"
    readme.write_text((repository / "README.md").read_text(encoding="utf-8"), encoding="utf-8")
    assert main(["--write", str(readme)]) == 0
    assert "--radius MM" in readme.read_text(encoding="utf-8")


def test_the_tables_of_the_readme_are_as_the_engines_declare(repository):
    text = (repository / "README.md").read_text(encoding="utf-8")
    assert with_tables(text) == text, "run `make tables`"


def test_a_file_without_the_marks_is_left_as_it_is(tmp_path, capsys):
    (tmp_path / "README.md").write_text("no marks")
    assert main(["--write", str(tmp_path / "README.md")]) == 2
    assert BEGIN in capsys.readouterr().err and (tmp_path / "README.md").read_text() == "no marks"


def test_every_kind_of_input_has_one_default_and_everything_named_is_there(repository):
    weights = read_manifest(repository / "ModelWeights")
    for engine in engines().values():
        same = [one for one in engines().values() if one.takes.name == engine.takes.name and one.is_default]
        assert same == [default_engine(engine.takes.name)]
        assert set(engine.weights) <= set(weights), engine.name
        assert callable(engine.load()) and callable(load(engine.takes.read))
        assert engine.title.partition(":")[2] and engine.sentence.endswith("."), engine.name
        for option in engine.all_options:
            assert not option.read or callable(load(option.read))
            assert option.help[:1].islower() and not option.help.endswith("."), option.name
    check_options_agree(list(engines().values()))


def test_declarations_are_read_without_anything_heavy():
    script = "import sys; from mri2mesh.engines.registry import engines; engines(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True
    )
    assert not {"torch", "numpy", "scipy", "SimpleITK", "pydicom", "vtk"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "xray-fit"}, "another engine is called xray-fit"),
        ({"options": (Number("anatomy", help="a number"),)}, "different things by the option 'anatomy'"),
        ({"options": (File("shift", help="a file", flag="level-shift"),)}, "two options are called --level-shift"),
    ],
)  # fmt: skip
def test_engines_that_contradict_each_other_are_refused(change, says):
    with pytest.raises(TypeError, match=says):
        register(replace(ENGINE, **change))
    assert "toy" not in engines()


def test_an_engine_that_contradicts_itself_is_refused():
    with pytest.raises(TypeError, match="two options with the name 'scene'"):
        replace(ENGINE, options=(Number("scene", help="a number"),))
    with pytest.raises(TypeError, match="cannot have an option 'device'"):
        replace(ENGINE, options=(Number("device", help="a number"),))


def test_two_engines_may_have_the_same_option_with_other_choices(image, tmp_path, capsys):
    choice = Choice("anatomy", help="the bone", choices={"skull": "Skull"}, required=True)
    forget = register(replace(ENGINE, takes=RADIOGRAPHS, options=(choice,), most_images=1))
    try:
        film = tmp_path / "film.png"
        sitk.WriteImage(sitk.GetImageFromArray(np.zeros((40, 40), np.uint8)), str(film))
        for films, says in (([film], "must be one of skull"), ([film, film], "takes one image, got 2")):
            given = [*map(str, films), "--engine", "toy", "--anatomy", "L3", "--out", str(tmp_path / "out")]
            assert cli.main(["reconstruct", *given]) == 2
            assert says in capsys.readouterr().err
    finally:
        forget()
    assert VOLUME in [engine.takes for engine in engines().values()]
