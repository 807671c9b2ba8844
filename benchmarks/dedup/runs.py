"""Processes, rounds and ratios.

Every tool runs in a process of its own, bound to its cores, with thread pools told to be as large.
Rounds are interleaved, so that a slow minute of the machine falls on all tools alike, and a ratio
is formed within a round; what is reported is the median of the ratios and the best of the times.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.dedup.tools import Tool

ROOT = Path(__file__).resolve().parents[2]
POOLS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Task(NamedTuple):
    """What every tool is given."""

    file: Path
    documents: int
    threshold: float
    cores: tuple[int, ...]
    output: Path


class Failed(Exception):
    """A tool ended with an error; the message is the last line that it wrote."""


def environment(cores: Sequence[int], **more: str) -> dict[str, str]:
    """The environment of a measured process: thread pools as large as its cores."""
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(ROOT)]))
    pools = dict.fromkeys(POOLS, str(len(cores)))
    return {**os.environ, **pools, "PYTHONPATH": path, **more}


def measure(name: str, tool: Tool, task: Task, python: str) -> dict[str, Any]:
    """Run one tool once.

    Raises:
        Failed: it ended with an error.
    """
    count = min(task.documents, tool.sample or task.documents)
    cores = ",".join(map(str, task.cores))
    command = [python, "-m", "benchmarks.dedup.measured", name, task.file, task.output]
    command += ["--documents", str(count), "--threshold", str(task.threshold), "--cores", cores]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment(task.cores), cwd=ROOT
    )
    if done.returncode:
        raise Failed((done.stderr.strip().splitlines() or ["no message"])[-1])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    scale = task.documents / count
    parts = {part: found[part] for part in ("read", "find", "write")}
    return {
        "cpu": scale * found["find"]["cpu"],
        "wall": scale * found["find"]["wall"],
        "cpu_files": scale * sum(part["cpu"] for part in parts.values()),
        "wall_files": scale * sum(part["wall"] for part in parts.values()),
        "peak_bytes": found["peak_bytes"] if scale == 1 else None,
        "sample": count if scale > 1 else None,
    }


def command(options: Sequence[str], task: Task, **more: str) -> dict[str, Any]:
    """Run a whole ``corpus`` command, start and imports and all; ``more`` is environment.

    Raises:
        Failed: it ended with an error.
    """
    cores = ",".join(map(str, task.cores))
    line = [sys.executable, "-m", "benchmarks.dedup.started", cores]
    line += [sys.executable, "-m", "corpus", *options]
    surroundings = environment(task.cores, **more)
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=surroundings)
    found: dict[str, Any] = json.loads(done.stdout)
    if found["status"]:
        raise Failed((found["complaint"].strip().splitlines() or ["no message"])[-1])
    told = json.loads(found["said"])
    return {key: found[key] for key in ("cpu", "wall", "peak_bytes")} | {"told": told}


def rounds(
    tools: dict[str, Tool], task: Task, count: int, pythons: dict[str, str]
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """Run all tools ``count`` times, in turn; give their measures, and why one could not run."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in tools}
    failed: dict[str, str] = {}
    for turn in range(count):
        for name, tool in tools.items():
            if name in failed or (turn and tool.once):
                continue
            out = task._replace(output=task.output / name.replace(" ", "-").replace(",", ""))
            try:
                found[name].append(
                    measure(name, tool, out, pythons.get(tool.needs, sys.executable))
                )
            except Failed as error:
                failed[name] = str(error)
            else:
                print(f"round {turn + 1}, {name}: {found[name][-1]['cpu']:.2f} s", file=sys.stderr)
    return found, failed


def summary(
    found: dict[str, list[dict[str, Any]]], base: str = "ours"
) -> dict[str, dict[str, Any]]:
    """For each tool the best times, the largest peak, and the median of ratios to ``base``."""
    told = {}
    for name, measures in found.items():
        if not measures:
            continue
        row: dict[str, Any] = {
            key: min(one[key] for one in measures)
            for key in ("cpu", "wall", "cpu_files", "wall_files")
        }
        row["cpu_median"] = statistics.median(one["cpu"] for one in measures)
        peaks = [one["peak_bytes"] for one in measures if one["peak_bytes"] is not None]
        row["peak_bytes"] = max(peaks, default=None)
        row["sample"] = measures[0]["sample"]
        row["rounds"] = len(measures)
        for key in ("cpu", "cpu_files"):
            of = [one[key] / ours[key] for one, ours in zip(measures, found[base], strict=False)]
            row[f"{key}_ratio"] = statistics.median(of) if of else None
        told[name] = row
    return told
