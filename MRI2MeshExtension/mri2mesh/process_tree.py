"""A process and all that it started, as one: leading a group of its own, and ended whole."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys


def lead_own_group() -> None:
    """Makes this process the leader of a new group, which its children join. Nothing to do on Windows, where
    a process knows its parent."""
    if sys.platform != "win32" and os.getpgrp() != os.getpid():
        with contextlib.suppress(PermissionError):  # the leader of a session has a group of its own already
            os.setpgid(0, 0)


def kill_tree(pid: int) -> None:
    """Ends a process that leads its own group, and its children, at once; also children that outlived it.

    A process that has gone already is no error. On Windows another program does it, a moment later.
    """
    if sys.platform == "win32":
        with contextlib.suppress(OSError):
            subprocess.Popen(
                ["taskkill", "/T", "/F", "/PID", str(pid)],
                creationflags=subprocess.CREATE_NO_WINDOW,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
