"""``mri2mesh reconstruct --folder``: every case of a folder, and a table of all of them."""

from __future__ import annotations

import os
import sys
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.kinds import OF_EVERY_RUN
from mri2mesh.engines.registry import default_engine, get_engine
from mri2mesh.errors import InputError
from mri2mesh.folders.cases import cases_in
from mri2mesh.folders.one_case import Program, Watch
from mri2mesh.folders.run_folder import local_executor, request_of, run_folder
from mri2mesh.folders.table import FILE, Row
from mri2mesh.imaging.kind import kind_of
from mri2mesh.request import Request


@dataclass(frozen=True)
class FolderRequest:
    """jobs: cases at once on this machine. scheduler: address of a dask scheduler in its place. options: of every case,
    in the options' own types. program: stands in for `folders.one_case` in tests."""

    folder: Path
    out: Path
    engine: str | None
    options: dict[str, Any]
    jobs: int = 1
    scheduler: str | None = None
    program: tuple[str, ...] = ()


def reconstruct_folder(asked: FolderRequest) -> int:
    """Says how each case ended, and all; the exit status. Raises InputError for what is wrong with all of them."""
    engine = get_engine(asked.engine) if asked.engine else default_engine(_kind_in(asked.folder))
    options = _checked(engine, asked.options, asked.out)
    cases = cases_in(asked.folder, engine, asked.out)
    requests = {case.name: request_of(case, engine.name, options, asked.out.absolute()) for case in cases}
    executor, threads, watch = _executor(asked)
    bar = tqdm(total=len(cases), unit="case", disable=None, leave=False)
    if watch is not None and asked.jobs == 1:
        watch = replace(
            watch, report_progress=lambda case, stage, fraction: bar.set_postfix_str(f"{case}: {stage}")
        )

    def ended(row: Row, number: int, count: int) -> None:
        took = "" if row.seconds is None else f", {row.seconds:.0f} s"
        said = f"{number} of {count}: {row.case}: {row.status}{took}" + (f": {row.why}" if row.why else "")
        bar.n = number
        bar.refresh()
        tqdm.write(said, file=sys.stderr)

    with executor as pool, bar:
        rows = run_folder(
            cases,
            requests,
            asked.out.absolute(),
            pool,
            program=Program(asked.program, threads=threads),
            watch=watch,
            ended=ended,
        )
    counts = {status: sum(row.status == status for row in rows) for status in ("done", "doubtful", "failed")}
    print(
        f"{counts['done']} done, {counts['doubtful']} done but to be looked at, {counts['failed']} failed: "
        f"{asked.out / FILE} lists all"
    )
    return 1 if counts["doubtful"] or counts["failed"] else 0


def _executor(
    asked: FolderRequest,
) -> tuple[AbstractContextManager[Executor], int | None, Watch | None]:
    """And how many threads each case may use, so that several together do not use more than there are processors; and
    a watch where the cases are watched over here."""
    if asked.scheduler is None:
        threads = max(1, (os.cpu_count() or 1) // asked.jobs) if asked.jobs > 1 else None
        return local_executor(asked.jobs), threads, Watch()
    from mri2mesh.folders.cluster.executor import cluster_executor

    return cluster_executor(asked.scheduler), None, None


def _kind_in(folder: Path) -> str:
    """Radiographs where the first that can be looked into is one, else volumes."""
    if not folder.is_dir():
        raise InputError("--folder: no such folder: check its path")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.suffix not in (".json", ".txt", ".csv"):
            return kind_of(path)
    return "volume"


def _checked(engine: Engine, options: dict[str, Any], out: Path) -> dict[str, Any]:
    """Plain JSON types. What is useless for the engine is refused before anything begins."""
    every = {option.name: option for option in OF_EVERY_RUN}
    own = {name: value for name, value in options.items() if name not in every}
    for name in own:
        option = engine.option(name)
        if option is not None and option.per_image:
            raise InputError(
                f"--{option.flag} belongs to one image: with --folder put it beside the image"
                + (f" as NAME{option.beside}" if option.beside else "")
            )
    Request((), out, engine.name, options=own).refuse_useless(engine)
    known = {**every, **{option.name: option for option in engine.all_options}}
    return {name: known[name].to_json(value) for name, value in options.items()}
