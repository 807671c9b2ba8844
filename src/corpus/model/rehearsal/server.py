"""The HTTP side of the stand-in: paths, errors in the API's envelope, faults on the wire."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from corpus.model import prices
from corpus.model.rehearsal import messages, requests
from corpus.model.rehearsal.batches import Shelf
from corpus.model.rehearsal.caching import Cache
from corpus.model.rehearsal.faults import Faults
from corpus.model.rehearsal.ledger import Ledger
from corpus.model.rehearsal.quota import Quota

TICK = 0.05  # seconds between two looks at what batches have due
PAGE = 1000  # batches in a page of the list, at most
_KINDS = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error",
    403: "permission_error", 404: "not_found_error", 413: "request_too_large",
    429: "rate_limit_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    """How the stand-in behaves; what is not given does not happen."""

    port: int = 0
    ledger: Path | None = None
    state: Path | None = None  # folder of batches, and of the ledger if that is not given
    seed: int = 0
    faults: str = ""
    batch_seconds: float = 0.0
    latency: float = 0.0  # seconds that a reply takes
    rpm: float | None = None
    burst: float | None = None
    itpm: float | None = None
    otpm: float | None = None
    silent: bool = False  # no headers that tell what is left of the limits
    manual: bool = False  # the clock stands still until it is told to advance


class Clock:
    """The wall clock, or one that only ``advance`` moves."""

    def __init__(self, *, manual: bool) -> None:
        self._stands = time.time() if manual else None

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() if self._stands is None else self._stands

    def advance(self, seconds: float) -> bool:
        """Move a manual clock; False if it runs by itself."""
        if self._stands is None:
            return False
        self._stands += seconds
        return True


class Refused(Exception):
    """An answer in the error envelope."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text
        self.headers: dict[str, str] = {}


