"""The one door to a model: requests in, replies out, nothing bought twice.

``Model.answer`` takes many requests and yields a reply for each. Where it comes from (the journal,
a direct call, a batch), concurrency, retries and the budget live behind that one method, so
a stage is two pure functions and never sees a coroutine. This room is the only one that knows
``anthropic``.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from corpus.errors import BudgetReached, InputError, Interrupted
from corpus.model import batchlog
from corpus.model.journal import SLICE, Journal
from corpus.model.past import Recall, recall
from corpus.model.prices import FREE, Price, Purse, price_of, price_of_all
from corpus.model.replies import read_reply
from corpus.model.wire import Cache, is_here, prefix
from corpus.records import Reply, Request
from corpus.settings import STAGES

if TYPE_CHECKING:
    from corpus.model.batches import Batches
    from corpus.model.direct import Direct

ALL_STAGES = frozenset(STAGES)
BATCH_FROM = 200  # pending requests: fewer are answered sooner by direct calls
WARMING = 20  # requests with one long prefix: from here on a batch reads more than a warm-up costs
BATCHES = 3  # that may leave a request unanswered (expired, errored) before a run gives it up
REGRET = 5.0  # seconds after a first Ctrl-C in which a second one offers to cancel batches


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes: where it is reached and what it can do.

    ``stages`` are the model stages that it can serve; the others are skipped, and the report says
    so. ``compact`` asks for short prompts and short texts; ``quality`` marks what it writes.
    """

    name: str
    model: str
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    stages: frozenset[str] = ALL_STAGES
    concurrency: int | None = None  # calls at a time; None: as many as the provider takes well
    compact: bool = False
    quality: str | None = None
    free: bool = False  # runs here: costs nothing
    batches: bool = False  # has Message Batches
    cache: bool = False  # caches marked prefixes
    quiet: float = 600.0  # seconds until a batch that no listing shows was never created
    models: Mapping[str, str] = field(default_factory=dict)  # other models, by stage
    origin: str = ""  # where batches live, if that is not the address

    def model_of(self, stage: str) -> str:
        """The model that serves a stage."""
        return self.models.get(stage, self.model)

    @property
    def where(self) -> str:
        """The server that batches are sent to and fetched from."""
        return self.origin or (self.base_url or "https://api.anthropic.com").rstrip("/")


@dataclass(slots=True)
class Tally:
    """What one stage was answered: tokens and micro-dollars of all replies, whenever bought.

    ``input`` counts every prompt token, ``cache_write`` and ``cache_read`` those of them that went
    through the provider's cache. ``replayed`` replies came from the journal, ``saved`` is what
    those had cost; ``batch`` came by batch; ``saved_cache`` and ``saved_batch`` are what these two
    saved against the plain price.
    """

    asked: int = 0
    input: int = 0
    output: int = 0
    cache_write: int = 0
    cache_read: int = 0
    cost: int = 0
    unpriced: int = 0
    replayed: int = 0
    saved: int = 0
    batch: int = 0
    saved_cache: int = 0
    saved_batch: int = 0


