"""A server that does to each request what a script says, down to the bytes and the broken lines."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Act = Callable[[socket.socket], None]  # what is done to a connection; it is closed if that returns
Script = Callable[[int, dict[str, Any]], bytes | Act]


@dataclass
class Seen:
    """What came in: the bodies, the heads, and how many requests there were at one time."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.bodies)


def http(status: int, data: bytes, **headers: str) -> bytes:
    """A whole response; underscores in header names become hyphens."""
    given = {"content-type": "application/json", "content-length": str(len(data))}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data


def message(text: str = "A reply.", **other: Any) -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": 20}
    content = [{"type": "text", "text": text}]
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-5-5",
        "content": content, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage,
    } | other  # fmt: skip


def good(**other: Any) -> bytes:
    return http(200, json.dumps(message(**other)).encode(), request_id="req_1")


def bad(
    status: int, text: str = "no", kind: str = "some_error", code: str = "", **headers: str
) -> bytes:
    error: dict[str, Any] = {"type": kind, "message": text}
    if code:
        error["details"] = {"error_code": code}
    return http(status, json.dumps({"type": "error", "error": error}).encode(), **headers)


def cut(data: bytes = b"") -> Act:
    """Send so much and close."""
    return lambda line: line.sendall(data)


def reset(data: bytes = b"") -> Act:
    """Send so much and reset the connection."""

    def act(line: socket.socket) -> None:
        line.sendall(data)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return act


def hang(until: threading.Event, data: bytes = b"") -> Act:
    """Send byte by byte, and nothing more, until the test is over."""

    def act(line: socket.socket) -> None:
        for place in range(len(data)):
            line.sendall(data[place : place + 1])
            if until.wait(0.02):
                return
        until.wait(10)

    return act


@contextmanager
def scripted(script: Script) -> Iterator[tuple[str, Seen]]:
    """Serve until the block ends; the value is the address and what was seen."""
    seen, lock, over = Seen(), threading.Lock(), threading.Event()
    lines: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(line: socket.socket) -> None:
        with line, contextlib.suppress(OSError):
            reader = line.makefile("rb")
            with reader:
                while head := _head(reader):
                    size = next((int(v) for k, v in head if k == "content-length"), 0)
                    body = json.loads(reader.read(size) or b"{}")
                    with lock:
                        seen.bodies.append(body)
                        seen.heads.append("\n".join(f"{k}: {v}" for k, v in head))
                        number = len(seen)
                    answer = script(number, body)
                    if callable(answer):
                        answer(line)
                        return
                    line.sendall(answer)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                line, _ = listener.accept()
                lines.append(line)
                threads.append(threading.Thread(target=serve, args=(line,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            for line in lines:
                with contextlib.suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def _head(reader: Any) -> list[tuple[str, str]]:
    lines = []
    while (line := reader.readline().decode("latin-1").rstrip("\r\n")) != "":
        lines.append(line)
    pairs = (line.partition(":") for line in lines[1:])
    return [(name.lower(), value.strip()) for name, _, value in pairs]
