"""Stands in for `mri2mesh.folders.one_case` where only what happens around it is tested: the same lines in and out.

It takes a quarter of a second, writes down when it begins, and copies a finished result into place in one step. An
image whose name holds "crash" ends it, one with "bad" is refused.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from mri2mesh.folders.one_case import _end_with_the_input

LOG, RESULT = "QUICK_CASE_LOG", "QUICK_CASE_RESULT"
"""Variables: the file that each start is written to, and the folder of the result that is copied."""

if __name__ == "__main__":
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    image, out = Path(request["inputs"][0]), Path(request["out"])
    with open(os.environ[LOG], "a", encoding="utf-8") as log:
        log.write(f"{image.name} {os.getpid()}\n")
    time.sleep(0.25)
    if "crash" in image.name:
        os.kill(os.getpid(), signal.SIGKILL)
    failed = "the image cannot be read" if "bad" in image.name else ""
    if not failed:
        half = out.with_name(f".{out.name}-{os.getpid()}")
        shutil.copytree(os.environ[RESULT], half)
        os.rename(half, out)
    print(json.dumps({"failed": failed}), flush=True)
