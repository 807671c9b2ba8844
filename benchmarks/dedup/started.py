"""A whole command, its time and its memory, started from a small process.

    python -m benchmarks.dedup.started CORES COMMAND...

Prints one JSON object: exit status, seconds of processor and of the wall, peak of resident memory,
and what the command wrote. It is a process between because the peak that the system reports for a
child begins with the size of whoever started it, and the benchmark holds a corpus.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time


def main() -> None:
    """Run the command, bound to its cores."""
    cores, *command = sys.argv[1:]
    os.sched_setaffinity(0, {int(core) for core in cores.split(",")})
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    told = {
        "status": done.returncode,
        "cpu": used.ru_utime + used.ru_stime,
        "wall": time.monotonic() - started,
        "peak_bytes": used.ru_maxrss * 1024,
        "said": done.stdout,
        "complaint": done.stderr,
    }
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
