"""cases.csv: what came out of each case of a folder. It is whole at any time, and says what need not be done again."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from mri2mesh.atomic import whole_file
from mri2mesh.errors import InputError
from mri2mesh.folders.cases import REPORT, Case

Status = Literal["waiting", "done", "doubtful", "failed"]
FILE = "cases.csv"
COLUMNS = ("case", "result", "status", "why", "seconds", "structures", "checks", "checks_failed", "request")
"""Before those of the measures: `"L3 body_height_middle, mm"`."""


@dataclass(frozen=True)
class Row:
    """One case. result: name of its folder. why: what is doubtful or failed. seconds: it took. request: fingerprint of
    the images and of what was asked of them. measures: column -> value, as text."""

    case: str
    result: str
    status: Status
    request: str
    why: str = ""
    seconds: float | None = None
    structures: int = 0
    checks: int = 0
    checks_failed: int = 0
    measures: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_result(self) -> bool:
        return self.status in ("done", "doubtful")


class CaseTable:
    """The table of a folder of results; each change is written at once. Raises InputError where it cannot be read."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._earlier = {row.case: row for row in _read(out / FILE)}
        self.rows: dict[str, Row] = {}

    def begin(self, cases: Sequence[Case], requests: Mapping[str, str]) -> list[Case]:
        """Lists all cases and returns those to be done: not those that have a result of the same request already, even
        one that was finished when the program was ended before it could note it. requests: fingerprints by case."""
        to_do = []
        for case in cases:
            earlier, asked = self._earlier.get(case.name), requests[case.name]
            same = earlier is not None and earlier.request == asked and earlier.result == case.result
            if same and earlier is not None and (self.out / case.result / REPORT).is_file():
                if earlier.has_result:
                    self.rows[case.name] = earlier
                    continue
                if earlier.status == "waiting":
                    self.rows[case.name] = self._from_report(earlier)
                    continue
            self.rows[case.name] = Row(case.name, case.result, "waiting", asked)
            to_do.append(case)
        self._write()
        return to_do

    def done(self, case: Case, seconds: float | None = None) -> Row:
        """It has a result, whose report says what is doubtful about it."""
        return self._set(self._from_report(replace(self.rows[case.name], seconds=seconds)))

    def failed(self, case: Case, why: str, seconds: float | None = None) -> Row:
        """It has none."""
        return self._set(replace(self.rows[case.name], status="failed", why=why, seconds=seconds))

    def _set(self, row: Row) -> Row:
        self.rows[row.case] = row
        self._write()
        return row

    def _from_report(self, row: Row) -> Row:
        try:
            report = json.loads((self.out / row.result / REPORT).read_text(encoding="utf-8"))
            checks, seconds = report["checks"], sum(report["timings_s"].values())
            doubts = doubts_of(report)
            measures = {
                _column(one): f"{one['value']:g}"
                for one in report.get("measures", [])
                if one["value"] is not None
            }
            count = len(report["structures"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return replace(row, status="doubtful", why="its report cannot be read")
        return replace(
            row,
            status="doubtful" if doubts else "done",
            why="; ".join(doubts),
            seconds=seconds if row.seconds is None else row.seconds,
            structures=count,
            checks=len(checks),
            checks_failed=sum(not check["passed"] for check in checks),
            measures=measures,
        )

    def _write(self) -> None:
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot write the results: {error.strerror}") from None
        columns = list(dict.fromkeys(name for row in self.rows.values() for name in row.measures))
        with (
            whole_file(self.out / FILE) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file)
            writer.writerow([*COLUMNS, *columns])
            for row in self.rows.values():
                seconds = "" if row.seconds is None else f"{row.seconds:.1f}"
                given = {**vars(row), "seconds": seconds}
                writer.writerow(
                    [*(given[name] for name in COLUMNS), *(row.measures.get(name, "") for name in columns)]
                )


def fingerprint(images: Iterable[Path], asked: Mapping[str, Any]) -> str:
    """Of names, sizes and times of the files and of what is asked, in 16 letters: another one where any has changed.

    The same image copied elsewhere has another; its voxels are not read.
    """
    content = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode())
    for image in images:
        for path in sorted(image.rglob("*")) if image.is_dir() else [image]:
            try:
                known = path.stat()
                content.update(f"{path.name}|{known.st_size}|{known.st_mtime_ns}".encode())
            except OSError:
                content.update(f"{path.name}|gone".encode())
    return content.hexdigest()[:16]


def doubts_of(report: Mapping[str, Any]) -> list[str]:
    """Why a result is to be looked at, by its report."""
    geometries = [view["geometry"] for view in report["input"].get("views", [])]
    assumed = any(geometry["primary_angle_deg"]["origin"] == "default" for geometry in geometries)
    failed = [check for check in report["checks"] if not check["passed"]]
    return [
        words
        for doubtful, words in (
            (not report["structures"], "no surface could be made"),
            (failed, "not every check passed"),
            (not report["scale_known"], "the scale is unknown"),
            (len(geometries) > 1 and assumed, "the angles of its views are only assumed"),
        )
        if doubtful
    ]


def _column(measure: Mapping[str, Any]) -> str:
    side = f" {measure['side']}" if measure["side"] and not measure["place"].endswith(measure["side"]) else ""
    return f"{measure['place']} {measure['key']}{side}, {measure['unit']}"


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return [_row(line) for line in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, KeyError, ValueError, csv.Error):
        raise InputError(
            f"{FILE} in the folder for the results is not of this program: choose another folder"
        ) from None


def _row(line: Mapping[str, str]) -> Row:
    if line["status"] not in ("waiting", "done", "doubtful", "failed"):
        raise ValueError("no status")
    return Row(
        case=line["case"],
        result=line["result"],
        status=line["status"],  # type: ignore[arg-type]
        request=line["request"],
        why=line["why"],
        seconds=float(line["seconds"]) if line["seconds"] else None,
        structures=int(line["structures"]),
        checks=int(line["checks"]),
        checks_failed=int(line["checks_failed"]),
        measures={name: text for name, text in line.items() if name not in COLUMNS and text},
    )