@dataclass
class App:
    """Everything that the connections share."""

    options: Options
    clock: Clock = field(init=False)
    ledger: Ledger = field(init=False)
    cache: Cache = field(init=False)
    faults: Faults = field(init=False)
    quota: Quota = field(init=False)
    shelf: Shelf = field(init=False)
    statuses: Counter[str] = field(default_factory=Counter)  # of replies to Messages
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    base: str = ""

    def __post_init__(self) -> None:
        """Open the files; what an earlier process left is taken up."""
        given = self.options
        self.clock = Clock(manual=given.manual)
        if given.state is not None:
            given.state.mkdir(parents=True, exist_ok=True)
        kept = None if given.state is None else given.state / "ledger.jsonl"
        self.ledger = Ledger(given.ledger or kept, self.clock.now)
        self.cache = Cache(self.clock.now)
        self.faults = Faults(given.faults, given.seed)
        limits = {"requests": given.rpm, "input": given.itpm, "output": given.otpm}
        given_limits = {name: limit for name, limit in limits.items() if limit}
        self.quota = Quota(self.clock.now, given_limits, given.burst)
        folder = None if given.state is None else given.state / "batches"
        self.shelf = Shelf(
            folder, self.ledger, self.cache, self.faults, self.clock.now, given.batch_seconds
        )


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    app: ClassVar[App]
    _left: dict[str, str] | None = None  # of the quotas, for the request being answered

    def do_GET(self) -> None:
        """Read."""
        self._serve({"models": self._models, "batches": self._shelf, "ledger": self._totals})

    def do_DELETE(self) -> None:
        """Forget a batch."""
        self._serve({"batches": self._delete})

    def do_POST(self) -> None:
        """Ask."""
        self._serve(
            {
                "messages": self._message,
                "count_tokens": self._count,
                "batches": self._create,
                "clock": self._advance,
            }
        )

    def log_message(self, *_: object) -> None:
        """Keep quiet; the ledger is the record."""

    def _serve(self, services: dict[str, Callable[[Any, list[str]], None]]) -> None:
        """Read the request, find its service, and put a refusal into the envelope."""
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._left = None
        parts = urlsplit(self.path).path.strip("/").split("/")
        try:
            name, rest = _route(parts)
            service = services.get(name, self._nothing)
            if parts[0] == "v1":
                self._headers_in_order(len(raw), name == "batches")
            service(_json(raw) if self.command == "POST" and raw else {}, rest)
        except KeyError as error:
            self._refuse(Refused(404, f"not found: {error.args[0]}"))
        except Refused as refused:
            self._refuse(refused)

    def _nothing(self, _: Any, __: list[str]) -> None:  # noqa: ANN401 - JSON
        raise Refused(404, f"{self.command} {self.path}: no such path")

    def _headers_in_order(self, size: int, batch: bool) -> None:  # noqa: FBT001 - private
        if not (self.headers.get("x-api-key") or self.headers.get("authorization")):
            raise Refused(401, "x-api-key header is required")
        if not self.headers.get("anthropic-version"):
            raise Refused(400, "anthropic-version: header is required")
        if size > (requests.LARGEST_BATCH if batch else requests.LARGEST):
            raise Refused(413, "Request exceeds the maximum size")

    def _message(self, params: Any, _: list[str]) -> None:  # noqa: ANN401 - JSON
        """``POST /v1/messages``: limits, then faults before generation, then the bill."""
        app = self.app
        if complaint := requests.problem(params):
            raise Refused(400, complaint)
        if params.get("stream"):
            raise Refused(400, "stream: not served by this stand-in")
        fault = app.faults.next(requests.digest(params))
        held = sum(requests.tokens(block["text"]) for block in requests.blocks(params))
        wait = app.quota.take(requests=1, input=held, output=params["max_tokens"])
        self._left = app.quota.headers(wait)  # as of the moment of letting it in, or not
        if wait > 0:
            raise Refused(429, "This request would exceed your rate limit")
        self._before(fault)
        time.sleep(app.options.latency)
        message = messages.answer(params, app.cache, refuse=fault == "refusal")
        app.ledger.bill(messages.row(params, message))
        self._after(fault, message)

    def _before(self, fault: str) -> None:
        """A fault that comes before anything is generated."""
        if fault == "reset":
            raise self._hang_up()
        if fault.isdecimal():
            refused = Refused(int(fault), f"rehearsed {fault}")
            refused.headers |= {"retry-after": "1"} if fault == "429" else {}
            raise refused

    def _after(self, fault: str, payload: dict[str, Any]) -> None:
        """The reply, or what becomes of it."""
        if fault == "drop":
            raise self._hang_up()
        if fault == "late":
            raise Refused(500, "rehearsed after the work was done")
        if fault == "html":
            self._send(200, b"<html><body>Sign in to the network</body></html>", "text/html")
        elif fault == "cut":
            data = json.dumps(payload).encode()
            self._send(200, data[: len(data) // 2], length=len(data))
            self.close_connection = True
        else:
            self._send(200, payload)

    def _hang_up(self) -> Refused:
        """Reset the connection; nothing more can be sent."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        return Refused(0, "")

    def _count(self, params: Any, _: list[str]) -> None:  # noqa: ANN401 - JSON
        if isinstance(params, dict) and (
            complaint := requests.problem({"max_tokens": 1, **params})
        ):
            raise Refused(400, complaint)
        held = sum(requests.tokens(block["text"]) for block in requests.blocks(params))
        self._send(200, {"input_tokens": held + 8})

    def _models(self, _: Any, rest: list[str]) -> None:  # noqa: ANN401 - JSON
        if rest:
            if rest[0] not in prices.known():
                raise Refused(404, f"model: {rest[0]}")
            self._send(200, _model(rest[0]))
            return
        names = prices.known()
        page = {"data": [_model(name) for name in names], "has_more": False}
        self._send(200, page | {"first_id": names[0], "last_id": names[-1]})

    def _create(self, body: Any, rest: list[str]) -> None:  # noqa: ANN401 - JSON
        """``POST /v1/messages/batches``, and ``.../cancel`` below one."""
        shelf, base = self.app.shelf, self.app.base
        if rest:
            if rest[1:] != ["cancel"]:
                raise Refused(404, f"no such path: {self.path}")
            self._send(200, shelf.cancel(rest[0], base))
            return
        if complaint := requests.batch_problem(body):
            raise Refused(400, complaint)
        ids = [row["custom_id"] for row in body["requests"]]
        fault = self.app.faults.next(" ".join(ids))
        self._before(fault)
        batch = shelf.create(body["requests"])
        self._after(fault, shelf.shown(batch, base))

    def _shelf(self, _: Any, rest: list[str]) -> None:  # noqa: ANN401 - JSON
        """``GET``: the list, one batch, or its results."""
        shelf, base = self.app.shelf, self.app.base
        if not rest:
            given = {
                name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()
            }
            limit = int(given.get("limit", "20"))
            if not 1 <= limit <= PAGE:
                raise Refused(400, f"limit: should be from 1 to {PAGE}")
            page = shelf.newest(limit, given.get("after_id"), given.get("before_id"), base)
            self._send(200, page)
            return
        with shelf.batch(rest[0]) as batch:
            shown, rows, old = shelf.shown(batch, base), shelf.results(batch), batch.ended
            readable = shelf.readable(batch)
        if rest[1:] != ["results"]:
            self._send(200, shown)
        elif readable:
            data = "".join(json.dumps(row) + "\n" for row in rows).encode()
            self._send(200, data, "application/x-jsonl")
        elif old:
            raise Refused(404, f"the results of {rest[0]} are kept for 29 days")
        else:
            raise Refused(400, f"{rest[0]} has not ended")

    def _delete(self, _: Any, rest: list[str]) -> None:  # noqa: ANN401 - JSON
        if not rest or not self.app.shelf.delete(rest[0]):
            raise Refused(400, "only a batch that has ended can be deleted")
        self._send(200, {"id": rest[0], "type": "message_batch_deleted"})

    def _advance(self, body: Any, _: list[str]) -> None:  # noqa: ANN401 - JSON
        if not self.app.clock.advance(float(body.get("advance", 0))):
            raise Refused(400, "this clock runs by itself; start with --clock manual")
        self._send(200, {"now": self.app.clock.now()})

    def _totals(self, _: Any, __: list[str]) -> None:  # noqa: ANN401 - JSON
        self._send(200, {**self.app.ledger.totals(), "statuses": dict(self.app.statuses)})

    def _refuse(self, refused: Refused) -> None:
        if not refused.status:
            return
        kind = _KINDS.get(refused.status, "api_error")
        error = {"type": kind, "message": refused.text}
        self._send(refused.status, {"type": "error", "error": error}, headers=refused.headers)

    def _send(
        self,
        status: int,
        payload: dict[str, Any] | bytes,
        kind: str = "application/json",
        length: int | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        request_id = f"req_{next(self.app.numbers):012d}"
        if isinstance(payload, dict) and payload.get("type") == "error":
            payload = {**payload, "request_id": request_id}
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.send_response(status)
        if self.path.startswith("/v1/messages"):
            left = self._left or self.app.quota.headers()
            told = {"retry-after"} if self.app.options.silent else left.keys()
            headers = {name: left[name] for name in left if name in told} | (headers or {})
            self.app.statuses[str(status)] += self.path.split("?")[0] == "/v1/messages"
        known = {"content-type": kind, "content-length": str(length or len(data))}
        for name, value in (known | {"request-id": request_id} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class Server(ThreadingHTTPServer):
    """A thread per connection, and room for a storm of them."""

    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that went away is no error of the server; anything else is."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(*_)  # type: ignore[arg-type]


def run(options: Options, ready: Callable[[str], None]) -> dict[str, Any]:
    """Serve until the process is interrupted; the totals of the ledger.

    Args:
        options: how to behave.
        ready: told the address once connections are taken.

    Raises:
        InputError: the faults cannot be read.
        OSError: the port or a file cannot be had.
    """
    app = App(options)
    handler = type("Bound", (Handler,), {"app": app})
    with Server(("127.0.0.1", options.port), handler) as server:
        app.base = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=_tick, args=(app.shelf,), daemon=True).start()
        ready(app.base)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever(poll_interval=TICK)
        return {**app.ledger.totals(), "statuses": dict(app.statuses)}


def _tick(shelf: Shelf) -> None:
    while True:
        time.sleep(TICK)
        shelf.tick()


def _route(parts: list[str]) -> tuple[str, list[str]]:
    """The service that a path names, and what is left of the path."""
    match parts:
        case ["v1", "messages"]:
            return "messages", []
        case ["v1", "messages", "count_tokens"]:
            return "count_tokens", []
        case ["v1", "messages", "batches", *rest]:
            return "batches", rest
        case ["v1", "models", *rest]:
            return "models", rest
        case ["rehearsal", ("clock" | "ledger") as name]:
            return name, []
    return "", []


def _json(raw: bytes) -> Any:  # noqa: ANN401 - whatever was sent
    try:
        return json.loads(raw)
    except ValueError:
        raise Refused(400, "the body is not JSON") from None


def _model(name: str) -> dict[str, Any]:
    return {
        "type": "model", "id": name, "display_name": name, "created_at": "1970-01-01T00:00:00Z",
        "lifecycle": "active", "deprecated_at": None, "retires_at": None, "capabilities": None,
        "line": None, "max_input_tokens": requests.WINDOW, "max_tokens": 128_000,
    }  # fmt: skip
