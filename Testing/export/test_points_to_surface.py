"""``mri2mesh export POINTS``: anatomy without a template, from points on its surface to a closed one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from mri2mesh.cli import main
from mri2mesh.export.surfaces import read_surface


def ellipsoid(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points about (10, 20, 30) with half axes 20, 12 and 8, and their outward normals."""
    ball = np.random.default_rng(0).normal(size=(count, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    return ball * [20, 12, 8] + [10, 20, 30], ball / [20, 12, 8]


@pytest.mark.parametrize("kind", ["npy", "xyz"])
@pytest.mark.parametrize("with_normals", [False, True])
def test_points_become_a_closed_surface_in_place(tmp_path: Path, kind: str, with_normals: bool):
    points, normals = ellipsoid(2500)
    values = np.concatenate([points, normals], axis=1) if with_normals else points
    path = tmp_path / f"organ.{kind}"
    if kind == "npy":
        np.save(path, values)
    else:
        np.savetxt(path, values)
    assert main(["export", str(path), "--to", "stl", "--out", str(tmp_path / "out")]) == 0
    surface = read_surface(tmp_path / "out" / "organ.stl")
    # Points are LPS as files are: right and front turn their signs in RAS.
    off = np.linalg.norm((surface.vertices - [-10, -20, 30]) / [20, 12, 8], axis=1)
    assert np.abs(off - 1).max() < 0.06
    loaded = trimesh.Trimesh(surface.vertices, surface.faces)
    assert loaded.is_watertight
    assert loaded.volume == pytest.approx(4 / 3 * np.pi * 20 * 12 * 8, rel=0.02)
    about = json.loads((tmp_path / "out" / "organ.stl.json").read_text())
    assert "Poisson reconstruction of 2500 points" in json.dumps(about)


def test_points_in_centimetres_are_told(tmp_path: Path):
    np.save(tmp_path / "organ.npy", ellipsoid(2000)[0] / 10)
    arguments = ["export", str(tmp_path / "organ.npy"), "--to", "ply", "--unit", "cm", "--out", str(tmp_path)]
    assert main(arguments) == 0
    assert np.ptp(read_surface(tmp_path / "organ.ply").vertices[:, 0]) == pytest.approx(40, rel=0.03)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("few.xyz", "0 0 0\n1 0 0\n0 1 0\n0 0 1\n", "at least 50 points"),
        ("words.xyz", "here and there\n", "not a readable .xyz file"),
        ("flat.xyz", "\n".join(f"{k % 10} {k // 10} 0" for k in range(100)), "one plane"),
        ("points.csv", "0,0,0\n", "no surface file"),
    ],
)
def test_what_is_no_surface_is_one_line(tmp_path: Path, capsys, name: str, content: str, message: str):
    (tmp_path / name).write_text(content)
    assert main(["export", str(tmp_path / name), "--to", "stl", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "out" / f"{Path(name).stem}.stl").exists()
