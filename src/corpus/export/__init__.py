"""The shards: rows joined, split, ordered, counted and written in every format asked for.

``export`` writes the shards and says what it wrote; ``publish`` also writes the manifest, last and
by rename, so that its existence means that the export is whole; ``verify`` reads it all again.
Order is by config, split and a hash of seed and id, so the same rows and seed give the same bytes.
Rows are read twice: once to count and settle their order, once to write them; in between their
texts stay where they are, so memory does not grow with them. This room decides what a reader of
the corpus gets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corpus import store
from corpus.errors import InputError
from corpus.export import manifest as manifests
from corpus.export.arrange import Choice
from corpus.export.folder import abandon, held
from corpus.export.gather import rows_of_build, rows_of_files
from corpus.export.ready import SHARD_TOKENS, Exported, Options, Ready, prepared
from corpus.export.verify import damage, verify
from corpus.formats import Row

__all__ = [
    "SHARD_TOKENS",
    "Choice",
    "Exported",
    "Options",
    "export",
    "publish",
    "rows_of_build",
    "rows_of_files",
    "verify",
]


def export(rows: Sequence[Row], folder: Path, **options: Any) -> Exported:  # noqa: ANN401 - Options
    """Write ``rows`` to ``folder/<format>/`` for each format; no manifest.

    ``options`` are the fields of ``Options``.

    Raises:
        InputError, DiskError: as ``prepared`` and ``Ready.write``.
    """
    with prepared(rows, folder, Options(**options)) as ready:
        return ready.write()


def publish(
    rows: Sequence[Row],
    folder: Path,
    *,
    build: Path | None = None,
    replace: bool = False,
    **options: Any,  # noqa: ANN401 - Options
) -> dict[str, Any]:
    """Export ``rows`` to ``folder`` and write the manifest, which is returned.

    The manifest is ``folder``'s own, or that of the ``build`` whose shards these are; a build's
    keeps what else it says. Formats of an earlier export stay listed if they hold the same rows; if
    not, their shards are removed, since nothing vouches for them any more; so are those that an
    export which did not end has touched. An export of other rows
    is only written over where ``replace`` says so; a build's shards are always its own.

    Raises:
        InputError, DiskError: as ``export``; or the manifest that is there is not one of ours, or
            is of another export.
        Locked: another export writes to ``folder``.
    """
    base = build or folder
    path = base / manifests.NAME
    with held(folder), prepared(rows, folder, Options(**options)) as ready:
        broken = not path.exists()  # an export began here and did not end
        previous = manifests.current(path)
        if not (replace or build):
            refuse_other(previous, ready)
        with manifests.unsealed(path):
            fields = ready.write().row(base)
            others = manifests.others(previous, fields)
            whole = not broken or not any(damage(base, shard) for shard in others)
            if whole and manifests.same_rows(previous, fields):
                fields["shards"] += others
            else:
                for name in {shard["format"] for shard in others}:
                    abandon(folder / name)
            facts = {name: value for name, value in ready.options.facts.items() if value}
            kept = {name: previous[name] for name in previous if name not in manifests.OWN}
            made = (kept if build else manifests.head() | facts) | fields
            store.write_json(path, made)
    return made


def refuse_other(previous: Mapping[str, Any], ready: Ready) -> None:
    """Refuse to write over an export of other rows, or of these in another order or split."""
    if not previous:
        return
    fields: dict[str, Any] = {"splits": ready.splits}
    if previous.get("splits") == fields["splits"]:  # else they differ, whatever the texts are
        digests = ready.digests()
        fields |= {
            "text_sha256": digests.text,
            "tokens_sha256": digests.tokens,
        }
        staying = manifests.formats(previous) - ready.modules.keys()
        if staying or "rest_sha256" in previous:  # one of an earlier version may be made again
            fields["rest_sha256"] = digests.rest
        if ready.options.mask_roles:
            fields["mask_roles"] = list(ready.options.mask_roles)
        if manifests.same_rows(previous, fields):
            return
    raise InputError(
        f"{ready.folder}: holds another export (text_sha256 "
        f"{previous.get('text_sha256', '')[:16]}) of other documents, metadata or settings; "
        f"name another folder, or pass --replace"
    )
