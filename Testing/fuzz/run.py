"""Feeds damaged and hostile files to every reader, and sorts out how each ended.

    PYTHONPATH=MRI2MeshExtension:Testing python -m fuzz.run --inputs 2000 --seed 1

Every input is made from the seed and its number, so that one can be made again: ``--first N --inputs 1 --debug``.
A reader may return something, or raise InputError with one line that shows nothing private. All else is a fault: any
other exception, running for longer than `SLOW_S`, or the end of the process (of which the last number on standard
output tells the input).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import numpy as np

from fuzz.corpus import PRIVATE, Seed, seeds
from fuzz.mutations import mutated
from mri2mesh.errors import InputError

SLOW_S = 5
"""Of processor time."""
MEMORY_BYTES = 6 << 30


class TooSlow(BaseException):
    """An input took longer than `SLOW_S`. Not an Exception, so that no reader takes it for damage."""


def run(first: int, inputs: int, seed: int, seconds: float | None = None, debug: bool = False) -> dict:
    """Counts of the outcomes and one example number of each fault."""
    outcomes: Counter[str] = Counter()
    faults: dict[str, list] = {}
    began, done = time.monotonic(), 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, _watched():
        (Path(folder) / "seeds").mkdir()
        all_seeds = seeds(Path(folder) / "seeds")
        for number in range(first, first + inputs):
            if seconds is not None and time.monotonic() - began > seconds:
                break
            print(number, flush=True)
            random = np.random.default_rng([seed, number])
            chosen = all_seeds[int(random.integers(len(all_seeds)))]
            other = all_seeds[int(random.integers(len(all_seeds)))]
            outcome = _outcome(
                chosen, mutated(chosen.data, random, other.data), Path(folder) / "input", debug
            )
            outcomes[outcome if outcome in ("read", "line") else "fault"] += 1
            if outcome not in ("read", "line"):
                faults.setdefault(f"{chosen.name}: {outcome}", []).append(number)
            done += 1
    return {"inputs": done, "outcomes": dict(outcomes), "faults": {k: v[:5] for k, v in faults.items()}}


def _outcome(seed: Seed, data: bytes, folder: Path, debug: bool) -> str:
    """ "read", "line", or what went wrong and where."""
    folder.mkdir(exist_ok=True)
    for left in folder.iterdir():
        left.unlink()
    path = folder / seed.name
    path.write_bytes(data)
    for name, content in seed.beside:
        if name != seed.name:
            (folder / name).write_bytes(content)
    signal.setitimer(signal.ITIMER_PROF, SLOW_S)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seed.read(path)
        return "read"
    except InputError as error:
        text = str(error)
        private = [word for word in (*PRIVATE, str(folder)) if word in text and seed.name != "manifest.json"]
        return f"private or long line: {text!r}" if "\n" in text or len(text) > 500 or private else "line"
    except (Exception, TooSlow) as error:
        if debug:
            traceback.print_exc()
        frames = [
            frame for frame in traceback.extract_tb(error.__traceback__) if "mri2mesh" in frame.filename
        ]
        where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        return f"{type(error).__name__} at {where}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """A limit of time for each input."""

    def too_slow(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, too_slow)
    yield
    signal.signal(signal.SIGPROF, before)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    options = parser.parse_args()
    # Of the whole process, so not in `run`: who claims more memory than any image needs must not get it.
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    result = run(options.first, options.inputs, options.seed, options.seconds, options.debug)
    print(json.dumps(result), flush=True)
    return 1 if result["faults"] else 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
