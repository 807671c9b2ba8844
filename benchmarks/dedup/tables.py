"""The tables that are printed, out of the rows that are also written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.dedup.tools import TOOLS

Row = Mapping[str, Any]


def lines(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Columns as wide as what stands in them; the first to the left, the others to the right."""
    rows = [list(head), *map(list, body)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def number(value: float | None, form: str = ".2f") -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def tools(rows: Mapping[str, Row]) -> str:
    """Every tool: time, ratio, memory, precision and recall."""
    head = (
        "tool|CPU s|x ours|with files|x ours|wall s|peak MB|dropped|due|doc P|doc R|pairs R|links P"
    )
    body = []
    for name, row in rows.items():
        about = "~" if row["sample"] else ""
        verdict = row.get("verdict") or {}
        body.append(
            [
                name + (f" ({row['sample']} documents, extrapolated)" if row["sample"] else ""),
                about + number(row["cpu"]),
                about + number(row["cpu_ratio"], ".1f"),
                about + number(row["cpu_files"]),
                about + number(row["cpu_files_ratio"], ".1f"),
                about + number(row["wall"]),
                number(row["peak_bytes"] and row["peak_bytes"] / 1e6, ".0f"),
                *(number(verdict.get(key), "d") for key in ("dropped", "due")),
                *(number(verdict.get(key), ".4f") for key in ("precision", "recall")),
                *(number(verdict.get(key), ".4f") for key in ("pairs_settled", "links_true")),
            ]
        )
    scopes = [[f"  {name}", TOOLS[name].scope] for name in rows]
    width = max(len(name) for name, _ in scopes)
    return (
        lines(head.split("|"), body)
        + "\n\n"
        + "\n".join(f"{name.ljust(width)}  {scope}" for name, scope in scopes)
    )


def kinds(rows: Mapping[str, Row]) -> str:
    """The planted copies by kind: how many reach the threshold, and how many each tool missed."""
    asked = {name: row["verdict"]["kinds"] for name, row in rows.items() if row.get("verdict")}
    asked = {name: of for name, of in asked.items() if TOOLS[name].policy != "flags"}
    some = next(iter(asked.values()))
    body = [
        [kind, str(planted), str(near)]
        + [str(near - of[kind][2]) if near else "-" for of in asked.values()]
        for kind, (planted, near, _) in some.items()
    ]
    return lines(["planted", "copies", "true", *(f"{name}" for name in asked)], body)


def commands(rows: Mapping[str, Row]) -> str:
    """Whole commands, start to end."""
    head = ["whole command", "CPU s", "wall s", "peak MB", "dropped"]
    return lines(
        head,
        [
            [
                name,
                number(row["cpu"]),
                number(row["wall"]),
                number(row["peak_bytes"] / 1e6, ".0f"),
                number(row["told"].get("duplicates"), "d"),
            ]
            for name, row in rows.items()
        ],
    )


def growth(rows: Sequence[Row]) -> str:
    """Sizes: time, documents a second, memory, and the peer beside it."""
    head = (
        "documents|CPU s|docs/s|growth|peak MB|bytes/doc|doc P|doc R|pairs R|links P"
        "|rensa 32 CPU s|x ours"
    )
    body = [
        [
            f"{row['documents']:,}",
            number(row["cpu"], ".3f"),
            f"{row['documents'] / row['cpu']:,.0f}",
            number(row["growth"], ".1f") + "x",
            number(row["peak_bytes"] / 1e6, ".0f"),
            number(row["peak_bytes"] / row["documents"], ".0f"),
            *(number(row["verdict"][key], ".4f") for key in ("precision", "recall")),
            *(number(row["verdict"][key], ".4f") for key in ("pairs_settled", "links_true")),
            number(row["peer_cpu"]),
            number(row["peer_ratio"], ".1f"),
        ]
        for row in rows
    ]
    return lines(head.split("|"), body)


def names(rows: Sequence[Row]) -> str:
    """Names swapped: recall and false links by the density of names."""
    head = "names|edits|found plain|false plain|found masked|false masked"
    body = [
        [
            f"{row['density']:.0%}",
            row["edits"],
            number(row["plain"], ".4f"),
            str(row["false_plain"]),
            number(row["masked"], ".4f"),
            str(row["false_masked"]),
        ]
        for row in rows
    ]
    return lines(head.split("|"), body)
