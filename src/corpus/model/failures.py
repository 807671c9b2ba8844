"""What a failed call means: is another try free, is it of any use, may it have been paid for?

One question decides about money: can the server have generated, and billed, a reply that did not
arrive? It is answered by who speaks and when:

- *Refused before work*: no connection; 408, 409, 425; 429 and 529 in any form; 500, 501 and 503 in
  the API's own words (a bill follows the usage in a reply, and this was none); 503, 521, 522 and
  523 of a proxy, which say that it reached nobody. Free to try again.
- *Unknown outcome*: cut, reset or timed out after the request left; 499; 504 in any words (the API
  says it when a generation ran out of time); 500, 502, 520 and 524 of a proxy, which saw the
  request go and no answer come; a 200 whose body is garbage. Counted as paid at worst.
- *Final for this request*: 400, 413, 422 and their like, about its content.
- *Final for all*: key, credit, spend limit, permission, no such or a retired model, a redirect.

``x-should-retry: false`` is obeyed: about load or the request itself it ends that request, and
another brief takes its place; on a 429 it speaks of the account, so the run is interrupted.
This room of the door is pure: it reads exceptions and bodies, and never sends.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal

import anthropic
import httpx2

from corpus.errors import CorpusError, Interrupted, ProviderStopped

LONGEST_PAUSE = 60.0  # seconds; the server's wish for a longer one ends the run, to be resumed
SHOWN = 200  # characters of a body that is no reply
SHORTEST_KEY = 12  # characters: what is shorter is a placeholder and may be any word

_STATUS_OF = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
_HOPELESS = frozenset({401, 402, 403, 404, 405, 407, 410, 501})
_BEFORE_WORK = frozenset({408, 409, 425, 429, 503, 521, 522, 523, 529})
_SAYS_API = frozenset({500, 501})  # before work only in the API's own words
_LIMITED, _TOO_LARGE, _CLIENT_CLOSED, _SERVER = 429, 413, 499, 500
_SPENT = ("spend limit", "spend_limit", "credit balance")
_HALTED = frozenset({"organization_on_hold", "linked_organization_billing_unavailable"})
_CUT_BODY = ("unexpected end", "eof while parsing")
_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    ConnectionRefusedError,
    socket.gaierror,
)
_FAULTS = (
    httpx2.RequestError,
    anthropic.APIError,
    TimeoutError,
    ConnectionError,
    socket.gaierror,
    ssl.SSLError,
    json.JSONDecodeError,
    UnicodeError,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A call without a reply.

    ``state`` is the journal's word: ``refused``, ``error`` (free to try again) or ``unknown``.
    ``pause`` are seconds that the server asked for; ``terminal``: this request will never do;
    ``stops``: no other would do better, raise this. ``kind`` is what the limiter has to know:
    ``limited`` (429), ``loaded`` (the server has trouble), ``cut`` (the line has).
    """

    state: str
    detail: str
    status: int | None = None
    pause: float | None = None
    terminal: bool = False
    stops: CorpusError | None = None
    kind: Literal["", "limited", "loaded", "cut"] = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Said:
    """An error as the server put it."""

    status: int
    detail: str
    code: str
    api: bool  # in the API's own words, not a proxy's
    headers: Mapping[str, str]

    def mentions(self, *words: str) -> bool:
        return any(word in self.detail.lower() for word in words)


def failure_of(error: BaseException) -> Failure | None:
    """What an exception of a call means; None if it is no failure of a call."""
    if isinstance(error, anthropic.APIStatusError):
        return _sorted(_said(error.response, error.body, error.type))
    if isinstance(error, anthropic.CredentialsError):
        return _stopped("refused", str(error), None)
    if isinstance(error, anthropic.APIConnectionError):
        return _on_the_way(error.__cause__ or error)
    return _on_the_way(error) if isinstance(error, _FAULTS) else None


def failure_in(response: httpx2.Response) -> Failure | None:
    """What is wrong with the body of a 200; None if it is a message, whatever it says.

    A message with an odd stop reason or usage was generated and paid for, so it is kept. A body
    that is no message is a fault on the way, and the reply may have been paid for.
    """
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    if isinstance(body, dict) and (body.get("type") == "message" or "content" in body):
        return None
    kind = _of(body, "error", "type")
    if kind in _STATUS_OF:
        return _sorted(_said(response, body, kind))
    text = " ".join(response.content[: 2 * SHOWN].decode("utf-8", "replace").split())[:SHOWN]
    detail = f"{response.status_code}, but no message: {text!r}"
    return Failure("unknown", without_key(detail, response), response.status_code, kind="cut")


def failure_said(error: object) -> Failure:
    """What the error of one request in a batch means: the API's words, without a status of its own.

    Nothing was generated for it, so the request is free to be asked again, if it is of any use.
    """
    kind, message = _of(error, "type"), _of(error, "message")
    status, code = _STATUS_OF.get(kind, 500), _of(error, "details", "error_code")
    words = f"{kind or 'unknown_error'} {code}".strip()
    return _sorted(_Said(status, f"{words}: {message}"[:400], code, True, {}))  # noqa: FBT003


