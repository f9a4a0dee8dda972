"""The cases of a folder through an executor: several at once here, or on a cluster; a failure stops no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mri2mesh.errors import InputError, explain
from mri2mesh.folders.cases import Case
from mri2mesh.folders.one_case import Program, Watch, run_case
from mri2mesh.folders.table import CaseTable, Row, fingerprint

Ended = Callable[[Row, int, int], None]
"""Called when a case has ended, with its row, how many have ended and how many there are."""


def request_of(case: Case, engine: str, options: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """For the worker and for `run_case`, plain JSON types. options: of every case; those beside its images win."""
    return {
        "command": "reconstruct",
        "engine": engine,
        "inputs": [str(image) for image in case.images],
        "out": str(out / case.result),
        "options": {**options, **case.options},
    }


def table_of(
    cases: Sequence[Case], requests: Mapping[str, Mapping[str, Any]], out: Path
) -> tuple[CaseTable, list[Case]]:
    """The table of the results' folder, and the cases that are still to be done. requests: of `request_of`, by case."""
    table = CaseTable(out)
    marks = {case.name: fingerprint(case.images, _without_paths(requests[case.name])) for case in cases}
    return table, table.begin(cases, marks)


def run_folder(
    cases: Sequence[Case],
    requests: Mapping[str, Mapping[str, Any]],
    out: Path,
    executor: Executor,
    *,
    program: Program | None = None,
    watch: Watch | None = None,
    ended: Ended = lambda row, number, count: None,
) -> list[Row]:
    """Does what is still to be done and returns the rows of all cases, in their order.

    executor: of ``concurrent.futures``, or one with its interface; it is given `run_case`. program: what does a case.
    watch: where the executor's threads are of this process. Ending it early (an interrupt, or the watch's stop) cancels
    what has not begun; the table says what is done, and a later call goes on from there.
    Raises InputError where the results cannot be written, or the table there is not of this program.
    """
    table, to_do = table_of(cases, requests, out)
    count, number = len(cases), len(cases) - len(to_do)
    futures: dict[Future[tuple[str, float]], Case] = {}
    started = {case.name: time.monotonic() for case in to_do}
    try:
        for case in to_do:
            given = (dict(requests[case.name]), program, case.name, watch)
            futures[executor.submit(_timed, *given)] = case
        for future in as_completed(futures):
            case = futures[future]
            try:
                failed, seconds = future.result()
            except CancelledError:
                continue
            except Exception as error:
                failed, seconds = explain(error)[1], time.monotonic() - started[case.name]
            row = table.failed(case, failed, seconds) if failed else table.done(case, seconds)
            number += 1
            ended(row, number, count)
            if watch is not None and watch.stop.is_set():
                _cancel(futures)
    except BaseException:
        if watch is not None:
            watch.stop.set()
        _cancel(futures)
        raise
    return list(table.rows.values())


@contextmanager
def local_executor(jobs: int) -> Iterator[Executor]:
    """So many cases at once on this machine. Each thread only waits for the process of its case."""
    if jobs < 1:
        raise InputError("--jobs must be at least 1")
    executor = ThreadPoolExecutor(jobs)
    try:
        yield executor
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


def _cancel(futures: Iterable[Future[tuple[str, float]]]) -> None:
    for future in futures:
        future.cancel()


def _timed(
    request: dict[str, Any], program: Program | None, name: str, watch: Watch | None
) -> tuple[str, float]:
    if watch is not None and watch.stop.is_set():
        raise CancelledError  # taken up before it could be cancelled
    began = time.monotonic()
    return run_case(request, program, name, watch), time.monotonic() - began


def _without_paths(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked, wherever the folders lie."""
    return {key: value for key, value in request.items() if key not in ("inputs", "out")}
