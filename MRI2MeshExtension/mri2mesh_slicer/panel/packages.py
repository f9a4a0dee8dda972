"""What is missing is asked for and installed, while the panel shows how far that is; then what was wanted goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from slicer.i18n import tr as _

from mri2mesh_slicer.installation import pytorch, requirements
from mri2mesh_slicer.installation.installing import Installing
from mri2mesh_slicer.panel.messages import ask


class Packages:
    """run: the `RunSection` that shows it. changed: called when an installation starts and when it ends."""

    def __init__(self, run: Any, changed: Callable[[], None]) -> None:
        self._run, self._changed = run, changed
        self._installing: Installing | None = None

    @property
    def busy(self) -> bool:
        return self._installing is not None

    def when_there(
        self,
        then: Callable[[], None],
        also: Sequence[requirements.Package] = (),
        refused: Callable[[str], None] | None = None,
    ) -> None:
        """``then()`` at once where nothing is missing, or when it was installed with the user's consent.

        also: packages that are needed beside those of every run. refused: called with the reason where it is not done.
        """
        missing = requirements.missing(also)
        if not missing:
            then()
            return
        why = requirements.obstacle(missing)
        waits = requirements.TORCH in missing and pytorch.is_here()
        text = requirements.question(missing, window_waits=waits)
        if why or not ask(text, _("Install packages for MRI2Mesh?")):
            self._run.ended(why or _("Nothing was installed and nothing was run."), failed=bool(why))
            if refused is not None:
                names = ", ".join(package.name for package in missing)
                refused(why or _("This needs {names}, which was not installed.").format(names=names))
            return

        def ended(why: str) -> None:
            self._installing = None
            self._run.ended(why or _("The packages are installed."), failed=bool(why))
            self._changed()
            if not why:
                self.when_there(then, also, refused)
            elif refused is not None:
                refused(why)

        self._run.begin()
        self._installing = Installing(
            missing, lambda what, fraction: self._run.progress(what, fraction, None), ended
        )
        self._installing.start()
        self._changed()

    def cancel(self) -> None:
        if self._installing is not None:
            said, self._installing = self._installing.cancel(), None
            self._run.ended(said, failed=False)
            self._changed()

    def close(self) -> None:
        """No process is left, and nothing is reported."""
        if self._installing is not None:
            self._installing.cancel()
            self._installing = None
