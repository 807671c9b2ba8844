"""How results look on a terminal: JSON for programs, tables for people."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from corpus.model.prices import dollars
from corpus.records import Metric

WIDTH = 110  # columns where the output is no terminal


def as_json(value: Any) -> None:
    """Print ``value`` as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def plan_line(found: dict[str, Any]) -> str:
    """A plan in a line, as a build begins."""
    briefs = sum(row["briefs"] for row in found["streams"].values())
    rows = [*found["streams"].values(), found["principles"]]
    requests = sum(sum(row["requests"].values()) for row in rows)
    price = _price(found, "price")
    return (
        f"{found['constitution']['sections']} sections, {briefs} briefs, {requests} requests to "
        f"{found['model']} for {found['tokens']:,} tokens; likely price {price}"
    )


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
    if found["price_known"]:
        console.print(
            f"price by the table of {found['price_table']}; low: all kept, high: 60 % kept"
        )
    else:
        console.print(
            f"no price is known for '{found['model']}': give [prices.\"{found['model']}\"] input "
            f"and output in corpus.toml"
        )


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
                 "direct: low", "likely", "high", "batch: likely"):  # fmt: skip
        table.add_column(name, justify="left" if name == "stream" else "right")
    for stream, row in [*found["streams"].items(), ("principles", found["principles"])]:
        direct = row["price"] or dict.fromkeys(("low", "likely", "high"))
        batch = (row["price_batch"] or {}).get("likely")
        table.add_row(
            stream,
            f"{row['briefs']:,}",
            f"{row['kept_tokens']:,}",
            f"{sum(row['requests'].values()):,}",
            f"{row['input_tokens']:,}",
            f"{row['output_tokens']:,}",
            *(dollars(direct[name]) for name in ("low", "likely", "high")),
            dollars(batch),
        )
    return table


def _price(found: dict[str, Any], key: str) -> str:
    rows = [row[key] for row in (*found["streams"].values(), found["principles"])]
    if any(row is None for row in rows):
        return "unknown"
    low, likely, high = (sum(row[n] for row in rows) for n in ("low", "likely", "high"))
    return f"{dollars(likely)} ({dollars(low)} to {dollars(high)})"


def metrics(found: list[Metric]) -> None:
    """Print the diversity suite, one metric a row."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("metric", "value", "gate", "n", "warn", "fail", "note"):
        table.add_column(
            name, justify="right" if name in {"value", "n", "warn", "fail"} else "left"
        )
    for metric in found:
        value = "-" if metric.value is None else f"{metric.value:.4g}"
        limits = ["-" if limit is None else f"{limit:g}" for limit in (metric.warn, metric.fail)]
        table.add_row(metric.id, value, metric.gate or "-", f"{metric.n:,}", *limits, metric.note)
    _console().print(table)


def export(found: dict[str, Any]) -> None:
    """Print what an export wrote, or what a verification found."""
    if "problems" in found:
        for problem in found["problems"]:
            click.echo(problem, err=True)
        click.echo(f"{found['shards']} shards read again, {len(found['problems'])} problems")
        return
    for shard in found["shards"]:
        count = f"{shard['documents']:,} documents, {shard['tokens']:,} tokens"
        click.echo(f"{shard['file']}  {count}")


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)
