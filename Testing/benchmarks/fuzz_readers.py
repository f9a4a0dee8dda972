"""Damaged and hostile files for every reader, by the hundred thousand; goes on where an earlier call stopped.

    PYTHONPATH=MRI2MeshExtension:Testing python Testing/benchmarks/fuzz_readers.py --inputs 100000 --out fuzz.json

The work is done in processes of `CHUNK` inputs each (`fuzz.run`), so that one which ends or hangs is noticed, named and
left behind. The figure wanted is the number of inputs that ended otherwise than "read" or in one clear line: none.
"""

from __future__ import annotations

import argparse
import json
import queue
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

CHUNK = 2000
HANGS_AFTER_S = 120
"""Without a sign from the process; a single input may take 5 seconds on an idle machine."""


def run_chunk(first: int, inputs: int, seed: int) -> dict:
    """The result of one process; a crash or hang ends it early and is one of its faults."""
    command = [
        sys.executable,
        "-m",
        "fuzz.run",
        "--first",
        str(first),
        "--inputs",
        str(inputs),
        "--seed",
        str(seed),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    lines: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=listen, daemon=True).start()
    at, result, how = first, None, "the process ended"
    while True:
        try:
            line = lines.get(timeout=HANGS_AFTER_S)
        except queue.Empty:
            process.kill()
            how = "hang"
            break
        if line is None:
            break
        if line.startswith("{"):
            result = json.loads(line)
        elif line.strip().isdigit():
            at = int(line)
    process.wait()
    if result is None:
        done = at - first + 1
        return {"inputs": done, "outcomes": {"fault": 1, "unknown": done - 1}, "faults": {how: [at]}}
    return result


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("fuzz.json"), help="what was done so far")
    options = parser.parse_args()
    state = {"seed": options.seed, "next": 0, "outcomes": {}, "faults": {}}
    if options.out.exists():
        state = json.loads(options.out.read_text())
    while state["next"] < options.inputs:
        inputs = min(CHUNK, options.inputs - state["next"])
        result = run_chunk(state["next"], inputs, state["seed"])
        state["next"] += result["inputs"]
        state["outcomes"] = dict(Counter(state["outcomes"]) + Counter(result["outcomes"]))
        for fault, numbers in result["faults"].items():
            state["faults"].setdefault(fault, []).extend(numbers)
        options.out.write_text(json.dumps(state, indent=1) + "\n")
        print(
            f"{state['next']} of {options.inputs}: {state['outcomes']}, {len(state['faults'])} kinds of faults",
            flush=True,
        )
    print(json.dumps(state["faults"], indent=1))
    return 1 if state["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
