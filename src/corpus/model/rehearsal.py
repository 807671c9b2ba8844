"""A local stand-in for the Messages API: for rehearsing a build, and for the tests.

It answers over real HTTP to the real SDK, deterministically: the same request always gets the same
reply, another request another one. It writes what a prompt asks for, between the tags that the
prompt names, in random words with some grammar: text that passes the gates and resembles nothing.
It runs as a process of its own (``corpus rehearse``), and notes every reply that it would have
billed, before it sends it, in a ledger that outlives both sides.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from corpus.errors import InputError
from corpus.model import Writer

MODEL = "claude-haiku-5-5"  # a model with a price, so that money is rehearsed as well

REJECTED = 0.05  # share of the texts that the rehearsed judge finds off their brief

_NOUNS = """
kettle ledger garden ferry window sparrow bucket harbour pocket violin ladder orchard blanket
signal meadow hinge lantern recipe market valley bridge needle saddle cradle furnace compass
shoulder winter letter carpet engine shelf thread basket corner island river teacher nurse porter
mason clerk cousin neighbour stranger driver gardener baker sailor painter farmer child mistake
answer habit promise doubt reason custom lesson border shadow candle feather pebble barrel chimney
drawer envelope fiddle gutter hammer iron jacket kitchen lemon mirror napkin oven pencil quilt
rudder spoon table umbrella vessel wagon yard almond butter cabin dairy errand fence grain hollow
insect journal keeper linen mill notice onion parcel queue roof stable timber uncle veil wheel
apron bench cellar dough elbow flour glove hedge inkwell jug knot loaf mortar nest oar plank
quarry rope sieve tray urn vine well yarn anchor bolt crate dial easel flask gate hook
""".split()
_VERBS = """
carries mends follows weighs answers keeps forgets borrows measures opens hides turns lifts counts
crosses paints warms gathers leaves finds names washes folds sorts trusts questions repairs delays
returns shelters studies feeds warns greets teaches watches needs joins divides copies presses
moves admires tests marks clears ties loads
""".split()
_LINKS = """
because although until since while whenever unless before after though
""".split()
_QUALITIES = """
narrow patient early crooked honest quiet stubborn useful heavy distant plain careful bitter
bright slow familiar broken gentle uneven warm hasty private ordinary thin proud steady cold
sudden restless dusty loyal awkward shallow tender rough modest rare humble
""".split()
_JOINS = (" ", " ", "\n\n")


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    ledger: ClassVar[Ledger]

    def do_POST(self) -> None:
        """Answer ``POST /v1/messages``; anything else is not found."""
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.split("?")[0] != "/v1/messages":
            self._send(404, _error("not_found_error", f"no such path: {self.path}"))
            return
        try:
            body = json.loads(raw)
        except ValueError:
            self._send(400, _error("invalid_request_error", "the body is not JSON"))
            return
        if problem := _problem(body):
            self._send(400, _error("invalid_request_error", problem))
            return
        message = answer(body)
        self.ledger.bill(message)
        self._send(200, message)

    def log_message(self, *_: object) -> None:
        """Keep quiet; the ledger is the record."""

    def _send(self, status: int, payload: dict[str, Any]) -> None:
        data = json.dumps(payload).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("request-id", f"req_{payload.get('id', 'error')}")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class Ledger:
    """Every reply that would have been billed, one JSON line each, on disk before it is sent."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a", encoding="utf-8") if path else None
        self._lock = threading.Lock()

    def bill(self, message: dict[str, Any]) -> None:
        """Note one reply; durable against the death of this process."""
        if self._file is None:
            return
        with self._lock:
            row = {"id": message["id"], "model": message["model"], "usage": message["usage"]}
            self._file.write(json.dumps(row) + "\n")
            self._file.flush()


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """The message that answers a request, a function of the request alone."""
    name = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    prompt = body["messages"][-1]["content"]
    system = body.get("system", "")
    text = compose(prompt, random.Random(name))  # noqa: S311 - texts, no secrets
    return {
        "id": f"msg_{name[:24]}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": (len(system) + len(prompt)) // 4 + 8,
            "output_tokens": len(text) // 4 + 1,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }


def compose(prompt: str, chance: random.Random) -> str:
    """What the prompt asks for: principles, a review, or a text between the tags it names."""
    if "<principle>" in prompt:
        return _principles(prompt, chance)
    if "<review>" in prompt:
        return _review(chance)
    ordered = re.search(r"about (\d+) words", prompt)
    words = int(ordered[1]) if ordered else 60
    tags = re.findall(r"between <(\w+)> and </\1>", prompt)
    parts = []
    for tag in tags:
        text = "the second sentence drags" if tag == "defects" else prose(words, chance)
        parts.append(f"<{tag}>\n{text}\n</{tag}>")
    return "\n".join(parts) or prose(words, chance)


def prose(words: int, chance: random.Random) -> str:
    """About so many words in sentences and paragraphs."""
    text, count = "", 0
    while count < words:
        sentence = _sentence(chance)
        text += (chance.choice(_JOINS) if text else "") + sentence
        count += len(sentence.split())
    return text


def _sentence(chance: random.Random) -> str:
    def clause() -> str:
        noun, other = chance.sample(_NOUNS, 2)
        quality = chance.choice(_QUALITIES)
        verb = chance.choice(_VERBS)
        return chance.choice(
            (
                f"a {quality} {noun} {verb} the {other}",
                f"the {noun} {verb} every {quality} {other}",
                f"no {noun} {verb} its {other}",
                f"some {quality} {noun} {verb} one {other}",
            )
        )

    joined = f"{clause()} {chance.choice(_LINKS)} {clause()}"
    text = chance.choice((clause(), joined, joined, f"{joined}, and {clause()}"))
    return text[0].upper() + text[1:] + "."


def _principles(prompt: str, chance: random.Random) -> str:
    """Up to four sentences of the section, each with a reason, in blocks."""
    found = re.search(r"<section>\n(.*?)\n</section>", prompt, re.DOTALL)
    section = found[1] if found else ""
    sentences: list[str] = re.findall(r"[A-Z][^.!?\n]{30,300}[.!?]", section)
    quotes = chance.sample(sentences, min(4, len(sentences))) or [section[:80].strip()]
    return "\n".join(
        f"<principle>\n<statement>{quote}</statement>\n<why>{_sentence(chance)}</why>\n"
        f"<quote>{quote}</quote>\n</principle>"
        for quote in quotes
    )


def _review(chance: random.Random) -> str:
    """Mostly an acceptance; one text in twenty is off its brief."""
    accepted = chance.random() > REJECTED
    marks = [chance.choice((3, 4, 4, 5)) for _ in range(5)]
    names = ("fidelity", "reasons", "realism", "brief", "prose")
    lines = [f"{name}: {mark}" for name, mark in zip(names, marks, strict=True)]
    lines += [f"faults: {'none' if accepted else 'off_brief'}"]
    lines += [f"verdict: {'accept' if accepted else 'reject'}"]
    return "<review>\n" + "\n".join(lines) + "\n</review>"


def _problem(body: Any) -> str | None:  # noqa: ANN401 - whatever was sent
    """What the API would find wrong with a request, in its manner."""
    if not isinstance(body, dict):
        return "the body is not an object"
    for name, kind in (("model", str), ("max_tokens", int), ("messages", list)):
        if not isinstance(body.get(name), kind):
            return f"{name}: Field required"
    for name in ("temperature", "top_p", "top_k"):
        if name in body:
            return f"{name}: not supported by this model"
    turns = body["messages"]
    if not turns or any(not isinstance(turn.get("content"), str) for turn in turns):
        return "messages: at least one message with text content is required"
    return "messages: prefill is not supported" if turns[-1]["role"] == "assistant" else None


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}}


