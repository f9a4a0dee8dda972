"""What a reader of a report has to know first: what was made, whether to trust it, what failed and what to do."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

from mri2mesh.anatomy.doubtful_levels import in_words, shown_place
from mri2mesh.export.advice import advice_for
from mri2mesh.export.report_sections import levels_certain

if TYPE_CHECKING:
    from mri2mesh.export.report import Report

FIRST = 3
"""Reasons that stand at the top; the others follow below the pictures."""


def summary(report: Report) -> str:
    """One sentence: what was reconstructed and whether the checks passed."""
    kinds = [structure["kind"] for structure in report["structures"]]
    found = [
        f"{number} {one if number == 1 else many}"
        for number, one, many in (
            (kinds.count("vertebra"), "vertebra", "vertebrae"),
            (kinds.count("disc"), "disc", "discs"),
            (kinds.count("sacrum"), "sacral body", "sacral bodies"),
            (kinds.count("hip"), "hip", "hips"),
            (kinds.count("whole_sacrum"), "sacrum", "sacra"),
            (kinds.count("femur"), "femur", "femora"),
        )
        if number
    ]
    made = f"Reconstructed {_listed(found)}." if found else "Nothing was reconstructed."
    checks = report["checks"]
    failed = [check for check in checks if not check["passed"]]
    if not checks:
        return f"{made} No checks were made."
    if not failed:
        return f"{made} All {len(checks)} checks passed." if len(checks) > 1 else f"{made} The check passed."
    where = sorted({in_words(check["structure"]) for check in failed if check["structure"]})
    at = f" ({', '.join(where)})" if where else ""
    advice = "see why before relying on the result"
    return f"{made} {len(failed)} of {len(checks)} checks did not pass{at}: {advice}."


def first_reasons(report: Report) -> str:
    """Under the sentence: the first checks that did not pass, each in a line."""
    failed = [check for check in report["checks"] if not check["passed"]]
    if not failed:
        return ""
    certain = levels_certain(report)
    lines = [
        f"<li>{escape(_where(check['structure'], certain))}{escape(check['detail'] or check['name'])}</li>"
        for check in failed[:FIRST]
    ]
    if len(failed) > FIRST:
        lines.append(f"<li>and {len(failed) - FIRST} more, below the pictures</li>")
    return f"<ul>{''.join(lines)}</ul>"


def failures_section(report: Report, words: Callable[[str], str]) -> str:
    """Warnings, and what did not pass with what to do about it, alike checks together. words: puts a sentence into the
    words of the program that shows the report."""
    warnings = "".join(f"<li>{escape(words(text))}</li>" for text in report["warnings"])
    noted = f"<h2>Warnings</h2><ul>{warnings}</ul>" if warnings else ""
    by_name: dict[str, list[Report]] = {}
    for check in report["checks"]:
        if not check["passed"]:
            by_name.setdefault(check["name"], []).append(check)
    if not by_name:
        return noted
    certain = levels_certain(report)
    blocks = []
    for name, checks in by_name.items():
        rows = "".join(
            f"<li>{escape(_where(check['structure'], certain))}{escape(words(check['detail'] or check['name']))}</li>"
            for check in checks
        )
        blocks.append(
            f"<h3>{escape(name[:1].upper() + name[1:])}</h3><ul>{rows}</ul>"
            f'<p class="todo">{escape(words(advice_for(checks[0])))}</p>'
        )
    return f"<h2>What did not pass, and what to do</h2>{''.join(blocks)}{noted}"


def levels_note(levels: Report | None, words: Callable[[str], str]) -> str:
    """How the names came about; a guess is set off, with what can be done about it."""
    if levels is None:
        return ""
    if levels["certain"]:
        return f"<p>{escape(words(levels['statement']))}</p>"
    advice = f" {words(levels['advice'])}" if levels["advice"] else ""
    return f'<p class="summary look"><b>{escape(words(levels["statement"]))}</b>{escape(advice)}</p>'


def _where(structure: str | None, certain: bool) -> str:
    return f"{shown_place(structure, certain)}: " if structure else ""


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
