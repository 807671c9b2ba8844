"""The views that keep the books: yield and cost, shards, provenance.

The manifest is shown as it stands; what it did not record is said to be missing, never guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

from corpus.records import Json
from corpus.report import figures
from corpus.report.folder import Row
from corpus.report.markup import (
    Markup,
    count,
    el,
    join,
    lead,
    money,
    nothing,
    number,
    percent,
    row,
    share,
    size,
    table,
)

REHEARSED = "rehearsed: nothing was paid"
DEMO = "written here by the demo writer, for nothing"
WAYS = {"direct": "to direct calls", "batch": "by batch"}
LOADERS = {
    "parquet": 'load_dataset("$folder", "$config", split="$split")  # datasets',
    "jsonl": 'load_dataset("json", data_files="$file")  # datasets',
    "megatron": "--data-path $stem  # Megatron-Core, GPT-NeoX: the path without .bin or .idx",
    "olmo": 'NumpyFSLDatasetConfig(paths=["$file"], ...)  # OLMo-core; the files have no header',
    "nanogpt": 'np.memmap("$file", dtype=np.uint16, mode="r")',
    "llmc": 'np.fromfile("$file", dtype=np.uint16)[512:]  # after 256 int32 of header',
    "datatrove": 'DatatroveFolderDataset("$folder", seq_len=2048)  # datatrove.utils.dataset',
    "webdataset": 'webdataset.WebDataset("$file")',
    "mds": 'StreamingDataset(local="$folder", batch_size=1)  # mosaicml-streaming',
    "arrayrecord": 'grain.sources.ArrayRecordDataSource("$file")',
}
STEPS = {
    "planned": "Planned",
    "written": "Written",
    "passed": "Passed gates",
    "judged": "Passed judge",
    "kept": "Kept",
    "tokens": "Tokens",
}
TOTALS = {
    "paid": "Paid",
    "possibly_paid": "Possibly paid (no answer came, or no usage in it)",
    "in_all": "Paid in this folder, earlier plans too",
    "per_million_kept": "Per million kept tokens",
    "saved": "Saved by the journal and caches",
    "saved_resume": "Not bought again (was in the journal)",
    "saved_cache": "Saved by the provider's cache",
    "saved_batch": "Saved by batches",
}
YIELD = {"planned": "Briefs", "whole": "Whole texts", "passed": "Passed gates",
         "accepted": "Accepted", "kept": "Kept"}  # fmt: skip


def economy(facts: Row) -> Markup:
    """What was asked, what came through, what it cost."""
    said = "From the plan to what ships. A dash means that the step did not run."
    cost = facts["cost"]
    sums = [(TOTALS[key], money(value)) for key, value in cost["totals"].items()]
    pairs = [*sums, *_replies(cost["facts"])]
    parts = [
        _funnel(facts["funnel"]),
        _streams(cost["streams"]) if cost["streams"] else None,
        _stages(cost["stages"]),
        el("p", f"{REHEARSED.capitalize()}. The sums are what it would have cost.", class_="plain")
        if cost["rehearsed"] and not facts["headline"]["demo"]
        else None,
        el("dl", [join([el("dt", key), el("dd", value)]) for key, value in pairs], class_="facts"),
        _refusals(cost["refusals"]) if cost["refusals"] else None,
        _unknown(cost["unknown"]) if cost["unknown"] else None,
    ]
    return join([lead(said), parts])


def unpaid(head: Row) -> str:
    """Why nothing was paid: by the demo writer, or in a rehearsal."""
    return DEMO if head["demo"] else REHEARSED


def _replies(facts: Row) -> list[tuple[str, str]]:
    """How the replies came, in words."""
    ways = facts.get("replies") or {}
    found = [(f"Replies {WAYS.get(way, way)}", count(number)) for way, number in ways.items()]
    if "replayed" in facts:
        found.append(("Replies from the journal", count(facts["replayed"])))
    if "cache_hits" in facts:
        found.append(("Prompt tokens read from the cache", percent(facts["cache_hits"])))
    if facts.get("unpriced"):
        found.append(("Replies without a price", count(facts["unpriced"])))
    if "price_table" in facts:
        found.append(("Price table of", str(facts["price_table"])))
    return found


def _streams(streams: Sequence[Row]) -> Markup:
    """What each stream took and what it cost per million tokens that ship."""
    lines = [
        row(
            stream["stream"],
            *(number(count(stream[key])) for key in ("asked", "whole", "input", "output")),
            *(number(count(stream["yield"].get(key))) for key in YIELD),
            number(money(stream["paid"])),
            number(_or_dash(stream["tokens"])),
            number(money(stream["per_million_kept"])),
        )
        for stream in streams
    ]
    heads = ["Replies", "Whole", "Tokens in", "Tokens out", *YIELD.values()]
    heads += ["Paid", "Kept tokens", "Per million kept"]
    return table("Yield and cost per stream", ["Stream", *(f"#{h}" for h in heads)], lines)


def _refusals(found: Row) -> Markup:
    lines = [row(category, number(count(n))) for category, n in found.items()]
    return table("Refusals by category", ["Category", "#Replies"], lines)


def _unknown(found: Sequence[Row]) -> Markup:
    """Requests of which nobody knows whether they were answered, and billed."""
    lines = [
        row(str(one.get("stage")), str(one.get("detail")), number(money(one.get("worst"))))
        for one in found
    ]
    return table("Possibly paid: no answer came", ["Stage", "What happened", "#At most"], lines)


def _funnel(streams: Sequence[Row]) -> Markup:
    if not streams:
        return nothing("Nothing was planned.")
    heads = [f"#{head}" for head in STEPS.values()]
    lines = [
        row(
            stream["stream"],
            *(number(_or_dash(stream[key])) for key in STEPS),
            number(share(stream["kept"], stream["planned"])),
            el("td", figures.share_bar(stream["kept"], stream["planned"]), class_="drawn"),
        )
        for stream in streams
    ]
    return table("Documents by step", ["Stream", *heads, "#Yield", ""], lines, "evidence")


def _stages(stages: Sequence[Row]) -> Markup:
    if not stages:
        return nothing("Calls per stage were not recorded.")
    skip = {"stage", "skipped", "paid"}
    keys = [*dict.fromkeys(key for stage in stages for key in stage if key not in skip)]
    lines = [
        row(
            str(stage.get("stage")),
            *(number(_or_dash(stage.get(key))) for key in keys),
            number(money(stage["paid"])) if stage["paid"] is not None else number("\N{EN DASH}"),
            str(stage.get("skipped") or ""),
        )
        for stage in stages
    ]
    heads = [
        "Stage",
        *(f"#{key.replace('_', ' ').capitalize()}" for key in keys),
        "#Paid",
        "Skipped because",
    ]
    return table("Calls and tokens per stage, as the provider counted them", heads, lines)


def _or_dash(value: Json) -> str:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return count(value) if plain else "\N{EN DASH}" if value is None else str(value)


def shards(facts: Row) -> Markup:
    """The files per format, and a line that loads them from the build's folder."""
    if not facts["shards"]:
        return nothing("Nothing was exported to shards yet; run corpus export.")
    formats = [_format(name, rows) for name, rows in facts["shards"].items()]
    return join([formats, _account(facts["export"])])


