"""Time whole runs of the main job as a user has them: process start to tables on disk.

Prints, for several sizes and threads, the median and range of wall seconds over repeats, the largest
memory of the process, and person-months lived per wall second. Run with `make bench`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

SIZES = (10_000, 100_000, 1_000_000)
REPEATS = 3


def once(people: int, threads: int, folder: str) -> tuple[float, int, int]:
    """Return wall seconds, largest resident memory in kB, person-months lived."""
    command = [sys.executable, "-m", "cohortsim", "run", "--quiet", "--json"]
    command += ["--people", str(people), "--threads", str(threads), "--out", folder]
    started = time.perf_counter()
    # wait4 tells the memory of this one child, where getrusage would tell that of the largest so far.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        answer = json.loads(process.stdout.read())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"the run ended with exit code {process.returncode}")
    return seconds, usage.ru_maxrss, int(answer["person_months"])


def main() -> int:
    """Print one line for each size and number of threads."""
    cores = os.cpu_count() or 1
    print(
        f"{'people':>10} {'threads':>7} {'wall s (median, range)':>26} {'MiB':>6} {'million pm/s':>13}"
    )
    for people in SIZES:
        for threads in sorted({1, cores}):
            runs = []
            for _ in range(REPEATS):
                with tempfile.TemporaryDirectory() as folder:
                    runs.append(once(people, threads, f"{folder}/run"))
            seconds = [run[0] for run in runs]
            median = statistics.median(seconds)
            spread = f"{median:.2f} ({min(seconds):.2f}-{max(seconds):.2f})"
            memory = max(run[1] for run in runs) / 1024
            speed = runs[0][2] / median / 1e6
            print(f"{people:>10,} {threads:>7} {spread:>26} {memory:>6.0f} {speed:>13.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
