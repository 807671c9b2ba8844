"""The dataset card: what ``datasets`` needs to load the folder, and what a person needs to know.

Every config and split is spelled out, because a loader that has to guess takes the commonest file
ending for the data. Counts carry the tokenizer's name: a bare number of tokens says little.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from corpus.export.snippets import snippets

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
         (10_000_000, "1M<n<10M"))  # fmt: skip
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
LISTED = 60  # sections in the table
SHARE = 0.01  # of a run's tokens: arXiv 2601.10160
PHASE = 0.10  # the last part of a run, which sufficed there
STEPS = 250  # optimiser steps: 244 showed an effect where 31 on the same tokens did not

Splits = Mapping[str, Mapping[str, Mapping[str, int]]]  # config -> split -> documents, tokens


@dataclass(frozen=True, slots=True)
class About:
    """What a card tells.

    ``label`` is the tokenizer's, ``files`` the first shard of every format written, ``chats`` the
    configs of chats, ``fields`` the manifest's figures. ``mark`` is a digest of the shards:
    ``datasets`` finds what its cache holds by the folder's last name and the YAML header, not by
    the files, and gave the rows of another export where headers were alike.
    Of ``facts``, these are used where they are given: ``title``, ``license``, ``models`` (a list of
    names), ``constitution`` (``name`` and ``digest``), ``gates`` (metric to pass, warn or fail),
    ``counts`` (stream to planned, written, rejected, duplicate, kept) and ``guard`` (``mode``,
    ``held_out`` and ``found``, a count by family of evaluations).
    """

    splits: Splits
    suffix: str
    label: str
    facts: Mapping[str, Any]
    fields: Mapping[str, Any]
    files: Mapping[str, str]
    mark: str = ""
    chats: frozenset[str] = frozenset()
    demo: bool = False

    @property
    def title(self) -> str:
        """The name of the dataset."""
        return str(self.facts.get("title") or "A constitution corpus")

    def total(self, what: str, split: str | None = None) -> int:
        """Documents or tokens of all configs, of one split or all."""
        return sum(
            count[what]
            for config in self.splits.values()
            for name, count in config.items()
            if split in {None, name}
        )


def card(about: About) -> str:
    """The text of ``README.md`` for one format's folder."""
    lines = [
        *front(about),
        f"# {about.title}",
        "",
        *([DEMO, ""] if about.demo else []),
        "Synthetic text for pretraining-style training, written by a language model and made",
        "with `constitution-corpus`.",
        "",
        *table(about),
        "",
        *origin(about.facts),
        *mixture(about.fields),
        *sections(about),
        *losses(about.fields),
        *limits(about),
        "## Loading",
        "",
        *snippets(about.files, about.fields["tokenizer"]),
    ]
    return "\n".join(lines)


def front(about: About) -> list[str]:
    """The YAML header, strings in JSON's quotes, which YAML shares."""
    size = next((name for limit, name in SIZES if about.total("documents") < limit), "n>10M")
    lines = ["---", f"pretty_name: {json.dumps(about.title)}"]
    if about.facts.get("license"):
        lines.append(f"license: {json.dumps(about.facts['license'])}")
    lines += ["tags:", "- synthetic", "- alignment", "task_categories:", "- text-generation"]
    lines += ["size_categories:", f"- {size}", "configs:"]
    for config, counts in about.splits.items():
        lines += [f"- config_name: {json.dumps(config)}", f"  description: shards {about.mark}"]
        lines += ["  data_files:"]
        for split in counts:
            lines += [f"  - split: {split}", f'    path: "{config}/{split}-*.{about.suffix}"']
    return [*lines, "---", ""]


def table(about: About) -> list[str]:
    """Documents and tokens of every config and split."""
    lines = ["| config | split | documents | tokens | what |", "|---|---|--:|--:|---|"]
    lines += [
        f"| {config} | {split} | {count['documents']:,} | {count['tokens']:,} "
        f"| {ABOUT.get(config, '')} |"
        for config, counts in about.splits.items()
        for split, count in counts.items()
    ]
    note = "one end-of-text token per document included; a chat's role marks are not"
    return [*lines, "", f"Tokens are {about.label}; {note}."]