def _account(found: Row) -> Markup:
    """What trainers drop of these shards, what a mixture came to, what was held out."""
    held = f"Held out of training: {', '.join(found['held_out'])}." if found["held_out"] else None
    return join(
        [
            _dropped(found),
            _mixture(found["mixture"]) if found["mixture"] else None,
            el("p", held, class_="plain") if held else None,
        ]
    )


def _dropped(found: Row) -> Markup:
    title = el("h3", "What trainers drop")
    if not found["dropped"]:
        said = "Not worked out by the last export: run corpus export OUTPUT --seq-len N."
        return join([title, el("p", said, class_="plain")])
    said = (
        f"Trainers cut a corpus into sequences, here of {count(found['seq_len'])} tokens, and say "
        "nothing of what falls off. Worked out by their rules on the lengths of these documents."
    )
    lines = [
        row(
            str(one.get("trainer")),
            *(str(one.get(key)) for key in ("format", "config", "split")),
            *(number(count(one.get(key))) for key in ("tokens", "lost")),
            number(share(one.get("lost") or 0, one.get("tokens") or 0)),
            str(one.get("what")),
        )
        for one in found["dropped"]
    ]
    heads = ["Trainer", "Format", "Config", "Split", "#Tokens", "#Lost", "#Share", "What is lost"]
    listing = table("Tokens that trainers drop", heads, lines, "shards")
    return join([title, el("p", said, class_="plain"), listing])


def _mixture(found: Row) -> Markup:
    lines = [
        row(
            str(name),
            number(percent(one["share"])),
            number(f"{one['epochs']:.2f}"),
            *(number(count(one[key])) for key in ("documents", "distinct")),
        )
        for name, one in found.items()
    ]
    heads = ["Config", "#Share of tokens", "#Epochs", "#Documents", "#Of them distinct"]
    return table("The mixture of the train split", heads, lines, "shards")


def _format(name: str, rows: Sequence[Row]) -> Markup:
    groups: dict[tuple[str, str], list[Row]] = {}
    for shard in rows:
        groups.setdefault((str(shard.get("config")), str(shard.get("split"))), []).append(shard)
    lines = [
        row(
            config,
            split,
            number(count(len(files))),
            *(
                number(count(sum(f.get(key) or 0 for f in files)))
                for key in ("documents", "tokens")
            ),
            number(size(sum(f.get("bytes") or 0 for f in files))),
        )
        for (config, split), files in groups.items()
    ]
    heads = ["Config", "Split", "#Files", "#Documents", "#Tokens", "#Size"]
    return el(
        "div",
        el("h3", name),
        table(f"Shards in {name}", heads, lines, "shards"),
        _loader(name, rows),
    )


def _loader(name: str, rows: Sequence[Row]) -> Markup | None:
    if name not in LOADERS or not rows:
        return None
    folder = f"shards/{name}"
    file = str(rows[0].get("file"))
    stem = file.rpartition(".")[0]
    slots = {"config": rows[0].get("config"), "split": rows[0].get("split")}
    line = Template(LOADERS[name])
    return el("pre", line.safe_substitute(slots, folder=folder, file=file, stem=stem))


def provenance(facts: Row) -> Markup:
    """Versions, digests and settings, as they stand in the manifest."""
    notes = [el("li", str(note)) for note in facts["notes"]]
    pairs = [join([el("dt", key), el("dd", value)]) for key, value in facts["provenance"]]
    return join(
        [
            lead("The same inputs, seed and replies give the same shards, byte for byte."),
            el("ul", notes, class_="remarks") if notes else None,
            el("dl", pairs, class_="facts") if pairs else nothing(),
        ]
    )
