"""A server of Message Batches for tests that want to lie: it loses answers and mangles results.

It shares nothing with the stand-in that the product ships, so that the two check each other.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Rows = list[dict[str, Any]]


class Provider:
    """What the server knows; tests set the attributes below before or while they call.

    ``lose``: what becomes of the next creates: ``before`` (cut, nothing made), ``after`` (made, the
    answer is cut), ``late`` (made, the answer is an error 500). ``mangle`` changes the rows of
    results. ``polls``: how often a batch is looked at until it has ended. ``serves``: whether there
    are batches at all. ``hidden``: how many listings do not show what was made yet. ``results_at``:
    the address that results are said to have.
    """

    def __init__(self) -> None:
        self.batches: dict[str, dict[str, Any]] = {}
        self.billed: list[str] = []
        self.direct: list[dict[str, Any]] = []
        self.lose: list[str] = []
        self.mangle: Callable[[str, Rows], Rows] = lambda _, rows: rows
        self.polls = 1
        self.serves = True
        self.hidden = 0
        self.results_at = ""
        self.gone: set[str] = set()
        self.cancelled: list[str] = []
        self.address = ""

    def create(self, requests: Rows) -> dict[str, Any]:
        name = f"msgbatch_{len(self.batches) + 1:04d}"
        self.batches[name] = {"requests": requests, "polls": self.polls, "at": datetime.now(UTC)}
        self.billed += [json.dumps(one["params"], sort_keys=True) for one in requests]
        return self.shown(name)

    def shown(self, name: str) -> dict[str, Any]:
        batch = self.batches[name]
        count, over = len(batch["requests"]), batch["polls"] <= 0
        at = batch["at"].isoformat()
        return {
            "id": name, "type": "message_batch", "created_at": at, "expires_at": at,
            "processing_status": "ended" if over else "in_progress", "archived_at": None,
            "cancel_initiated_at": None, "ended_at": at if over else None,
            "request_counts": {
                "processing": 0 if over else count, "succeeded": count if over else 0,
                "errored": 0, "canceled": 0, "expired": 0,
            },
            "results_url": f"{self.results_at or self.address}/v1/messages/batches/{name}/results"
            if over and name not in self.gone else None,
        }  # fmt: skip

    def rows(self, name: str) -> Rows:
        rows = [
            {"custom_id": one["custom_id"],
             "result": {"type": "succeeded", "message": message(one["params"])}}
            for one in self.batches[name]["requests"]
        ]  # fmt: skip
        return self.mangle(name, rows[::-1])


def message(params: dict[str, Any]) -> dict[str, Any]:
    text = f"an answer to {params['messages'][-1]['content']}"
    usage = {"input_tokens": 100, "output_tokens": 50, "service_tier": "batch"}
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": params["model"],
        "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
        "stop_sequence": None, "usage": usage,
    }  # fmt: skip


@contextmanager
def running() -> Iterator[Provider]:  # noqa: C901 - a dispatcher: one branch per path
    """The provider behind a real socket."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
            path = self.path.split("?")[0]
            if path == "/v1/messages":
                provider.direct.append(body)
                answer = message(body)
                answer["usage"]["service_tier"] = "standard"
                self.say(200, json.dumps(answer))
            elif not provider.serves:
                self.say(404, error("not_found_error"))
            elif path.endswith("/cancel"):
                name = path.split("/")[-2]
                provider.cancelled.append(name)
                self.say(200, json.dumps(provider.shown(name)))
            else:
                fate = provider.lose.pop(0) if provider.lose else ""
                made = None if fate == "before" else provider.create(body["requests"])
                if fate == "late":
                    self.say(500, error("api_error"))
                    return
                if fate:
                    self.close_connection = True
                    return
                self.say(200, json.dumps(made))

        def do_GET(self) -> None:
            parts = self.path.split("?")[0].strip("/").split("/")[3:]
            if not parts:
                for batch in provider.batches.values():
                    batch["polls"] -= 1
                provider.hidden -= 1
                there = [] if provider.hidden >= 0 else list(reversed(provider.batches))
                shown = [provider.shown(name) for name in there]
                self.say(200, json.dumps({"data": shown, "has_more": False, "first_id": None,
                                          "last_id": None}))  # fmt: skip
            elif parts[0] not in provider.batches:
                self.say(404, error("not_found_error"))
            elif parts[-1] == "results":
                rows = [json.dumps(row) + "\n" for row in provider.rows(parts[0])]
                self.say(200, "".join(rows), "application/x-jsonl")
            else:
                provider.batches[parts[0]]["polls"] -= 1
                self.say(200, json.dumps(provider.shown(parts[0])))

        def say(self, status: int, text: str, kind: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


def error(kind: str) -> str:
    return json.dumps({"type": "error", "error": {"type": kind, "message": kind}})
