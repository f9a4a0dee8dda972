"""Small inputs on which the real engines run with their real weights, and one worker that several tests talk to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from mri2mesh.anatomy.shape_models.file import read_shape_model
from mri2mesh.samples import LUMBAR_T2
from worker.talking import Talk


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest radiograph there is, with a bone-like bar in it and its camera.json beside it; the folder's name is
    of letters that no 8-bit code page holds together."""
    folder = tmp_path_factory.mktemp("Bücher 腰椎 ☃")
    rows, columns = np.mgrid[:32, :32]
    grey = 60 + 120 * (np.abs(columns - 17) < 2) + 0.9 * rows
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(grey.astype(np.uint8)), str(folder / "film.png"))
    camera = {"source_to_detector_mm": 1000, "source_to_isocentre_mm": 800, "pixel_spacing_mm": [6, 6]}
    (folder / "camera.json").write_text(json.dumps(camera))
    return folder / "film.png"


@pytest.fixture(scope="session")
def fit(film: Path) -> dict:
    """The request of a fit of L3 to the film from landmarks, without its folder."""
    model = read_shape_model("L3")
    points = [
        {"label": name, "position": model.landmark(name).tolist(), "positionStatus": "defined"}
        for name in model.landmarks
    ]
    markups = {"markups": [{"coordinateSystem": "RAS", "controlPoints": points}]}
    film.with_name("points.mrk.json").write_text(json.dumps(markups))
    files = {
        "cameras": [str(film.with_name("camera.json"))],
        "landmarks": [str(film.with_name("points.mrk.json"))],
    }
    options = {"anatomy": "L3", "device": "cpu", **files}
    return {"command": "reconstruct", "engine": "xray-fit", "inputs": [str(film)], "options": options}


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume in which no engine finds a spine."""
    path = tmp_path_factory.mktemp("noise") / "noise.nii.gz"
    values = np.random.default_rng(0).normal(100, 20, (12, 70, 70)).astype(np.float32)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values), str(path))
    return path


@pytest.fixture(scope="session")
def three_levels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The part of the bundled MRI that shows T11 to L1: the fewest levels that are a spine."""
    path = tmp_path_factory.mktemp("volume") / "three_levels.nii.gz"
    SimpleITK.WriteImage(SimpleITK.ReadImage(str(LUMBAR_T2))[:, 40:210, 55:160], str(path))
    return path


@pytest.fixture(scope="session")
def worker() -> Iterator[Talk]:
    """Warm from the second test on."""
    with Talk() as talk:
        yield talk
