"""How results look on a terminal: JSON for programs, tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from corpus.model.prices import dollars
from corpus.records import Metric

WIDTH = 120  # columns where the output is no terminal
CACHED = "price_batch_cache"
WAYS = {"price": "asked directly", "price_batch": "by batch", CACHED: "by batch with cache",
        "price_build": "as the build will do"}  # fmt: skip


def as_json(value: Any) -> None:
    """Print ``value`` as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def plan_line(found: dict[str, Any]) -> str:
    """A plan in a line, as a build begins."""
    briefs = sum(row["briefs"] for row in found["streams"].values())
    rows = [*found["streams"].values(), found["principles"]]
    requests = sum(sum(row["requests"].values()) for row in rows)
    return (
        f"{found['constitution']['sections']} sections, {briefs} briefs, {requests} requests to "
        f"{found['model']} for {found['tokens']:,} tokens; {_likely(found)}"
    )


def _likely(found: dict[str, Any]) -> str:
    """The likely price of the way that the build will take for most, low and high."""
    if found["writer"] == "local":
        return "runs here, costs nothing"
    way = "mostly by batch" if "batch" in found["ways"].values() else "asked directly"
    price = _range(found["totals"]["price_build"]) if found["totals"] else "unknown"
    if found["writer"] == "rehearse":
        return f"rehearsed: nothing will be paid (in earnest likely {price}, {way})"
    return f"likely price {price}, {way}"


def plan(found: dict[str, Any]) -> None:
    """Print a plan: tree, coverage, requests, tokens, price."""
    console = _console()
    for node in found["constitution"]["tree"]:
        _tree(console, node, found["coverage"], 0)
    for note in found["constitution"]["notes"]:
        console.print(Text(f"note: {note}"))
    console.print(_streams(found))
    console.print(plan_line(found))
    if found["skipped"]:
        stages = ", ".join(found["skipped"])
        console.print(f"skipped, because the writer '{found['writer']}' cannot do them: {stages}")
    for line in _money(found):
        console.print(Text(line))
    if not found["price_known"]:
        console.print(
            f"no price is known for '{found['model']}': give [prices.\"{found['model']}\"] input "
            f"and output in corpus.toml"
        )


def _money(found: dict[str, Any]) -> Iterator[str]:
    """The whole price by each way, the way that each stage will take, and what to know of it."""
    if found["writer"] == "local":
        return
    ways = found["ways"]
    for way, label in WAYS.items():
        if found["totals"]:
            yield f"{label:<22} {_range(found['totals'][way])}"
    if len(set(ways.values())) == 1:
        yield f"all stages {'by batch' if 'batch' in ways.values() else 'asked directly'}"
    else:
        yield "; ".join(f"{stage}: {way}" for stage, way in ways.items())
    if found["price_known"] and not found["pilot"]:
        yield f"price table of {found['price_table']}; low: all is kept, high: 60 % is kept"
    yield from (f"note: {note}" for note in found["notes"])


def pilot(found: dict[str, Any]) -> None:
    """Print what a pilot measured: yield and tokens by stream and stage, then the price."""
    console = _console()
    console.print(_measures(found))
    for stream, row in found["streams"].items():
        steps = ", ".join(f"{number} {step}" for step, number in row["yield"].items())
        per_word = f"{row['kept_tokens_per_word']:.2f} kept tokens per ordered word"
        console.print(Text(f"{stream}: {steps}; {per_word}"))
    paid = "rehearsed, nothing was paid" if found["rehearsed"] else f"paid {dollars(found['paid'])}"
    console.print(f"{found['briefs']} of {found['planned']} briefs of the first round: {paid}")
    for way, label in WAYS.items():
        if found["price"]:
            console.print(f"whole plan, {label:<22} {_range(found['price'][way])}")
    if not found["price"]:
        console.print("no price for the whole plan: too little was kept, or the model has no price")
    console.print("low and high: cost per kept token plus or minus 2 standard errors")


def _measures(found: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stream", "stage", "asked", "whole", "tokens in each", "out each", "cost"):
        table.add_column(name, justify="left" if name in {"stream", "stage"} else "right")
    known = found["paid"] is not None
    for stream, row in found["streams"].items():
        for stage, account in row["stages"].items():
            table.add_row(
                stream,
                stage,
                f"{account['asked']:,}",
                f"{account['whole']:,}",
                f"{account['input_per_request']:,.0f}",
                f"{account['output_per_request']:,.0f}",
                dollars(account["cost"] if known else None),
            )
    return table


def _tree(console: Console, node: dict[str, Any], coverage: dict[str, Any], depth: int) -> None:
    """Print a heading with its words and briefs, then what is below it."""
    dealt: dict[str, int] = {}
    for section in node["sections"]:
        for stream, briefs in coverage.get(section, {}).items():
            dealt[stream] = dealt.get(stream, 0) + briefs
    counts = ", ".join(f"{briefs} {stream}" for stream, briefs in dealt.items())
    words = f"{node['words']:>6} words" if node["sections"] else " " * 12
    title = ("  " * depth + node["title"])[:56]
    console.print(Text(f"{title:<56} {words}  {counts}".rstrip()))
    for child in node["children"]:
        _tree(console, child, coverage, depth + 1)


def _streams(found: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("stream", "briefs", "kept tokens", "requests", "tokens in", "tokens out",
                 "direct: low", "likely", "high", "batch: likely", "+ cache"):  # fmt: skip
        table.add_column(name, justify="left" if name == "stream" else "right")
    for stream, row in [*found["streams"].items(), ("principles", found["principles"])]:
        direct = row["price"] or dict.fromkeys(("low", "likely", "high"))
        table.add_row(
            stream,
            f"{row['briefs']:,}",
            f"{row['kept_tokens']:,}",
            f"{sum(row['requests'].values()):,}",
            f"{row['input_tokens']:,}",
            f"{row['output_tokens']:,}",
            *(dollars(direct[name]) for name in ("low", "likely", "high")),
            *(dollars((row[way] or {}).get("likely")) for way in ("price_batch", CACHED)),
        )
    return table


def _range(price: dict[str, int]) -> str:
    return f"{dollars(price['likely'])} ({dollars(price['low'])} to {dollars(price['high'])})"


def metrics(found: list[Metric]) -> None:
    """Print the diversity suite, one metric a row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    heads = ("metric", "value", "95 %", "at 200", "gate", "n", "warn", "fail", "baseline", "note")
    for name in heads:
        left = name in {"metric", "gate", "note"}
        table.add_column(name, justify="left" if left else "right")
    for metric in found:
        ends = [_figure(end) for end in (metric.low, metric.high)]
        between = "-" if metric.low is None else " .. ".join(ends)
        table.add_row(
            metric.id, _figure(metric.value), between, _figure(metric.rarefied),
            metric.gate or "-", f"{metric.n:,}", _figure(metric.warn), _figure(metric.fail),
            _baseline(metric), "; ".join(filter(None, [metric.note, _matched(metric)])),
        )  # fmt: skip
    _console().print(table)


def _baseline(metric: Metric) -> str:
    of = f" (n {metric.baseline_n:,})" if metric.baseline_n else ""
    return _figure(metric.baseline) + of


def _matched(metric: Metric) -> str:
    """Both sides at the size of the smaller one, where the value depends on it."""
    if not (both := metric.matched):
        return ""
    here, there = _figure(both["value"]), _figure(both["baseline"])
    return f"at {both['documents']:,} documents {here}, baseline {there}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)
