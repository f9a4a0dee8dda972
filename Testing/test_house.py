"""The house holds together: packaging, pins, extension metadata, weights, and who may import whom."""

from __future__ import annotations

import ast
import graphlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mri2mesh.weights import read_verified
from mri2mesh.weights_manifest import read_manifest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
MEGABYTE = 2**20
IMPORTED_AS = {
    "simpleitk": "SimpleITK",
    "slicer-core": "slicer_core",
    "fast-simplification": "fast_simplification",
    "warp-lang": "warp",
    "netgen-mesher": "netgen",
}
OFFLINE = {"training", "learning", "synthesis", "evaluation", "datasets"}
"""Folders at any depth that no reconstruction needs."""
GROUND = {"__version__", "errors", "device", "process_tree", "atomic", "json_file"}
"""Single modules that everything may import."""
MODELS = {"weights", "weights_manifest"}
"""Modules that find weights and shape models."""
MAY_IMPORT: dict[str, set[str]] = {
    "geometry": GROUND,
    "weights": GROUND | MODELS,
    "weights_manifest": GROUND,
    "networks": GROUND | MODELS | {"geometry"},
    "anatomy": GROUND | MODELS | {"geometry"},
    "imaging": GROUND | {"geometry"},
    "rendering": GROUND | {"geometry"},
    "weights_import": GROUND | MODELS | {"anatomy"},
    "reconstruction": GROUND | {"geometry", "anatomy"},
    "quality": GROUND | {"geometry", "anatomy", "imaging", "rendering", "reconstruction"},
    "measures": GROUND | {"geometry", "anatomy", "imaging", "rendering", "reconstruction"},
    "export": GROUND
    | {"geometry", "anatomy", "imaging", "rendering", "reconstruction", "quality", "measures"},
    "learning": GROUND | MODELS | {"geometry", "networks", "rendering"},
    "synthesis": GROUND | {"geometry", "anatomy", "imaging", "rendering"},
    "datasets": GROUND | {"geometry", "anatomy", "imaging", "rendering", "export", "synthesis"},
}
"""Folder or module of the library -> those that it may import, besides itself: dependencies point one way. Engines may
import all of these but those that write files."""
ABOVE_ENGINES = {
    "run",
    "request",
    "worker",
    "commands",
    "cli",
    "evaluation",
    "folders",
    "shape_building",
    "__main__",
}
"""Folders and modules that may import the engines too."""
EXTRA_OF_FOLDER = {
    "compiled": "fast",
    "gpu": "cuda",
    "meshers": "finite-elements",
    "cluster": "cluster",
    "exports": "evaluate-export",
}
"""Only these folders may import what the extra of that name installs."""


