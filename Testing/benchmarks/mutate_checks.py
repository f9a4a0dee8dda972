"""How many faults put into the checks do their tests notice?

    pip install --editable ".[benchmark]"
    PYTHONPATH=MRI2MeshExtension:Testing python Testing/benchmarks/mutate_checks.py [--only PART_OF_A_PATH]
        [--faults functions|constants] [--processes N] [--work FOLDER]

Two kinds of faults, one at a time. In the functions of the check modules: mutmut's (an operator, a comparison, a
number, a text, an argument). In their constants, which mutmut leaves alone: every number to 0, to a half and to the
double. A fault is caught when one of the tests that concern the checks fails. The figure is the share caught; what
survives is listed, as a change of the source. The repository itself is not touched: mutmut works on a copy.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "MRI2MeshExtension" / "mri2mesh"

CHECKS = (
    "quality/closed_surface.py",
    "quality/edge_agreement.py",
    "quality/field_of_view.py",
    "engines/mri2mesh/quality/canal.py",
    "engines/mri2mesh/quality/checks.py",
    "engines/mri2mesh/quality/directions.py",
    "engines/mri2mesh/quality/edges.py",
    "engines/mri2mesh/quality/sequence.py",
    "engines/mri2mesh/quality/support.py",
    "engines/mri2mesh/quality/tissue.py",
    "engines/xray_fit/checks.py",
)
"""Modules whose faults are counted. `neighbours` mends surfaces and checks nothing."""

TESTS = (
    "Testing/quality",
    "Testing/engines/mri2mesh/quality/test_canal.py",
    "Testing/engines/mri2mesh/quality/test_checks.py",
    "Testing/engines/mri2mesh/quality/test_directions.py",
    "Testing/engines/mri2mesh/quality/test_edges.py",
    "Testing/engines/mri2mesh/quality/test_image_checks.py",
    "Testing/engines/mri2mesh/quality/test_sequence.py",
    "Testing/engines/mri2mesh/quality/test_support.py",
    "Testing/engines/mri2mesh/quality/test_tissue.py",
    "Testing/engines/xray_fit/test_checks.py",
)

PYPROJECT = """
[tool.pytest.ini_options]
pythonpath = ["src", "Testing"]
addopts = "--import-mode=importlib --strict-markers -p no:cacheprovider"

[tool.mutmut]
source_paths = ["src"]
only_mutate = {only}
also_copy = ["Testing"]
pytest_add_cli_args_test_selection = {tests}
use_git_change_detection = false
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default="", help="only modules whose path contains this")
    parser.add_argument("--faults", choices=("all", "functions", "constants"), default="all")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--work", type=Path, help="keep the copy and mutmut's results here, and go on from them"
    )
    options = parser.parse_args()
    modules = [module for module in CHECKS if options.only in module]
    caught, survived = 0, list[str]()
    work = options.work or Path(tempfile.mkdtemp(prefix="mutated-checks-"))
    if options.faults != "constants":
        caught, survived = _functions(_copy(work, modules), options.processes)
    for module in modules if options.faults != "functions" else ():
        more_caught, more_survived = _constants(module)
        caught, survived = caught + more_caught, survived + more_survived
    print("\n".join(survived))
    if not caught + len(survived):
        print("no faults were made: is there nothing of that kind in these modules?", file=sys.stderr)
        return 1
    print(
        f"{caught} of {caught + len(survived)} faults caught, {100 * caught / (caught + len(survived)):.0f}%"
    )
    return 0


def _copy(work: Path, modules: list[str]) -> Path:
    """Library and tests laid out as mutmut wants them: the package at ``src/mri2mesh``."""
    shutil.copytree(LIBRARY, work / "src" / "mri2mesh", dirs_exist_ok=True, ignore=_leave_out)
    shutil.copytree(REPOSITORY / "Testing", work / "Testing", dirs_exist_ok=True, ignore=_leave_out)
    only = [f"src/mri2mesh/{module}" for module in modules]
    (work / "pyproject.toml").write_text(PYPROJECT.format(only=only, tests=list(TESTS)), encoding="utf-8")
    return work


_leave_out = shutil.ignore_patterns("__pycache__", "samples")


def _environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join(str(folder / name) for name in ("src", "Testing"))
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


def _functions(work: Path, processes: int) -> tuple[int, list[str]]:
    """Number of faults in functions that were caught, and the changes that were not."""
    mutmut = [sys.executable, "-m", "mutmut"]
    environment = _environment(work / "mutants")
    subprocess.run([*mutmut, "run", "--max-children", str(processes)], cwd=work, env=environment, check=False)
    listed = subprocess.run(
        [*mutmut, "results", "--all", "true"],
        cwd=work, env=environment, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    states = [line.strip().rsplit(": ", 1) for line in listed.splitlines() if ": " in line]
    caught = sum(state in ("killed", "timeout", "segfault") for _, state in states)
    survived = []
    for name, state in states:
        if state in ("survived", "no tests", "suspicious"):
            change = subprocess.run(
                [*mutmut, "show", name],
                cwd=work,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
            ).stdout
            lines = [line for line in change.splitlines() if re.match(r"[-+](?![-+])", line)]
            survived.append("\n".join([f"{name} ({state})", *lines]))
    return caught, survived


def _constants(module: str) -> tuple[int, list[str]]:
    """As `_functions`, of the numbers in a module's constants. Each fault is tried in a process of its own."""
    path = LIBRARY / module
    loaded = importlib.import_module("mri2mesh." + module.removesuffix(".py").replace("/", "."))
    caught, survived = 0, []
    for changed, words in faulty_constants(path.read_text(encoding="utf-8")):
        child = os.fork()
        if not child:
            exec(compile(changed, str(path), "exec"), loaded.__dict__)
            with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
                code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *_tests_of(module)])
            os._exit(int(code))
        failed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == pytest.ExitCode.TESTS_FAILED
        caught += failed
        if not failed:
            survived.append(f"{module}: {words}")
        print(f"{module}: {words}: {'caught' if failed else 'SURVIVED'}", flush=True)
    return caught, survived


def _tests_of(module: str) -> list[str]:
    """The tests that concern a module, its own first."""
    own = f"test_{Path(module).name}"
    related = [test for test in TESTS if ("xray_fit" in test) == ("xray_fit" in module)]
    own_first = sorted(related, key=lambda test: not test.endswith(own))
    return [str(REPOSITORY / test) for test in own_first]


def faulty_constants(source: str) -> list[tuple[str, str]]:
    """The source with one number of one module-level constant changed, and the change in words."""
    lines = source.splitlines(keepends=True)
    starts = [0, *itertools.accumulate(len(line) for line in lines)]
    found = []
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        name = ast.unparse(statement.targets[0] if isinstance(statement, ast.Assign) else statement.target)
        for node in ast.walk(statement.value):
            if not isinstance(node, ast.Constant) or type(node.value) not in (int, float):
                continue
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[node.lineno - 1] + node.end_col_offset
            for other in dict.fromkeys((0.0, node.value / 2, node.value * 2)):
                if other != node.value:
                    changed = f"{source[:begin]}{type(node.value)(other)!r}{source[end:]}"
                    found.append((changed, f"{name}: {node.value:g} -> {type(node.value)(other):g}"))
    return found


if __name__ == "__main__":
    sys.exit(main())
