"""The dataset card: what ``datasets`` needs to load the folder, and what a person needs to know.

Every config and split is spelled out, because a loader that has to guess takes the commonest file
ending for the data. Counts carry the tokenizer's name: a bare number of tokens says little.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
ABOUT = {
    "documents": "explanatory documents about the sections of a constitution",
    "stories": "fiction about AIs of admirable character",
    "advice": "chats in which the user has the dilemma",
    "agentic": "chats with a system prompt and tool definitions",
}
DEMO = (
    "**Demo text: not for training.** It was written by a very small model to try the machinery; "
    "it would teach a model to write badly."
)

Splits = Mapping[str, Mapping[str, Mapping[str, int]]]  # config -> split -> documents, tokens


def card(
    splits: Splits, suffix: str, label: str, facts: Mapping[str, Any], *, mark: str, demo: bool
) -> str:
    """The text of ``README.md`` for one format's folder.

    ``label`` is the tokenizer's, ``mark`` a digest of the shards: ``datasets`` finds what its cache
    holds by the folder's last name and the YAML header, not by the files, and gave the rows of
    another export, or of the last one in this folder, where headers were alike. Of ``facts``, these
    are used where they are given: ``title``, ``license``, ``models`` (a list of names),
    ``constitution`` (``name`` and ``digest``) and ``gates`` (metric to pass, warn or fail).
    """
    title = facts.get("title") or "A constitution corpus"
    return "\n".join(
        [
            *front(splits, suffix, title, mark, facts),
            f"# {title}",
            "",
            *([DEMO, ""] if demo else []),
            "Synthetic text for pretraining-style training, written by a language model and made",
            "with `constitution-corpus`.",
            "",
            *table(splits, label),
            "",
            *origin(facts),
            *snippet(splits),
        ]
    )


def front(
    splits: Splits, suffix: str, title: str, mark: str, facts: Mapping[str, Any]
) -> list[str]:
    """The YAML header, strings in JSON's quotes, which YAML shares."""
    documents = sum(count["documents"] for config in splits.values() for count in config.values())
    size = next((name for limit, name in SIZES if documents < limit), "n>1M")
    lines = ["---", f"pretty_name: {json.dumps(title)}"]
    if facts.get("license"):
        lines.append(f"license: {json.dumps(facts['license'])}")
    lines += ["tags:", "- synthetic", "- alignment", "task_categories:", "- text-generation"]
    lines += ["size_categories:", f"- {size}", "configs:"]
    for config, counts in splits.items():
        lines += [f"- config_name: {json.dumps(config)}", f"  description: shards {mark}"]
        lines += ["  data_files:"]
        for split in counts:
            lines += [f"  - split: {split}", f'    path: "{config}/{split}-*.{suffix}"']
    return [*lines, "---", ""]


def table(splits: Splits, label: str) -> list[str]:
    """Documents and tokens of every config and split."""
    lines = ["| config | split | documents | tokens | what |", "|---|---|--:|--:|---|"]
    lines += [
        f"| {config} | {split} | {count['documents']:,} | {count['tokens']:,} "
        f"| {ABOUT.get(config, '')} |"
        for config, counts in splits.items()
        for split, count in counts.items()
    ]
    note = "one end-of-text token per document included; a chat's role marks are not"
    return [*lines, "", f"Tokens are {label}; {note}."]


def origin(facts: Mapping[str, Any]) -> list[str]:
    """Who wrote it, from what, and how it was judged."""
    lines = []
    if facts.get("models"):
        lines.append(f"- Written by: {', '.join(facts['models'])}")
    if facts.get("constitution"):
        text = facts["constitution"]
        lines.append(f"- Constitution: {text['name']}, digest `{text['digest']}`")
    gates = facts.get("gates") or {}
    for verdict in ("fail", "warn", "pass"):
        metrics = [f"`{metric}`" for metric, found in gates.items() if found == verdict]
        if metrics:
            lines.append(f"- Gates, {verdict}: {', '.join(metrics)}")
    return [*lines, ""] if lines else []


def snippet(splits: Splits) -> list[str]:
    """How to load it."""
    config = next(iter(splits))
    split = next(iter(splits[config]))
    return [
        "```python",
        "from datasets import load_dataset",
        "",
        f'rows = load_dataset("PATH/OF/THIS/FOLDER", "{config}", split="{split}")',
        "```",
        "",
    ]
