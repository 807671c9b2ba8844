"""Values and gates on planted faults."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import corpora
import numpy as np
from corpora import FAULTS, mixed, sample
from numpy.typing import NDArray

from corpus import dedup
from corpus.records import Metric
from corpus.score import Text, near_copies, read_files, score
from corpus.score.columns import Columns, first_of_runs
from corpus.score.grams import NGRAM, Grams, shared_grams, sharers
from corpus.score.rarefy import at, shares
from corpus.score.reference import human

COUNT = 800
FEW, MANY, DRAWS, SAMPLES = 200, 1855, 100, 3000
SEEDS = (1, 2, 3)
OWN = {
    "templ": {"skeleton", "shared_ngram"},
    "syn": {"skeleton", "shared_ngram"},
    "neardup": {"near_dup"},
    "one_name": {"names"},
    "open_close": {"opening", "closing", "opening_repeated", "closing_repeated"},
}
SHOWN = (
    "shared_ngram", "near_dup", "skeleton", "opening", "opening_repeated", "closing",
    "closing_repeated", "names", "name_pairs", "names_effective", "zstd_long", "distinct2",
    "eff_topics", "moves", "mtld", "self_repetition", "ngram_diversity",
)  # fmt: skip


def measure(texts: Sequence[Text], *, compare: bool = False) -> dict[str, Metric]:
    """The suite as ``corpus score --baseline human`` runs it."""
    items = [dedup.Item(str(place), text.text) for place, text in enumerate(texts)]
    near = near_copies(dedup.find(items), texts)
    metrics = score(texts, baseline=human().baseline, near_duplicates=near, compare=compare)
    return {metric.id: metric for metric in metrics}


def _corpora(texts: Sequence[Text]) -> dict[str, list[Text]]:
    drawn = [Text(text.id, text.text) for text in sample(texts, COUNT)]
    made = {"human": drawn}
    for share in (1.0, 0.1, 0.02):
        for name, fault in FAULTS.items():
            if share == 1.0 and name == "neardup":
                made["neardup 30 %"] = mixed(drawn, 0.3, fault)
            else:
                made[f"{name} {share:.0%}".replace("%", " %")] = mixed(drawn, share, fault)
    return made


def table(texts: Sequence[Text], given: argparse.Namespace) -> None:
    made = _corpora(texts)
    if given.other:
        made = {"human": made.pop("human"), "Debian": _other(given)} | made
    found = {name: measure(own, compare=True) for name, own in made.items()}
    print("| metric | " + " | ".join(found) + " |")
    print("|---" * (len(found) + 1) + "|")
    for metric in SHOWN:
        marks = {"warn": " (w)", "fail": " **(F)**"}
        cells = [
            f"{_short(column[metric].value)}{marks.get(str(column[metric].gate), '')}"
            for column in found.values()
        ]
        print(f"| `{metric}` | " + " | ".join(cells) + " |")


def gates(texts: Sequence[Text], given: argparse.Namespace) -> None:
    """Each fault at 10 % and 2 %, three seeds; then human text, whole and in three samples."""
    kept = 0
    for share in (0.1, 0.02):
        for name, fault in FAULTS.items():
            for seed in SEEDS:
                found = measure(mixed(sample(texts, COUNT, seed), share, fault, seed))
                raised = {m.id: m.gate for m in found.values() if m.gate in {"warn", "fail"}}
                own = {key: raised[key] for key in OWN[name] if key in raised}
                kept += bool(own)
                rest = {key: gate for key, gate in raised.items() if key not in own}
                print(
                    f"{name} {share:.0%} seed {seed}: own {own or 'NONE'}; besides {rest}",
                    flush=True,
                )
    print(f"{kept} of {2 * len(FAULTS) * len(SEEDS)} raised their own gate")
    for label, own in [*((f"seed {s}", sample(texts, COUNT, s)) for s in SEEDS), ("all", texts)]:
        _human(f"human {label}", own)
    if given.other:
        _human("Debian", _other(given))


def _human(label: str, texts: Sequence[Text]) -> None:
    found = measure(texts)
    raised = {m.id: (m.gate, m.value, m.note) for m in found.values() if m.gate in {"warn", "fail"}}
    print(f"{label}, n = {len(texts)}: {raised or 'no gate raised'}", flush=True)


def sizes(texts: Sequence[Text], _given: argparse.Namespace) -> None:
    """Values at n = 200 (mean of many draws) and n = 1,855 of one source, that rarefied too."""
    made = sample(texts, MANY)
    few = [measure(sample(made, FEW, seed), compare=True) for seed in range(1, DRAWS + 1)]
    many = measure(made, compare=True)
    for name in [*SHOWN, "not_x_but_y", "em_dashes", "slop", "lengths"]:
        _beside(name, few, many)


def planted(texts: Sequence[Text], _given: argparse.Namespace) -> None:
    """The same for a tenth of the documents at fault: the metrics that are to see it.

    The faults are planted once, so that the small samples have what the large one has.
    """
    for fault, watched in OWN.items():
        made = mixed(sample(texts, MANY), 0.1, FAULTS[fault])
        few = [measure(sample(made, FEW, seed)) for seed in range(1, DRAWS + 1)]
        many = measure(made)
        print(fault)
        for name in sorted(watched | {"zstd_long"}):
            _beside(name, few, many)


def rarefied(texts: Sequence[Text], _given: argparse.Namespace) -> None:
    """The share of words in shared 8-grams at n = 200, in closed form and by 3,000 samples."""
    drawn = sample(texts, MANY)
    for name, fault in {"human": None, **FAULTS}.items():
        columns = Columns.of(mixed(drawn, 0.1, fault) if fault else drawn)
        grams, _ = shared_grams(columns)
        curve = shares(sharers(grams, columns), len(columns), len(columns.words))
        chance = np.random.default_rng(1)
        some = [_covered(columns, grams, chance.permutation(len(columns))[:FEW])
                for _ in range(SAMPLES)]  # fmt: skip
        mean, error = np.mean(some), np.std(some) / SAMPLES**0.5
        print(
            f"{name:10} closed {at(curve, FEW):.6f}, samples {mean:.6f} +- {error:.6f}", flush=True
        )


def _covered(columns: Columns, grams: Grams, chosen: NDArray[np.int64]) -> float:
    """The share of the words of some documents that lie in 8-grams of two of them, counted."""
    inside = np.isin(grams.docs, chosen)
    mine = Grams(grams.values[inside], grams.docs[inside], grams.starts[inside])
    heads = np.flatnonzero(first_of_runs(mine.values))
    sizes = np.diff(np.append(heads, len(mine.values)))
    both = np.repeat(mine.docs[heads] != mine.docs[heads + sizes - 1], sizes)
    places = columns.ends[mine.docs[both]] + mine.starts[both]
    found = np.unique(places[:, None] + np.arange(NGRAM))
    return len(found) / int(columns.sizes[chosen].sum())


def _beside(name: str, few: Sequence[dict[str, Metric]], many: dict[str, Metric]) -> None:
    """A line: the mean and spread of the small samples, the large one, and it at their size."""
    values = np.array([one[name].value for one in few], dtype=float)
    large, rarefied = many[name].value, many[name].rarefied
    if large is None or np.isnan(values).any():
        return
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    error = spread / len(values) ** 0.5
    said = f"n={FEW} {_short(mean):>8} (error {error:.2g}, of one sample {spread:.2g})"
    said += f"  n={MANY} {_short(large):>8} {_change(large, mean)}"
    if rarefied is not None:
        said += f"  at {FEW}: {_short(rarefied)} {_change(rarefied, mean)}"
    print(f"  {name:18} {said}", flush=True)


def _change(value: float, mean: float) -> str:
    return f"{value / mean - 1:+.1%}" if mean else f"{value:+.2g}"


def _other(given: argparse.Namespace) -> list[Text]:
    return corpora.sample(read_files([given.other]), COUNT)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}".rstrip("0") if value < 1 else f"{value:.3g}"


RUNS = {"table": table, "gates": gates, "sizes": sizes, "planted": planted, "rarefied": rarefied}