def origin(facts: Mapping[str, Any]) -> list[str]:
    """Who wrote it, from what, what was left out, and how it was judged."""
    lines = ["## Where it comes from", ""]
    if facts.get("models"):
        lines.append(f"- Written by: {', '.join(facts['models'])}")
    if facts.get("constitution"):
        text = facts["constitution"]
        lines.append(f"- Constitution: {text['name']}, digest `{text['digest']}`")
    given = facts.get("license")
    lines.append(f"- Licence: {given}" if given else "- Licence: none was given; ask its makers")
    gates = facts.get("gates") or {}
    for verdict in ("fail", "warn", "pass"):
        metrics = [f"`{metric}`" for metric, found in gates.items() if found == verdict]
        if metrics:
            lines.append(f"- Diversity gates, {verdict}: {', '.join(metrics)}")
    if guard := facts.get("guard"):
        found = sum((guard.get("found") or {}).values())
        lines.append(
            f"- Evaluation guard ({guard.get('mode')}): {found:,} texts shaped like a known "
            f"evaluation, {guard.get('held_out', 0):,} held-out prompts looked for"
        )
    return [*lines, "", *yields(facts.get("counts") or {})]


def yields(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    """What each stage let through."""
    if not counts:
        return []
    columns = ("planned", "written", "rejected", "duplicate", "kept")
    lines = [f"| stream | {' | '.join(columns)} |", "|---|" + "--:|" * len(columns)]
    for stream, count in counts.items():
        cells = " | ".join(f"{count.get(column, 0):,}" for column in columns)
        lines.append(f"| {stream} | {cells} |")
    return [*lines, ""]


def mixture(fields: Mapping[str, Any]) -> list[str]:
    """What a mixture came to."""
    found = fields.get("mixture") or {}
    if not found:
        return []
    lines = ["## Mixture", "",
             "Realised in the train split; a repeat has its `epoch` in the metadata.", "",
             "| config | share of tokens | epochs | documents | of them distinct |",
             "|---|--:|--:|--:|--:|"]  # fmt: skip
    lines += [
        f"| {name} | {one['share']:.2%} | {one['epochs']:.2f} | {one['documents']:,} "
        f"| {one['distinct']:,} |"
        for name, one in found.items()
    ]
    return [*lines, ""]


def sections(about: About) -> list[str]:
    """How much there is of each section, and how to mix it into a run."""
    found = about.fields.get("sections") or {}
    lines = ["## Mixing it in late", "", *hint(about.total("tokens", "train")), ""]
    if not found:
        return lines
    lines += ["| section | documents | tokens |", "|---|--:|--:|"]
    lines += [
        f"| {name.replace('|', '/')} | {one['documents']:,} | {one['tokens']:,} |"
        for name, one in list(found.items())[:LISTED]
    ]
    if len(found) > LISTED:
        lines.append(f"| and {len(found) - LISTED} more, in the manifest | | |")
    return [*lines, ""]


def hint(tokens: int) -> Iterator[str]:
    """A share and a number of steps that published work found to suffice, for so many tokens."""
    phase = tokens * PHASE / SHARE
    yield f"Published runs mixed such text in at about {SHARE:.0%} of all tokens, and the last"
    yield f"{PHASE:.0%} of a run sufficed (arXiv 2601.10160): one token in {PHASE / SHARE:.0f} of"
    yield f"that phase. Read once, these {tokens:,} training tokens are that share of a last phase"
    yield f"of {phase:,.0f} tokens. Steps count as well as tokens: an effect was seen at 244"
    yield f"optimiser steps and none at 31 on the same text. For {STEPS} steps that all hold some"
    yield f"of it, a batch of that phase is at most {max(1, phase / STEPS):,.0f} tokens."


def losses(fields: Mapping[str, Any]) -> list[str]:
    """What trainers will drop at the sequence length that was asked about."""
    found = [one for one in fields.get("dropped") or () if one["split"] == "train"]
    if not found:
        return []
    lines = [f"## What trainers drop at sequences of {fields['seq_len']:,} tokens", "",
             "Of the train split; the manifest has all.", "",
             "| format | trainer | config | lost | share | what |",
             "|---|---|---|--:|--:|---|"]  # fmt: skip
    lines += [
        f"| {one['format']} | {one['trainer']} | {one['config']} "
        f"| {one['lost']:,} | {one['share']:.2%} | {one['what']} |"
        for one in found
    ]
    return [*lines, ""]


def limits(about: About) -> list[str]:
    """What a reader must not take this for."""
    way = about.fields.get("split_by", "none")
    lines = ["## Known limits", "",
             "- Every text was written by a language model; none is a fact or a source.",
             "- It was judged by models and by rules, not read through by people.",
             "- Nobody has shown that training on this very text improves a model."]  # fmt: skip
    if way == "none":
        lines.append("- There is no validation split: the rows make one group, or too few.")
    else:
        lines.append(f"- Splits keep rows of one {way} together; topics still overlap.")
    if about.fields.get("tokenizer", {}).get("proxy"):
        lines.append("- Tokens were counted with GPT-2's vocabulary, which is hardly your model's.")
    return [*lines, ""]
