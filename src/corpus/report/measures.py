"""What a measure is called, where it stands in the page, and which verdicts speak for the whole."""

from __future__ import annotations

from collections.abc import Sequence

from corpus.report.folder import Row
from corpus.score.scale import RELATIVE

ORDER = {"fail": 0, "warn": 1, "pass": 2}
MEASURES = {
    "shared_ngram": (
        "Phrases that documents share",
        "Words inside an 8-word phrase that another document also has.",
    ),
    "shared_ngram_raw": (
        "Shared phrases, quotations included",
        "The same, with what the constitution and the seeds say counted too.",
    ),
    "near_dup": ("Near-copies that remain", "Documents that nearly repeat another one."),
    "skeleton": (
        "Sentences from one mould",
        "Sentences whose form without names and numbers is in three documents or more.",
    ),
    "opening": ("The commonest opening", "Documents that begin with the same few words."),
    "opening_repeated": ("Repeated openings", "Documents that begin as another one does."),
    "closing": ("The commonest ending", "Documents that end with the same few words."),
    "closing_repeated": ("Repeated endings", "Documents that end as another one does."),
    "names": ("The commonest name", "Documents that use it."),
    "name_pairs": ("The commonest pair of names", "Documents that use both."),
    "names_effective": ("Effective names", "Equally common names would repeat as these do."),
    "novelty": ("New phrases", "8-word phrases of the last tenth that no document before had."),
    "distinct2": ("Distinct word pairs", "A figure to compare with a baseline of the same genre."),
    "coverage": ("Coverage of the plan", "Planned cells of section and kind that are not empty."),
    "zstd_long": (
        "Compression over a long window",
        "Bytes over those of zstd with a window as long as the corpus: repetition at any distance.",
    ),
    "eff_topics": (
        "Effective topics",
        "How many texts without anything in common would be as spread out as this corpus.",
    ),
    "syntax": (
        "Repeated sentence shapes",
        "Runs of 8 parts of speech that a tenth of the documents has.",
    ),
    "coverage_facets": (
        "Coverage of what was dealt",
        "Planned cells of kind, facet and value that are not empty.",
    ),
    "moves": ("Moves", "The share of documents with the commonest turn that others do not make."),
    "not_x_but_y": ("Not X but Y", "A turn that models overuse."),
    "offers": ("Offers at the end", "Stock offers of further help."),
    "autonomy": ("It is your call", "Stock words that hand a decision back."),
    "slop": ("Stock phrases", "Words and phrases that audits of synthetic text count."),
    "em_dashes": ("Em dashes", "A matter of style."),
    "cut_off": ("Cut-off endings", "Documents whose last line is prose that no mark ends."),
    "mtld": ("MTLD", "Lexical diversity by length of runs; a collapsed corpus can have more."),
    "coverage_entropy": (
        "Evenness of coverage",
        "Entropy of the documents over the planned cells, divided by that of the plan.",
    ),
    "lengths": ("Length", "A matter of style, not of diversity."),
}


def base(metric: Row) -> str:
    """The id of the measure, without the part of the corpus that it is about."""
    return str(metric["id"]).partition("/")[0]


def name(metric: Row) -> str:
    """A metric's plain name; its id where it is not one of the suite."""
    known = base(metric)
    said = MEASURES[known][0] if known in MEASURES else known.replace("_", " ").capitalize()
    return f"{said}, {metric['scope']}" if metric.get("scope") else said


def anchor(metric: Row) -> str:
    """Where the evidence of a metric stands in the page."""
    return f"m-{_slug(metric['id'])}"


def row_anchor(metric: Row) -> str:
    """Where its verdict stands."""
    return f"v-{_slug(metric['id'])}"


def _slug(name: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in name)


def leading(metrics: Sequence[Row]) -> list[Row]:
    """The metrics of the whole, and those of parts that are worse than their whole says."""
    whole = {base(m): ORDER.get(m["gate"], 3) for m in metrics if not m["scope"]}
    return [
        m
        for m in metrics
        if not m["scope"]
        or (m["gate"] in {"warn", "fail"} and ORDER[m["gate"]] < whole.get(base(m), 3))
    ]


def told(metric: Row) -> float | None:
    """The value that the gate speaks on: at a baseline's size where the limits are of that size."""
    both = metric.get("matched")
    found: float | None = both["value"] if both and base(metric) in RELATIVE else metric["value"]
    return found


def verdict_of(metric: Row) -> int:
    """The place in ``ORDER`` of what the value alone would be called, by the limits in force."""
    value = told(metric)
    sign = 1 if metric["higher_is_better"] else -1
    beyond: list[bool] = [
        value is not None and metric.get(key) is not None and sign * (value - metric[key]) < 0
        for key in ("warn", "fail")
    ]
    return ORDER["pass"] - sum(beyond)


def interval(metric: Row) -> list[float]:
    """The ends of the 95 % interval; empty if the row has none."""
    ends = [metric.get("low"), metric.get("high")]
    known = [end for end in ends if isinstance(end, (int, float)) and not isinstance(end, bool)]
    return known if len(known) == len(ends) else []