def without_key(text: str, response: httpx2.Response) -> str:
    """``text`` without the key, should the server have sent it back."""
    sent = response.request.headers
    for name in ("x-api-key", "authorization"):
        key = sent.get(name, "").removeprefix("Bearer ")
        if len(key) >= SHORTEST_KEY:
            text = text.replace(key, "[key]")
    return text


def _said(response: httpx2.Response, body: object, kind: object) -> _Said:
    status = response.status_code
    name = kind if isinstance(kind, str) else ""
    if status < 300:  # noqa: PLR2004 - an error event after the head of a good answer
        status = _STATUS_OF.get(name, 520)
    message = _of(body, "error", "message") or _of(body, "message")
    code = _of(body, "error", "details", "error_code")
    if not message:
        message = " ".join(str(body or "").split())[:SHOWN]
    words = [str(status), name, code, f": {message}" if message else ""]
    text = " ".join(word for word in words if word).replace(" : ", ": ")
    if request_id := response.headers.get("request-id"):
        text += f" [{request_id}]"
    detail = without_key(text[:400], response)
    return _Said(status, detail, code, bool(name), response.headers)


def _of(body: object, *path: str) -> str:
    """The string at ``path`` of a JSON body, or an empty one."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body if isinstance(body, str) else ""


def _sorted(said: _Said) -> Failure:
    """An error answer: stop, give up, or try again; in that order."""
    status = said.status
    if status in range(300, 400):
        return _redirected(said)
    spent = said.code.endswith("spend_limit_reached") or said.code in _HALTED
    retired = status < _SERVER and said.mentions("retired", "end-of-life", "end of life")
    if status in _HOPELESS or spent or retired or said.mentions(*_SPENT):
        return _stopped("refused", said.detail, status)
    wish = said.headers.get("x-should-retry", "")
    cut = said.mentions("not valid json") and said.mentions(*_CUT_BODY)
    passing = status in _BEFORE_WORK or status >= _SERVER or status == _CLIENT_CLOSED or cut
    if not passing and wish != "true":
        return Failure("refused", said.detail, status, terminal=True)
    free = status in _BEFORE_WORK or status < _CLIENT_CLOSED or (said.api and status in _SAYS_API)
    return _passing(said, "error" if free else "unknown", wish)


def _passing(said: _Said, state: str, wish: str) -> Failure:
    """An error that time may mend, unless the server says that it will not."""
    status, headers = said.status, said.headers
    if wish == "false":
        if status == _LIMITED:
            stop = Interrupted(
                f"the provider says that waiting does not help ({said.detail}); run the same "
                f"command again later"
            )
            return Failure(state, said.detail, status, stops=stop, headers=headers)
        return Failure(state, said.detail, status, terminal=True, headers=headers)
    pause = pause_of(headers)
    if pause is not None and pause > LONGEST_PAUSE:
        until = datetime.fromtimestamp(time.time() + pause).astimezone()
        stop = Interrupted(
            f"the provider asks for a pause of {pause:.0f} s, until {until:%Y-%m-%d %H:%M:%S %Z} "
            f"({said.detail}); run the same command again after it"
        )
        return Failure(state, said.detail, status, pause, stops=stop, headers=headers)
    kind: Any = "limited" if status == _LIMITED else "loaded" if status >= _SERVER else ""
    return Failure(state, said.detail, status, pause, kind=kind, headers=headers)


def _stopped(state: str, detail: str, status: int | None) -> Failure:
    stop = ProviderStopped(
        f"the provider refuses to go on: {detail}; check the key, the credit and the model, then "
        f"run the same command again"
    )
    return Failure(state, detail, status, stops=stop)


def _redirected(said: _Said) -> Failure:
    """A redirect is not followed: the key and the prompts would go to whom it names."""
    where = said.headers.get("location", "nowhere").split("?")[0][:SHOWN]
    detail = f"{said.status}: redirected to {where}"
    stop = ProviderStopped(
        f"the server redirects to {where}; nothing was sent there, because the key would travel "
        f"along; give --base-url the address that you trust"
    )
    return Failure("refused", detail, said.status, stops=stop)


def _on_the_way(error: BaseException) -> Failure:
    """A connection that failed: before anything was sent, or at a moment that nobody knows."""
    detail = f"{type(error).__name__}: {error}".rstrip(": ")[:400]
    if isinstance(error, UnicodeEncodeError):
        return Failure("refused", f"the prompt cannot be sent ({detail})", terminal=True)
    if isinstance(error, httpx2.LocalProtocolError):  # its text may quote the key
        return _stopped("error", "a header cannot be sent; look at the key's variable", None)
    if isinstance(error, httpx2.UnsupportedProtocol):
        return _stopped("error", detail, None)
    return Failure("error" if isinstance(error, _NEVER_SENT) else "unknown", detail, kind="cut")


def pause_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that ``retry-after-ms`` or ``retry-after`` (seconds or a date) ask for."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * scale
        except ValueError:
            continue
        return max(0.0, seconds) if seconds == seconds else None  # noqa: PLR0124 - NaN
    try:
        until = parsedate_to_datetime(headers.get("retry-after", "")).timestamp()
    except (ValueError, TypeError):
        return None
    try:
        now = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        now = time.time()
    return max(0.0, until - now)
