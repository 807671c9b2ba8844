"""Near-duplicates in real English text: this program beside its peers, in one run.

    python -m benchmarks.dedup [--quick] [--documents N] [--grow] [--json FILE]

The corpus is built from documentation packages (``sources``), near-duplicates are planted in it
(``planted``), the truth is an exact join of all pairs (``truth``), and every tool runs in a process
of its own on one core (``runs``, ``measured``, ``tools``).

How fair it is. The same file, the same shingles, the same permutations (128; datatrove 112) and
threshold for all. "CPU s" is user and system time from texts in memory to what is dropped, with
imports and first-use compilation left out; "with files" adds reading the JSON Lines and writing
what stays, by the same code for all. Scopes differ and stand below the table: only ours measures
each pair exactly and names its partner. Peers drop by estimate, which is less work.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.dedup import planted, runs, sources, swaps, tables, truth
from benchmarks.dedup.judge import judge
from benchmarks.dedup.spoken import words
from benchmarks.dedup.tools import TOOLS

SIZES = (10_000, 20_000, 50_000, 100_000)
FIRST = 1000  # for a few pages nothing is compiled
PEER = "rensa streaming, 32 bands"
PARTS = ("tools", "commands", "cores", "names", "compile")


class Bench:
    """The corpus in memory, its truth, and the cores that are used."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        quick = given.quick
        self.count = max(given.sizes) if given.grow else given.documents
        found = sources.source(given.folder, sources.QUICK if quick else len(sources.RECIPE))
        self.pool = found.paragraphs
        self.corpus = planted.write(self.pool, given.folder, self.count, given.seed)
        self.rows = _rows(self.corpus.file)
        self.texts = [row["text"] for row in self.rows]
        self.lengths = [len(words(text)) for text in self.texts]
        name = f"truth-{self.corpus.sha256[:12]}-{given.threshold}.npz"
        self.truth = truth.kept(given.folder / name, self.texts, given.threshold)
        self.copies = _rows(self.corpus.planted)
        place = {row["id"]: at for at, row in enumerate(self.rows)}
        self.wrong = truth.check(self.truth, self.texts, self.copies, place, given.threshold)
        self.cores = sorted(os.sched_getaffinity(0))[::-1]
        self.told = found.told

    def header(self) -> str:
        """What was compared, on what."""
        size = self.corpus.file.stat().st_size
        exact = f"{len(self.truth.one):,} pairs at {self.given.threshold} or more"
        return (
            f"{self.count:,} documents, {size / 1e6:.0f} MB, seed {self.given.seed}: {self.told}\n"
            f"corpus sha256 {self.corpus.sha256[:16]}; truth: {exact}; "
            f"300 pairs measured again by Python sets: {self.wrong} disagree\n"
            f"{platform.processor() or platform.machine()}, {len(self.cores)} cores, "
            f"Python {platform.python_version()}; threshold {self.given.threshold}"
        )

    def task(self, documents: int, cores: int, output: Path) -> runs.Task:
        """What a tool is given."""
        bound = tuple(self.cores[:cores])
        return runs.Task(self.corpus.file, documents, self.given.threshold, bound, output)

    def verdict(self, name: str, documents: int, output: Path) -> dict[str, Any]:
        """What a tool dropped, against the truth of the first documents."""
        within = (self.truth.one < documents) & (self.truth.other < documents)
        part = truth.Truth(*(column[within] for column in self.truth))
        out = output / name.replace(" ", "-").replace(",", "")
        found = judge(part, self.rows[:documents], self.lengths, self.copies, out, TOOLS[name])
        for row in found.wrong:
            print(f"{name}: {row}", file=sys.stderr)
        return found._asdict()


