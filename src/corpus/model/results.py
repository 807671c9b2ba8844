"""The rows of an ended batch, on their way into the journal.

They come in no order, twice, not at all, or from somebody else; each is held against the intent,
and only what failed is asked again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from corpus.errors import CorpusError
from corpus.model import batchlog
from corpus.model.batchlog import Batch, Row
from corpus.model.failures import failure_said
from corpus.model.replies import read_reply
from corpus.records import Reply
from corpus.store import line

if TYPE_CHECKING:
    from corpus.model.batches import Batches

READS = 3  # times that results are read while rows are missing


@dataclass
class Results:
    """The results of one ended batch, on their way into the journal."""

    room: Batches
    batch: Batch
    refused: dict[str, Reply]
    stops: CorpusError | None = None  # what a row said of the account: no other would do better

    def fetch(self, billed: int) -> None:
        """Commit every row, reading again while rows are missing.

        Args:
            billed: how many the provider says that it answered.

        Raises:
            Gone: the provider no longer has them.
            ProviderStopped: key, credit or spend limit failed a request; all rows are committed.
        """
        journal, nonce = self.room.journal, self.batch.nonce
        for _ in range(READS):
            self.room.provider.read(str(self.batch.id), self._take)
            missing = batchlog.open_items(journal, nonce)
            if not missing:
                break
        else:
            self._missing(missing, billed - batchlog.succeeded(journal, nonce))
        batchlog.fetched(journal, nonce)
        if unreadable := batchlog.parsed(journal, nonce):
            self._note("unreadable", f"{unreadable} replies")
        if self.stops is not None:
            raise self.stops

    def _take(self, rows: Iterator[dict[str, Any] | None]) -> None:
        """Commit rows in groups; a row that is settled already says nothing new."""
        group: dict[int, dict[str, Any]] = {}
        for row in rows:
            place = None if row is None else self._place(row)
            if row is None or place is None:
                self._note("row_foreign", str(row)[:200])
                continue
            if place in group or len(group) >= batchlog.GROUP:
                self._commit(group)
                group = {}
            group[place] = row["result"]
        self._commit(group)

    def _place(self, row: dict[str, Any]) -> int | None:
        """Which request a row answers; None if it is none of ours."""
        nonce, _, place = str(row.get("custom_id")).rpartition("-")
        ours = nonce == self.batch.nonce and isinstance(row.get("result"), dict)
        number = int(place) if ours and place.isdecimal() else self.batch.size
        return number if number < self.batch.size else None

    def _commit(self, group: dict[int, dict[str, Any]]) -> None:
        known = batchlog.attempts(self.room.journal, self.batch.nonce, list(group))
        rows: list[Row] = []
        reserved: list[int | None] = []
        for place, result in group.items():
            attempt, key, worst = known[place]
            row = self._row(attempt, key, result)
            if row is None:
                self._note("row_unknown_type", str(result)[:200])
                continue
            rows.append(row)
            reserved.append(worst)
        settled = batchlog.settle(self.room.journal, rows)
        for row, worst, new in zip(rows, reserved, settled, strict=True):
            if new:
                self.room.purse.settle(worst, worst if row.cost is None else row.cost)

    def _row(self, attempt: int, key: str, result: dict[str, Any]) -> Row | None:
        """What a result means for its attempt; None for a type that nobody knows."""
        kind = result.get("type")
        if kind == "succeeded" and isinstance(result.get("message"), dict):
            body = line(result["message"])
            cost = read_reply(key, body, self.room.price, batch=True).cost
            return Row(attempt, "ok", body=body, cost=cost)
        if kind == "errored":
            error = result.get("error")
            failure = failure_said(error.get("error") if isinstance(error, dict) else error)
            self.stops = self.stops or failure.stops
            if failure.terminal:
                self.refused[key] = Reply(key, "", f"error_{failure.status}", "", batch=True)
            return Row(attempt, "refused" if failure.terminal else "error", detail=failure.detail)
        return Row(attempt, "error", detail=str(kind)) if kind in {"expired", "canceled"} else None

    def _missing(self, items: list[tuple[int, int | None]], billed: int) -> None:
        """Rows that never came: possibly paid for, if the provider counts more than it sent."""
        state = "unknown" if billed > 0 else "error"
        self._note("rows_missing", f"{len(items)} rows, {max(0, billed)} of them billed")
        self.room.say(
            f"batch {self.batch.id}: {len(items):,} results are missing; they are asked again"
        )
        gone = [Row(attempt, state, detail="no row in the results") for attempt, _ in items]
        batchlog.settle(self.room.journal, gone)
        for _, worst in items:
            self.room.purse.settle(worst, worst if state == "unknown" else 0)

    def _note(self, kind: str, detail: str) -> None:
        self.room.journal.event(kind, f"{self.batch.id}: {detail}").result()
