"""Ctrl-C and SIGTERM as exceptions, but never inside an import.

Python runs a signal's handler between any two instructions of the main thread. An exception that
is raised while a module is being imported can leave the lock of that module held, and the next
thread that imports it waits for ever: a build that was stopped in its first second hung so.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

AGAIN = 0.05  # seconds until a signal that came during an import is sent again


def install() -> None:
    """Have both signals raise ``KeyboardInterrupt`` in the main thread."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            later = threading.Timer(AGAIN, os.kill, (os.getpid(), number))
            later.daemon = True
            later.start()
            return
        frame = frame.f_back
    raise KeyboardInterrupt