def main() -> int:
    """Build, measure, print; 1 if a pair of the truth is wrong."""
    given = arguments()
    bench = Bench(given)
    print(bench.header(), flush=True)
    told: dict[str, Any] = {"header": bench.header().splitlines()}
    parts: dict[str, Callable[[Bench, Path], Any]] = {
        "tools": compare,
        "growth": grow,
        "commands": whole,
        "cores": two_cores,
        "names": named,
        "compile": first_use,
    }
    with tempfile.TemporaryDirectory(prefix="dedup-") as scratch:
        for name in given.only or [*PARTS[:1], *(["growth"] if given.grow else []), *PARTS[1:]]:
            print(flush=True)
            told[name] = parts[name](bench, Path(scratch))
    if given.json:
        given.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return int(bench.wrong > 0)


def compare(bench: Bench, scratch: Path) -> dict[str, Any]:
    """The table of tools."""
    given = bench.given
    pythons = {"datatrove": given.datatrove} if given.datatrove else {}
    tools = dict(TOOLS)
    for name, tool in TOOLS.items():
        if tool.needs and tool.needs not in pythons and not importlib.util.find_spec(tool.needs):
            how = " (--datatrove PYTHON names one that has it)" if tool.needs == "datatrove" else ""
            print(f"skipped: {name}: {tool.needs} is not installed{how}")
            del tools[name]
    documents = min(given.documents, bench.count)
    task = bench.task(documents, 1, scratch)
    found, failed = runs.rounds(tools, task, given.rounds, pythons)
    rows = runs.summary(found)
    for name, row in rows.items():
        if not row["sample"]:
            row["verdict"] = bench.verdict(name, documents, scratch)
    print(f"{documents:,} documents, one core, best of {given.rounds} interleaved rounds;")
    print("ratios are medians of those within a round; peak is above the texts in memory\n")
    print(tables.tools(rows))
    print("\nCopies missed by kind: pairs of a copy and its source that are true and both stay\n")
    print(tables.kinds(rows))
    for name, why in failed.items():
        print(f"failed: {name}: {why}")
    return rows


def grow(bench: Bench, scratch: Path) -> list[dict[str, Any]]:
    """Ours, and the fastest checked peer, at every size."""
    chosen = {name: TOOLS[name] for name in ("ours", PEER) if name == "ours" or _has("rensa")}
    of: dict[int, dict[str, list[dict[str, Any]]]] = {size: {} for size in bench.given.sizes}
    for _ in range(bench.given.rounds):
        for size, measured in of.items():
            found, _ = runs.rounds(chosen, bench.task(size, 1, scratch / str(size)), 1, {})
            for name, measures in found.items():
                measured.setdefault(name, []).extend(measures)
    first = of[min(of)]["ours"]
    rows = []
    for size, found in of.items():
        told = runs.summary(found)
        steps = [a["cpu"] / b["cpu"] for a, b in zip(found["ours"], first, strict=True)]
        peer = told.get(PEER, {})
        rows.append(
            {
                **told["ours"],
                "documents": size,
                "growth": statistics.median(steps),
                "verdict": bench.verdict("ours", size, scratch / str(size)),
                "peer_cpu": peer.get("cpu"),
                "peer_ratio": peer.get("cpu_ratio"),
            }
        )
    print("Growth, one core: growth is over the smallest size, within a round\n")
    print(tables.growth(rows))
    return rows


def whole(bench: Bench, scratch: Path) -> dict[str, Any]:
    """The commands, start to end."""
    task, options = _small(bench, scratch)
    runs.command(options, task)  # whatever is compiled once is compiled now
    rows = {}
    for name, mask in (("plain", "--no-mask-names"), ("names masked", "--mask-names")):
        where = ["dedup", str(bench.corpus.file), "-o", str(scratch / "command")]
        options = [*where, "--threshold", str(bench.given.threshold), mask, "--json"]
        rows[f"corpus dedup, {name}"] = runs.command(options, task)
    print(f"{bench.count:,} documents, one core, imports and all; peak is of the whole process\n")
    print(tables.commands(rows))
    return rows


