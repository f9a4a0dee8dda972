"""A Python of its own and a few packages to install into it: without network, the tests' own Python is not touched."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

WHEELS = {
    "torch": {"2.5.0+here": (), "2.9.0": ()},
    "vtk": {"9.9.9": ()},
    "numpy": {"2.9.0": ()},
    "helper": {"1.0": ()},
    "viewer": {"1.1": ("torch>=2.4", "helper")},
    "second-vtk": {"1.0": ("vtk>=9.9", "helper")},
}
"""Name -> version -> requirements; each holds a module that is its version."""


def make_index(folder: Path) -> Path:
    folder.mkdir()
    for name, versions in WHEELS.items():
        for version, needs in versions.items():
            info = f"{name}-{version}.dist-info"
            metadata = [
                "Metadata-Version: 2.1",
                f"Name: {name}",
                f"Version: {version}",
                *(f"Requires-Dist: {need}" for need in needs),
            ]
            files = {
                f"{name}.py": f"version = {version!r}\n",
                f"{info}/METADATA": "\n".join(metadata) + "\n",
                f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            }
            record = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
            with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
                for file, text in {**files, f"{info}/RECORD": record}.items():
                    wheel.writestr(file, text)
    return folder


def make_python(folder: Path) -> Path:
    """A virtual environment with pip alone, this Python's own; its interpreter."""
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    where = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(where, check=True, capture_output=True, text=True).stdout.strip())
    pip = Path(importlib.util.find_spec("pip").origin).parent
    for source in (pip, *pip.parent.glob("pip-*.dist-info")):
        shutil.copytree(source, packages / source.name)
    return python


def installed(python: Path) -> dict[str, str]:
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {one["name"]: one["version"] for one in json.loads(listed.stdout) if one["name"] in WHEELS}
