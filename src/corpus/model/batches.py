"""Message Batches: half the price, and after any crash nothing is bought twice.

``create`` takes no name and no idempotency key, so the order of events carries the safety: the
intent (a nonce, the requests and their number) is committed before the batch is sent, every
``custom_id`` begins with the nonce, and a run that finds an intent without an id looks for its
batch at the provider before it may send anything again. States of a batch:

    intent -> created -> ended -> fetched -> parsed      (or: never, given_up)

Nothing here hands replies out: a batch ends with its replies in the journal, and the door reads
them from there, as it does after a restart.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from corpus.errors import CorpusError, InputError, Interrupted
from corpus.model import batchlog
from corpus.model.batchlog import Batch
from corpus.model.prices import Price, Purse
from corpus.model.provider import Clock, Gone, Provider, size
from corpus.model.results import Results
from corpus.model.wire import Cache, prefix, shared, wire
from corpus.records import Reply, Request
from corpus.store import line

if TYPE_CHECKING:
    from corpus.model import Writer
    from corpus.model.journal import Journal

MOST = 5_000  # requests in a batch: results come sooner, and less hangs on one call
MOST_BYTES = 32 * 2**20  # of a batch's body; the API takes 256 MB
QUIET = 600.0  # seconds after which a batch that no listing shows was never created
LISTINGS = 2  # that must not show it, besides
SOON = 9 * 86_400.0  # seconds before the end of its results in which a batch is called urgent
SKEW = 86_700.0  # seconds that the provider's clock and ours may differ: a day, and a little more
LONGEST_WAIT = 60.0  # seconds between two looks at a batch


@dataclass
class Batches:
    """Batches of one writer: ``put`` what is to be asked, ``gather`` what is under way."""

    provider: Provider
    journal: Journal
    price: Price | None
    purse: Purse
    say: Callable[[str], None] = lambda _: None
    quiet: float = QUIET
    cache: Cache | None = "1h"
    most: int = MOST
    clock: Clock = field(default_factory=Clock)
    foreign: set[str] = field(default_factory=set)  # ids that proved to be somebody else's
    waits: Callable[[list[str], float], None] = lambda *_: None  # told what is waited for
    origin: str = ""  # the server of ``provider``; "" asks for every batch there
    sent: dict[str, float] = field(default_factory=dict)  # by nonce, on the steady clock

    @classmethod
    def of(
        cls,
        writer: Writer,
        journal: Journal,
        price: Price | None,
        purse: Purse,
        say: Callable[[str], None],
    ) -> Self:
        """The batches of a writer, as it is reached."""
        clock = Clock()
        cache: Cache | None = "1h" if writer.cache else None
        return cls(
            Provider.of(writer, clock), journal, price, purse, say,
            quiet=writer.quiet, cache=cache, clock=clock, origin=writer.where,
        )  # fmt: skip

    def close(self) -> None:
        """Close the client's connections."""
        self.provider.close()

    def put(self, requests: list[Request]) -> int:
        """Send ``requests`` in as many batches as it takes; their intents are committed first.

        Returns:
            how many were sent: fewer where the budget has no room for the worst case of the rest.

        Raises:
            NoBatches: the server does not serve them.
            Interrupted, ProviderStopped: the provider does not take them.
        """
        put = 0
        for chunk in self._chunks(requests):
            worst = [None if self.price is None else self.price.worst(r, batch=True) for r in chunk]
            room = self._reserve(worst)
            if room:
                self._send(secrets.token_hex(8), chunk[:room], worst[:room])
            put += room
            if room < len(chunk):
                break
        return put

    def gather(self, wanted: set[str] | None = None) -> dict[str, Reply]:
        """Wait until batches under way have their replies in the journal.

        Args:
            wanted: keys that somebody waits for; a batch without any of them is fetched if it has
                ended, and not waited for. None: all are waited for.

        Returns:
            by key, replies to requests that the provider will never serve.

        Raises:
            Interrupted: the results of a batch are gone, or the provider cannot be reached; the
                message says what to do.
        """
        refused: dict[str, Reply] = {}
        waits, slept = 0, 0.0
        while True:
            ours, others = self._here(batchlog.under_way(self.journal))
            for batch in others:
                if self._wanted(batch, wanted):
                    raise InputError(_elsewhere(batch))
            waiting = [b for b in ours if not self._advance(b, refused, self._wanted(b, wanted))]
            if not any(self._wanted(batch, wanted) for batch in waiting):
                return refused
            waits += 1
            self.waits([batch.id or batch.nonce for batch in waiting], slept)
            pause = min(LONGEST_WAIT, 0.1 * 1.5**waits)
            self.clock.sleep(pause)
            slept += pause

    def cancel(self) -> int:
        """Ask the provider to cancel every batch under way; the number of those asked for."""
        ours, _ = self._here(batchlog.under_way(self.journal))
        found = [batch.id for batch in ours if batch.id]
        for name in found:
            self.provider.cancel(name)
        return len(found)

    def _here(self, batches: list[Batch]) -> tuple[list[Batch], list[Batch]]:
        """Those that live at this provider, and the others."""
        here = [b for b in batches if not b.origin or not self.origin or b.origin == self.origin]
        return here, [batch for batch in batches if batch not in here]

    def adopt(self, batch: Batch, name: str) -> None:
        """Take the provider's batch ``name`` for this intent, on the user's word.

        Raises:
            InputError: it is unknown, has another number of requests, or answers others.
        """
        try:
            found = self.provider.retrieve(name)
        except Gone:
            raise InputError(f"batch {name}: the provider does not know it") from None
        if size(found) != batch.size:
            raise InputError(
                f"batch {name}: holds {size(found)} requests, the intent {batch.nonce} {batch.size}"
            )
        if found.processing_status == "ended" and not self.provider.carries(name, batch.nonce):
            raise InputError(f"batch {name}: its results do not carry the nonce {batch.nonce}")
        batchlog.created(self.journal, batch.nonce, name)

    def give_up(self, batch: Batch) -> None:
        """Stop waiting for a batch, on the user's word; what it may have cost stays on file."""
        for worst in batchlog.never(self.journal, batch.nonce, "given_up"):
            self.purse.settle(worst, worst)

    def _chunks(self, requests: list[Request]) -> Iterator[list[Request]]:
        chunk: list[Request] = []
        held = 0
        for request in requests:
            more = len(line(request.body()).encode()) + 200
            if chunk and (len(chunk) >= self.most or held + more > MOST_BYTES):
                yield chunk
                chunk, held = [], 0
            chunk.append(request)
            held += more
        yield chunk

    def _reserve(self, worst: list[int | None]) -> int:
        """Set the worst case of as many requests aside as fit; their number."""
        for place, one in enumerate(worst):
            if not self.purse.reserve(one):
                return place
        return len(worst)

    def _send(self, nonce: str, requests: list[Request], worst: list[int | None]) -> None:
        """Commit the intent, then create; a lost answer leaves it to ``gather`` to find it."""
        now = self.clock.now()
        batch = batchlog.intend(self.journal, nonce, requests, worst, now, self.origin)
        self.sent[nonce] = self.clock.steady()
        worth = shared(requests)
        rows = [
            {
                "custom_id": f"{nonce}-{place}",
                "params": wire(request, self.cache if prefix(request) in worth else None),
            }
            for place, request in enumerate(requests)
        ]
        try:
            made = self.provider.create(rows)
        except CorpusError:
            self._never(batch)
            raise
        if isinstance(made, str):
            batchlog.created(self.journal, nonce, made)
            self.say(f"batch {made}: {len(requests):,} requests sent")
        else:
            self._note("batch_unknown", f"{nonce}: {made.detail}")

    def _never(self, batch: Batch) -> None:
        """An intent that the provider never took: its requests may be asked again at no risk."""
        for worst in batchlog.never(self.journal, batch.nonce):
            self.purse.settle(worst, 0)

    def look_for(self, batch: Batch) -> str | None:
        """The id of the batch that an intent without an answer made, if one is certain to be its.

        Raises:
            InputError: a batch of that size is still in progress, so nobody can tell yet.
        """
        for found in self._candidates(batch):
            if found.processing_status != "ended":
                raise InputError(
                    f"{batch.nonce}: batch {found.id} at the provider has the same "
                    f"{batch.size:,} requests and is in progress, so it may be this one; wait for "
                    f"its end, or say that it is with 'corpus batches adopt {batch.nonce} "
                    f"{found.id}', or that it is not with --assume-lost"
                )
            if found.results_url and self.provider.carries(found.id, batch.nonce):
                return str(found.id)
        return None

    def _wanted(self, batch: Batch, keys: set[str] | None) -> bool:
        return keys is None or not keys.isdisjoint(batchlog.keys(self.journal, batch.nonce))

    def _advance(self, batch: Batch, refused: dict[str, Reply], wanted: bool) -> bool:  # noqa: FBT001
        """Bring a batch as far as it goes now; True if it needs no more waiting.

        One that is gone stops the run only if somebody waits for it.
        """
        if batch.id is None:
            return self._reconcile(batch)
        if batch.ends is not None and batch.ends - self.clock.now() < SOON:
            until = datetime.fromtimestamp(batch.ends, UTC).date()
            self.say(f"batch {batch.id}: its results are kept until {until}; fetching them now")
        try:
            if (found := self.provider.ended(batch.id)) is None:
                return False
            batchlog.ended(self.journal, batch.nonce)
            Results(self, batch, refused).fetch(found.request_counts.succeeded)
        except Gone:
            if not wanted:
                return False
            raise Interrupted(
                f"batch {batch.id} ({batch.size} requests): the provider has no results of it (it "
                f"keeps them for 29 days, and shows them to keys of one workspace); 'corpus "
                f"batches cancel {batch.nonce}' gives it up, then the next build buys them again"
            ) from None
        return True

    def _reconcile(self, batch: Batch) -> bool:
        """Find the batch that a lost ``create`` may have made; True if there is none.

        Several batches of one size may be under way, and only results carry the nonce: a candidate
        that has not ended is waited for.
        """
        open_ones = gone = False
        for found in self._candidates(batch):
            if found.processing_status != "ended":
                open_ones = True
            elif not found.results_url:  # nobody can read whose it was
                gone = True
            elif self.provider.carries(found.id, batch.nonce):
                batchlog.created(self.journal, batch.nonce, found.id)
                self._note("batch_adopted", f"{batch.nonce} is {found.id}")
                self.say(f"batch {found.id}: found again ({batch.size:,} requests), not resent")
                return False
            else:
                self.foreign.add(found.id)
        return not open_ones and self._gave_no_sign(batch, gone=gone)

    def _candidates(self, batch: Batch) -> list[Any]:
        """The provider's batches of that size since the intent that no intent has yet."""
        taken = batchlog.ids(self.journal) | self.foreign
        listed = self.provider.since(batch.began - SKEW)
        return [found for found in listed if size(found) == batch.size and found.id not in taken]

    def _gave_no_sign(self, batch: Batch, *, gone: bool) -> bool:
        """Declare a batch never created, after enough listings and a quiet period.

        One whose results may have been let go since is given up instead: perhaps it was paid for.
        The wall clock may jump; it is asked only about a batch that an earlier run has sent.
        """
        listings = batchlog.listed(self.journal, batch.nonce)
        quiet = self.clock.now() - batch.began
        if batch.nonce in self.sent:
            quiet = self.clock.steady() - self.sent[batch.nonce]
        if listings >= LISTINGS and quiet >= self.quiet:
            self.give_up(batch) if gone else self._never(batch)
            self._note("batch_given_up" if gone else "batch_never", batch.nonce)
            return True
        if listings == 1:
            self.say(
                f"a batch of {batch.size:,} requests was cut off as it was sent; looking for it "
                f"for {self.quiet:.0f} s before it may be sent again"
            )
        return False

    def _note(self, kind: str, detail: str) -> None:
        self.journal.event(kind, detail).result()


def _elsewhere(batch: Batch) -> str:
    return (
        f"batch {batch.id or batch.nonce} ({batch.size:,} requests) was sent to {batch.origin}; "
        f"give --base-url {batch.origin} to collect it, or give it up with 'corpus batches cancel "
        f"{batch.nonce} --assume-lost'"
    )