def two_cores(bench: Bench, scratch: Path) -> dict[str, Any] | None:
    """The wall of one core over that of two, within a round."""
    if len(bench.cores) < 2:
        print("skipped: two cores: only one here")
        return None
    ours = {"ours": TOOLS["ours"]}
    speeds = []
    for _ in range(min(5, bench.given.rounds + 1)):
        one, two = (
            runs.rounds(ours, bench.task(bench.count, cores, scratch), 1, {})[0]["ours"][0]
            for cores in (1, 2)
        )
        speeds.append({"one": one["wall"], "two": two["wall"], "ratio": one["wall"] / two["wall"]})
    ratio = statistics.median(speed["ratio"] for speed in speeds)
    best = [min(speed[key] for speed in speeds) for key in ("one", "two")]
    print(f"Two cores: {ratio:.2f}x one (wall, median of {len(speeds)} rounds; ", end="")
    print(f"best {best[0]:.3f} s and {best[1]:.3f} s; load {os.getloadavg()[0]:.1f})")
    return {"ratio": ratio, "rounds": speeds}


def named(bench: Bench, _scratch: Path) -> list[dict[str, Any]]:
    """The table of swapped names."""
    stories = 150 if bench.given.quick else 2000
    rows = swaps.table(bench.pool, stories, bench.given.threshold, bench.given.seed)
    print(f"Names swapped: {stories:,} stories, their copies, and as many others\n")
    print(tables.names(rows))
    return rows


def first_use(bench: Bench, scratch: Path) -> dict[str, Any]:
    """The command on 1,000 documents with an empty cache of compiled code, and again with it."""
    task, options = _small(bench, scratch)
    cache = str(scratch / "compiled")
    first, second = (runs.command(options, task, NUMBA_CACHE_DIR=cache) for _ in range(2))
    took = {key: first[key] - second[key] for key in ("cpu", "wall")}
    print(f"First use: {first['wall']:.1f} s for {FIRST:,} documents, then {second['wall']:.1f} s:")
    print(f"{took['wall']:.1f} s of compiling ({took['cpu']:.1f} s of processor)")
    return {"first": first, "second": second, "compile": took}


def _small(bench: Bench, scratch: Path) -> tuple[runs.Task, list[str]]:
    """The command on the first documents."""
    small = scratch / "small.jsonl"
    lines = (json.dumps(row) + "\n" for row in bench.rows[:FIRST])
    small.write_text("".join(lines), encoding="utf-8")
    options = ["dedup", str(small), "-o", str(scratch / "small"), "--json"]
    return bench.task(FIRST, 1, scratch), options


def _has(package: str) -> bool:
    """Whether a package is installed here."""
    return importlib.util.find_spec(package) is not None


def _rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    with file.open(encoding="utf-8") as rows:
        return [json.loads(line) for line in rows]


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dedup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    home = Path(tempfile.gettempdir()) / "corpus-benchmark-dedup"
    parser.add_argument("--quick", action="store_true", help="4,000 documents, one round")
    parser.add_argument("--documents", type=int, help="of the table of tools (default: 20,000)")
    parser.add_argument("--grow", action="store_true", help="10,000 to 100,000 documents as well")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="what --grow measures")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default: 5)")
    parser.add_argument("--threshold", type=float, default=0.7)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=[*PARTS, "growth"], help="repeatable")
    parser.add_argument("--folder", type=Path, default=home, help="keeps text, corpus and truth")
    parser.add_argument("--datatrove", help="a Python that has datatrove installed")
    parser.add_argument("--json", type=Path, help="write every figure here as well")
    given = parser.parse_args()
    given.grow = given.grow or "growth" in (given.only or [])
    given.documents = given.documents or (4000 if given.quick else 20_000)
    given.rounds = given.rounds or (1 if given.quick else 5)
    return given


if __name__ == "__main__":
    sys.exit(main())
