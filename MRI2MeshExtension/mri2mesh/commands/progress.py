"""A progress bar on standard error for work that reports (stage, fraction done)."""

from __future__ import annotations

from types import TracebackType

from tqdm import tqdm


class ProgressBar:
    """``bar(stage, fraction)`` with fraction of the whole in 0..1; closes itself as a context manager."""

    def __init__(self) -> None:
        # disable=None: only on a terminal, so that logs and pipes get one line when something is wrong.
        self._bar = tqdm(total=100, bar_format="{l_bar}{bar}| {elapsed}", leave=False, disable=None)

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def __call__(self, stage: str, fraction: float) -> None:
        self._bar.set_description_str(stage, refresh=False)
        self._bar.n = round(100 * min(max(fraction, 0.0), 1.0))
        self._bar.refresh()