class Model:
    """A writer behind a journal.

    Args:
        writer: who writes.
        journal: where replies are kept and looked up first.
        budget: micro-dollars that this output may cost in all, or None.
        prices: the user's own prices by model.
        batch: True or False force the way; None takes batches from ``BATCH_FROM`` requests on.
        say: prints one line.
        confirm: asks a person yes or no; None where there is nobody to ask.
        waits: told, now and then, which batches are waited for and for how many seconds by now.

    Raises:
        InputError: a budget over a model without a price, or a key that would travel in clear.
        DiskError: the journal lost or changed a batch that is under way.
    """

    def __init__(
        self,
        writer: Writer,
        journal: Journal,
        *,
        budget: int | None = None,
        prices: Mapping[str, Mapping[str, Any]] | None = None,
        batch: bool | None = None,
        say: Callable[[str], None] = lambda _: None,
        confirm: Callable[[str], bool] | None = None,
        waits: Callable[[Sequence[str], float], None] = lambda *_: None,
    ) -> None:
        self.writer = writer
        self.price = price_of_writer(writer, prices or {})
        check_budget(writer, prices or {}, budget)
        check_address(writer)
        check_ways(writer, batch)
        batchlog.check(journal)
        if self.price is not None:
            journal.price(self._cost)  # what was bought before its price was known
        spent = journal.spent()
        self.purse = Purse(budget, spent.paid + spent.possibly)
        self.purse.reserved = spent.reserved
        self.unknown = spent.possibly
        self.tally: dict[str, Tally] = {}
        self._journal = journal
        self._began = journal.attempts()
        self._batch = batch
        self._say, self._confirm, self._waits = say, confirm, waits
        self._batches: Batches | None = None
        self._left: Counter[str] = Counter()  # batches that left a request unanswered
        self._direct: Direct | None = None

    def answer(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """Yield one reply per distinct request, those of the journal first, in no fixed order.

        Each reply was committed to the journal before it is yielded. Memory grows with what has to
        be asked, not with what is replayed.

        Raises:
            BudgetReached, ProviderStopped, DiskError: after the calls in flight have ended.
            Interrupted: on Ctrl-C, or when the provider cannot be reached.
        """
        pending: dict[str, Request] = {}
        warmed: set[str] = set()
        requests = iter(requests)
        while part := {request.key: request for request in islice(requests, SLICE)}:
            yield from self._replay(part)
            pending |= part
        if pending and batchlog.under_way(self._journal):
            yield from self._gather(pending)
        while pending:
            if self._by_batch(len(pending)):
                yield from self._warm_up(pending, warmed)
                yield from self._ask_in_batches(pending)
            else:
                yield from self._ask_directly(pending, list(pending.values()))

    def accounts(self) -> dict[str, Any]:
        """What the journal knows of attempts, ways, unknown outcomes and events."""
        return self._journal.accounts()

    @property
    def recall(self) -> Recall:
        """How to look up by key what was replied so far, with the stage that asked."""
        return recall(self._journal)

    def close(self) -> None:
        """Cancel what is still in flight, and end the clients."""
        if self._direct is not None:
            self._direct.close()
        if self._batches is not None:
            self._batches.close()
        self._direct = self._batches = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _by_batch(self, pending: int) -> bool:
        if self._batch is not None:
            return self._batch
        return self.writer.batches and pending >= BATCH_FROM

    def _replay(self, pending: dict[str, Request]) -> Iterator[Reply]:
        """Yield what the journal has, and take it out of ``pending``."""
        for kept in self._journal.replies(list(pending)):
            earlier = kept.attempt <= self._began
            reply = read_reply(kept.key, kept.body, self.price, replayed=earlier, batch=kept.batch)
            if kept.cost is not None:  # what it cost then, whatever the prices are now
                reply = dataclasses.replace(reply, cost=kept.cost)
            self._count(pending.pop(kept.key), reply)
            yield reply

    def _warm_up(self, pending: dict[str, Request], warmed: set[str]) -> Iterator[Reply]:
        """Ask one request of each long prefix directly, so that the batch finds it in the cache.

        A batch's requests run side by side, so the first of them would all write the cache.
        """
        if not self.writer.cache:
            return
        sharing: dict[str, list[Request]] = {}
        for request in pending.values():
            if (start := prefix(request)) is not None and start not in warmed:
                sharing.setdefault(start, []).append(request)
        first = [found[0] for found in sharing.values() if len(found) >= WARMING]
        warmed |= sharing.keys()
        if first:
            yield from self._ask_directly(pending, first, "1h")

    def _ask_directly(
        self, pending: dict[str, Request], requests: list[Request], cache: Cache = "5m"
    ) -> Iterator[Reply]:
        from corpus.model.direct import Direct

        if self._direct is None:
            self._direct = Direct(self.writer, self._journal, self.price, self.purse)
        for request, reply in self._direct.answer(requests, cache):
            del pending[request.key]
            self._count(request, reply)
            yield reply

    def _ask_in_batches(self, pending: dict[str, Request]) -> Iterator[Reply]:
        """Send all of it, wait, and replay; what a batch did not answer stays in ``pending``."""
        from corpus.model.provider import NoBatches

        try:
            put = self._batch_room().put(list(pending.values()))
        except NoBatches as error:
            if self._batch:
                raise
            self._journal.event("no_batches", str(error)).result()
            self._say(f"{error}; going on with direct calls")
            self._batch = False
            return
        except KeyboardInterrupt:
            raise Interrupted("stopped; run the same command again to go on") from None
        if not put:
            raise BudgetReached(
                "the budget is reached: the next request could pass it; run the same command with "
                "a larger --budget to go on"
            )
        asked = list(pending)[:put]
        yield from self._gather(pending)
        yield from self._unanswered(asked, pending)

    def _unanswered(self, asked: list[str], pending: dict[str, Request]) -> Iterator[Reply]:
        """Give those up for this run that ``BATCHES`` batches have left without an answer."""
        self._left.update(key for key in asked if key in pending)
        for key in asked:
            if key in pending and self._left[key] >= BATCHES:
                request = pending.pop(key)
                reply = Reply(key, "", "error_batch", request.model, batch=True)
                self._count(request, reply)
                yield reply

    def _gather(self, pending: dict[str, Request]) -> Iterator[Reply]:
        """Wait for the batches that hold something of ``pending``, and hand their replies out."""
        batches = self._batch_room()
        try:
            refused = batches.gather(set(pending))
        except KeyboardInterrupt:
            ended = self._detach(batches)
            raise Interrupted(
                f"{ended or 'detached: the batches go on at the provider'}; run the same command "
                f"again to collect them, or see 'corpus batches list'"
            ) from None
        yield from self._replay(pending)
        for key in refused.keys() & pending.keys():
            self._count(pending.pop(key), refused[key])
            yield refused[key]

    def _detach(self, batches: Batches) -> str:
        """A second Ctrl-C within a few seconds offers to cancel what is under way; what was."""
        if self._confirm is None:
            return ""
        self._say(f"detaching; Ctrl-C again within {REGRET:.0f} s offers to cancel the batches")
        try:
            time.sleep(REGRET)
        except KeyboardInterrupt:
            if self._confirm("Cancel the batches? What is done by then is paid for and kept."):
                return f"stopped: {batches.cancel()} batches were asked to end"
        return ""

    def _batch_room(self) -> Batches:
        from corpus.model.batches import Batches

        if self._batches is None:
            self._batches = Batches.of(
                self.writer, self._journal, self.price, self.purse, self._say
            )
            self._batches.waits = self._waits
        return self._batches

    def _cost(self, asked: str, body: str, batch: bool) -> int | None:  # noqa: FBT001 - from SQL
        """What a reply of these models cost; None for another model's, or without a usage."""
        same = json.loads(asked).get("model") in {self.writer.model, *self.writer.models.values()}
        return read_reply("", body, self.price, batch=bool(batch)).cost if same else None

    def _count(self, request: Request, reply: Reply) -> None:
        tally = self.tally.setdefault(request.stage, Tally())
        usage = reply.usage
        tally.asked += 1
        tally.replayed += reply.replayed
        tally.saved += (reply.cost or 0) * reply.replayed
        tally.input += usage.input + usage.cache_write + usage.cache_write_1h + usage.cache_read
        tally.output += usage.output
        tally.cache_write += usage.cache_write + usage.cache_write_1h
        tally.cache_read += usage.cache_read
        tally.cost += reply.cost or 0
        tally.unpriced += reply.cost is None
        tally.batch += reply.batch
        if self.price is not None:
            cache, batch = self.price.of_model(reply.model).savings(usage, batch=reply.batch)
            tally.saved_cache += cache
            tally.saved_batch += batch


def price_of_writer(writer: Writer, prices: Mapping[str, Mapping[str, Any]]) -> Price | None:
    """What a writer's models cost; None if that of one is not known."""
    if writer.free:
        return FREE
    return price_of_all(writer.model, set(writer.models.values()), prices)


def check_budget(
    writer: Writer, prices: Mapping[str, Mapping[str, Any]], budget: int | None
) -> None:
    """Refuse a budget that could not be kept."""
    if budget is not None and price_of_writer(writer, prices) is None:
        name = _unpriced(writer, prices)
        raise InputError(
            f"--budget: the price of model '{name}' is not known, so a budget cannot be kept; give "
            f"[prices.{name!r}] input and output in corpus.toml, or drop it"
        )


def _unpriced(writer: Writer, prices: Mapping[str, Mapping[str, Any]]) -> str:
    names = (writer.model, *sorted(writer.models.values()))
    return next((name for name in names if price_of(name, prices) is None), writer.model)


def check_ways(writer: Writer, batch: bool | None) -> None:  # noqa: FBT001 - as set
    """Refuse batches that a writer does not have."""
    if batch and not writer.batches:
        raise InputError(f"--batch: the writer '{writer.name}' has no Message Batches; drop it")


def check_address(writer: Writer) -> None:
    """Refuse an address that is no URL, holds a secret, or would carry the key in clear text."""
    if writer.base_url is None:
        return
    parts = urlsplit(writer.base_url)
    if parts.username or parts.password:  # which files and messages would repeat
        raise InputError(
            f"--base-url: holds a user name or a password for {parts.hostname}; put the key into "
            f"ANTHROPIC_API_KEY"
        )
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(f"--base-url {writer.base_url!r}: not an http(s) address")
    if parts.scheme == "http" and not is_here(writer.base_url):
        raise InputError(
            f"--base-url {writer.base_url!r}: the key would travel in clear text; use https, or "
            f"a server on this machine"
        )
