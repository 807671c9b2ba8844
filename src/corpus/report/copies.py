"""Clusters of near-copies, and the difference of two texts in words.

Shown are the largest clusters, because they say what repeats, and those whose members are least
alike, because there a threshold shows whether it is right; then the nearest pairs that ship, as the
build found them by their words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from corpus.dedup import changes
from corpus.report.folder import Build, Row, body, clip, lot, title

LARGEST, LOOSEST = 6, 6  # clusters shown
DIFFS = 2  # members of a cluster that are compared word by word
MEMBERS = 8  # listed
TITLE = 60  # characters
DIFF_WORDS = 300
RUN, END = 30, 12  # a longer run of equal words keeps so many at each end
PAIRS, OFTEN = 12, 2  # nearest pairs shown; with one document in them
PIECES, PIECE = 60, 24  # of a pair's diff; words of each
SAME = ("stream", "kind", "section", "seed")  # what two documents may have been dealt alike


def clusters(build: Build) -> list[Row]:
    """The clusters to show: ``{name, documents, members}``, members least alike first."""
    groups: dict[str, list[Row]] = {}
    for row in _mine(build):
        groups.setdefault(str(row.get("cluster") or row["id"]), []).append(row)
    for members in groups.values():
        members.sort(key=lambda row: (row.get("similarity") or 0, lot(row["id"])))
    large = sorted(groups, key=lambda name: (-len(groups[name]), lot(name)))[:LARGEST]
    loose = sorted(groups, key=lambda name: (groups[name][0].get("similarity") or 0, lot(name)))
    chosen = dict.fromkeys([*large, *(n for n in loose if n not in large)])
    return [
        {"name": name, "documents": len(groups[name]) + 1, "members": groups[name][:MEMBERS]}
        for name in [*chosen][: len(large) + LOOSEST]
    ]


def wanted(build: Build, shown: Sequence[Row]) -> set[str]:
    """The documents whose texts are needed: for the diffs, and for the nearest pairs' titles."""
    pairs = [pair for cluster in shown for pair in cluster["members"][:DIFFS]]
    ids = {str(pair.get(key)) for pair in pairs for key in ("id", "original")}
    return ids | {str(one.get(key)) for one in build.nearest for key in ("id", "other")}


def duplicates(build: Build, shown: Sequence[Row], rows: Mapping[str, Row]) -> Row:
    """Counts of near-copies by method, and the chosen clusters with word diffs."""
    mine = _mine(build)
    sizes = Counter(row.get("cluster") or row["id"] for row in mine)
    listed = [
        {
            **cluster,
            "title": clip(title(rows.get(str(cluster["members"][0].get("original")))), TITLE),
            "members": [
                {**pair, "diff": _pair_diff(pair, rows) if place < DIFFS else None}
                for place, pair in enumerate(cluster["members"])
            ],
        }
        for cluster in shown
    ]
    return {
        "total": len(mine),
        "clusters": len(sizes),
        "largest": max(sizes.values(), default=-1) + 1,
        "methods": dict(Counter(str(row.get("method")) for row in mine).most_common()),
        "shown": listed,
        "nearest": nearest(build, rows),
    }


def nearest(build: Build, rows: Mapping[str, Row]) -> list[Row]:
    """The pairs most alike that ship: ids, cosine, jaccard, titles, what was dealt to both, diff.

    A pair is shown while the build still keeps both documents; a document in two pairs at most,
    for one that is near to many would fill the list; a diff keeps its first pieces.
    """
    kept = {entry.id for entry in build.kept}
    shown: list[Row] = []
    times: Counter[str] = Counter()
    for one in build.nearest:
        names = {str(one.get(key)) for key in ("id", "other")}
        if names <= kept and len(shown) < PAIRS and all(times[name] < OFTEN for name in names):
            times.update(names)
            shown.append(_near(build, one, rows))
    return shown


def _near(build: Build, one: Row, rows: Mapping[str, Row]) -> Row:
    sides = [rows.get(str(one[key]), {}) for key in ("id", "other")]
    both = {key: sides[0].get(key) for key in SAME if sides[0].get(key)}
    alike = {key: str(value) for key, value in both.items() if sides[1].get(key) == value}
    if "section" in alike:
        alike["section"] = build.title(alike["section"])
    facets = [side.get("facets") or {} for side in sides]
    alike |= {
        str(key): clip(str(value), TITLE)
        for key, value in facets[0].items()
        if facets[1].get(key) == value
    }
    pieces = list(one.get("diff") or ())
    return {
        **{key: one.get(key) for key in ("id", "other", "cosine", "jaccard", "by")},
        "titles": [clip(title(side or None), TITLE) for side in sides],
        "alike": alike,
        "diff": [[str(op), _few(str(text))] for op, text in pieces[:PIECES]],
        "left": max(0, len(pieces) - PIECES),
    }


def _few(text: str) -> str:
    words = text.split()
    return text if len(words) <= PIECE else f"{' '.join(words[:PIECE])} [{len(words) - PIECE} more]"


def _mine(build: Build) -> list[Row]:
    return [row for row in build.copies.values() if row["id"] in build.entries]


def _pair_diff(pair: Row, rows: Mapping[str, Row]) -> list[list[str]]:
    old, new = (rows.get(str(pair.get(key))) for key in ("original", "id"))
    return diff(body(old), body(new)) if old and new else []


def diff(old: str, new: str) -> list[list[str]]:
    """``[op, words]`` with op ``=``, ``-`` or ``+``: the first ``DIFF_WORDS`` words of each.

    A long run of equal words keeps its two ends; what is left out is counted as op ``...``.
    """
    steps: list[list[str]] = []
    for op, words in changes(old, new, DIFF_WORDS):
        steps += _equal(words) if op == "=" else [[op, " ".join(words)]]
    return steps


def _equal(words: Sequence[str]) -> Iterator[list[str]]:
    if len(words) <= RUN:
        yield ["=", " ".join(words)]
        return
    yield ["=", " ".join(words[:END])]
    yield ["...", str(len(words) - 2 * END)]
    yield ["=", " ".join(words[-END:])]