@contextmanager
def process(*options: str) -> Iterator[str]:
    """Run the stand-in in a process of its own; the value is its address."""
    command = [sys.executable, "-m", "corpus.model.rehearsal", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as run:  # noqa: S603
        if run.stdout is None or not (address := run.stdout.readline().strip()):
            raise InputError("the rehearsal server did not start")
        try:
            yield address
        finally:
            run.terminate()


@contextmanager
def serve(model: str | None, address: str | None = None) -> Iterator[Writer]:
    """A writer that rehearses: everything as with Claude, and nothing to pay.

    Args:
        model: the model to name in requests.
        address: a stand-in that runs already; None starts one for as long as the writer is used.
    """
    with nullcontext(address) if address else process() as found:
        yield Writer(
            name="rehearse",
            model=model or MODEL,
            base_url=found,
            api_key="rehearsal",
            quality="demo",
        )


def run(port: int, ledger: Path | None) -> None:
    """Serve until the process is told to stop, or its parent closes its standard input."""
    Handler.ledger = Ledger(ledger)
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


def main() -> None:
    """``python -m corpus.model.rehearsal``: what ``process`` starts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", type=Path)
    given = parser.parse_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    run(given.port, given.ledger)


def _end_with_parent() -> None:
    """A parent that was killed closes the pipe: then there is nobody left to serve."""
    while sys.stdin.read(1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
