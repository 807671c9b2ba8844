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
    row,
    share,
    size,
    table,
)

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
    "possibly_paid": "Possibly paid (no answer came)",
    "saved": "Saved by the journal and caches",
    "per_million_kept": "Per million kept tokens",
}


def economy(facts: Row) -> Markup:
    """What was asked, what came through, what it cost."""
    said = "From the plan to what ships. A dash means that the step did not run."
    sums = [
        join([el("dt", TOTALS[key]), el("dd", money(value))])
        for key, value in facts["cost"]["totals"].items()
    ]
    parts = [_funnel(facts["funnel"]), _stages(facts["cost"]["stages"])]
    return join([lead(said), parts, el("dl", sums, class_="facts")])


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
    return join(_format(name, rows) for name, rows in facts["shards"].items())


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