@pytest.fixture(scope="module")
def project(repository: Path) -> dict:
    return tomllib.loads((repository / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def library(repository: Path) -> Path:
    return repository / "MRI2MeshExtension" / "mri2mesh"


@pytest.fixture(scope="module")
def wheel_contents(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that `pip install .` would install, unpacked."""
    tree = tmp_path_factory.mktemp("tree") / "source"
    tree.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE.txt"):
        shutil.copy(repository / name, tree)
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
    for name in ("MRI2MeshExtension", "ModelWeights"):
        shutil.copytree(repository / name, tree / name, ignore=skip)
    build = "from setuptools import build_meta; print(build_meta.build_wheel('wheels'))"
    subprocess.run([sys.executable, "-c", build], cwd=tree, check=True, capture_output=True)
    (wheel,) = (tree / "wheels").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tree / "installed")
    return tree / "installed"


def imports_of(path: Path, *, inside_functions: bool = True) -> set[str]:
    """Dotted names a file imports."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if inside_functions else tree.body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def test_the_wheel_holds_every_file_of_the_library(wheel_contents, library):
    def files(folder: Path) -> set[str]:
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        return {name for name in found if "__pycache__" not in name and not name.startswith("model_weights/")}

    for package in (library, library.with_name("mri2mesh_slicer")):
        assert files(wheel_contents / package.name) == files(package)


def test_the_installed_library_finds_its_weights_and_its_sample(wheel_contents, repository):
    script = (
        "from mri2mesh.weights import shipped_folder; from mri2mesh.samples import LUMBAR_T2; import mri2mesh\n"
        "print(mri2mesh.__file__, shipped_folder(), LUMBAR_T2.stat().st_size, sep='\\n')"
    )
    environment = {**os.environ, "PYTHONPATH": str(wheel_contents)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environment,
        cwd=wheel_contents,
        capture_output=True,
        text=True,
        check=True,
    )
    package, weights, size = done.stdout.splitlines()
    assert Path(package).is_relative_to(wheel_contents)
    assert Path(weights) == wheel_contents / "mri2mesh" / "model_weights"
    assert {path.name for path in Path(weights).iterdir()} == {
        path.name
        for path in (repository / "ModelWeights").glob("*.*")
        if not path.name.startswith((".", "_"))
    }
    assert 0 < int(size) < 3 * MEGABYTE


@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_has_one_pin_on_every_python(project, repository, python):
    lines = (repository / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    environment = {"python_version": python, "python_full_version": f"{python}.1"}
    valid = [pin for pin in pins if pin.marker is None or pin.marker.evaluate(environment)]
    names = [canonicalize_name(pin.name) for pin in valid]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in pins)
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    for requirement in map(Requirement, wanted):
        pin = valid[names.index(canonicalize_name(requirement.name))]
        assert requirement.specifier.contains(str(pin.specifier).removeprefix("=="))


def test_the_library_imports_only_what_it_declares(project, library):
    declared = {
        Requirement(line).name.lower()
        for line in project["dependencies"] + project["optional-dependencies"]["scene"]
    }
    allowed = {IMPORTED_AS.get(name, name) for name in declared} | {"vtkmodules", "mri2mesh", "__future__"}
    allowed |= set(sys.stdlib_module_names)
    for path in library.rglob("*.py"):
        extra: set[str] = set()
        of_folder = project["optional-dependencies"].get(EXTRA_OF_FOLDER.get(path.parent.name), [])
        extra |= {IMPORTED_AS.get(name, name) for name in (Requirement(line).name for line in of_folder)}
        undeclared = {name.split(".")[0] for name in imports_of(path)} - allowed - extra
        assert not undeclared, f"{path.name} imports {undeclared}"


def ours(path: Path) -> set[str]:
    """What of the library a file imports, without the library's own name: ``"geometry.mesh"``."""
    return {name.removeprefix("mri2mesh.") for name in imports_of(path) if name.startswith("mri2mesh.")}


def test_dependencies_point_one_way(library):
    folders = {
        path.stem for path in library.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    known = {*MAY_IMPORT, *GROUND, *ABOVE_ENGINES, "engines", "samples", "__init__"}
    assert folders <= known, "say in MAY_IMPORT what a new folder may import"
    for path in library.rglob("*.py"):
        parts = path.relative_to(library).with_suffix("").parts
        if parts[0] in ABOVE_ENGINES:
            continue
        below_engines = {*MAY_IMPORT, *GROUND} - {"export", "weights_import"}
        allowed = below_engines if parts[0] == "engines" else MAY_IMPORT.get(parts[0], GROUND)
        wrong = {name for name in ours(path) if name.split(".")[0] not in {*allowed, parts[0]}}
        assert not wrong, f"{path.relative_to(library)} imports {sorted(wrong)}"


def test_every_import_of_our_own_is_there(library):
    """Those inside functions too, which no other check reaches before they are called."""
    root = library.parent
    for package in (library, root / "mri2mesh_slicer"):
        for path in package.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
                if module.split(".")[0] in ("mri2mesh", "mri2mesh_slicer"):
                    place = root.joinpath(*module.split("."))
                    is_there = place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()
                    assert is_there, f"{path.relative_to(root)} imports {module}"


OFFERED = {"engines.ddx.bone_maps", "engines.ddx.placing", "engines.xray_fit.refining"}
"""What an engine has for all others: where the bones of a film are, what is seen of one of them, and a placed bone
fitted to its films."""


def test_an_engine_imports_of_others_what_they_offer_alone(library):
    engines = library / "engines"
    names = {path.name for path in engines.iterdir() if (path / "declaration.py").is_file()}
    assert names >= {"mri2mesh", "xray_fit", "ddx"}
    for path in engines.rglob("*.py"):
        own = path.relative_to(engines).parts[0]
        others = {
            name
            for name in ours(path)
            if name.startswith("engines.")
            and name.split(".")[1] in names - {own}
            and ".".join(name.split(".")[:3]) not in OFFERED
        }
        assert not others, f"{path.relative_to(engines)} imports {sorted(others)}"


def test_nothing_of_the_library_knows_slicer_or_its_window(library):
    for path in library.rglob("*.py"):
        assert not {"mri2mesh_slicer", "slicer", "qt", "ctk"} & {
            name.split(".")[0] for name in imports_of(path)
        }


def test_training_is_never_imported_at_inference(library):
    for path in library.rglob("*.py"):
        if OFFLINE & {*path.relative_to(library).parts}:
            continue
        at_import = imports_of(path, inside_functions="commands" not in path.relative_to(library).parts)
        assert not {name for name in at_import if OFFLINE & {*name.split(".")[1:]}}, path


def test_no_module_imports_itself_by_way_of_others(library):
    """Imports inside functions and those for type checking count too: they would only hide a cycle."""
    root = library.parent
    names = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for package in ("mri2mesh", "mri2mesh_slicer")
        for path in (root / package).rglob("*.py")
    }
    imported = {name: imports_of(path) & names.keys() for name, path in names.items()}
    packages = {name for name, path in names.items() if path.name == "__init__.py" and not imported[name]}
    try:
        graphlib.TopologicalSorter(
            {name: found - packages - {name} for name, found in imported.items()}
        ).prepare()
    except graphlib.CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_the_extension_metadata_is_what_the_index_reads(repository):
    text = (repository / "CMakeLists.txt").read_text()
    assert re.search(r"project\s*\(\s*(\w+)", text).group(1) == "MRI2Mesh"
    for key in (
        "HOMEPAGE",
        "CATEGORY",
        "CONTRIBUTORS",
        "DESCRIPTION",
        "ICONURL",
        "SCREENSHOTURLS",
        "DEPENDS",
    ):
        assert re.search(rf'set\s*\(EXTENSION_{key}\s*"[^"$]+"\)', text), key
    home = re.search(r'EXTENSION_HOMEPAGE "https://github.com/([^"]+)"', text).group(1)
    assert home.split("/")[1].startswith("Slicer")
    entry = json.loads((repository / "MRI2Mesh.json").read_text())
    assert entry["scm_url"] == f"https://github.com/{home}.git"
    assert f'EXTENSION_CATEGORY "{entry["category"]}"' in text
    assert f'EXTENSION_DEPENDS "{" ".join(entry["build_dependencies"])}"' in text


@pytest.mark.parametrize("key", ["ICONURL", "SCREENSHOTURLS"])
def test_the_pictures_of_the_extension_are_in_this_tree(repository, key):
    text = (repository / "CMakeLists.txt").read_text()
    home = re.search(r'EXTENSION_HOMEPAGE "https://github.com/([^"]+)"', text).group(1)
    for url in re.search(rf'EXTENSION_{key} "([^"]+)"', text).group(1).split():
        prefix = f"https://raw.githubusercontent.com/{home}/main/"
        assert url.startswith(prefix)
        picture = repository / url.removeprefix(prefix)
        assert picture.is_file(), f"{picture.name} is shown in the extension catalogue and is not there"
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_shipped_weights_are_verified_licensed_described_and_small(repository):
    folder = repository / "ModelWeights"
    card = (folder / "README.md").read_text()
    entries = read_manifest(folder)
    for entry in entries.values():
        read_verified(entry)
        assert entry.licence and entry.origin, entry.name
        assert f"`{entry.name}`" in card, f"{entry.name} has no model card"
    on_disk = {path.name for pattern in ("*.safetensors", "*.npz") for path in folder.glob(pattern)}
    assert on_disk == {entry.file for entry in entries.values()}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 60 * MEGABYTE


def test_no_file_names_a_package_index(repository):
    for name in ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run"):
        assert not re.search(
            r"--(extra-)?index-url|--find-links|://(?!download\.pytorch\.org)\S*simple",
            (repository / name).read_text(),
        )
