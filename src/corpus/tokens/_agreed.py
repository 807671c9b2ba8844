"""What engines said on the hard texts, kept between runs: going through them takes time each time.

An outcome is that of one vocabulary, one version of each library, one list, one machine, and one
way to ask the engine; with any other of them it is worked out anew. What cannot be read or kept is
worked out, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.resources
import json
import platform
import unicodedata
from collections.abc import Callable

from corpus import store
from corpus.errors import DiskError
from corpus.tokens import Tokenizer

SOURCES = ("_hard.py", "_quick.py", "_reference.py")  # what is compared, and how


def kept(
    tokenizer: Tokenizer, engine: str, definition: str, find: Callable[[], str | None]
) -> str | None:
    """What ``find`` gives: the text that ``engine`` gets wrong in this vocabulary, None without.

    ``CORPUS_CACHE`` names the folder; a file in it holds one outcome.
    """
    here = importlib.resources.files("corpus.tokens")
    facts = (
        engine, importlib.metadata.version(engine), tokenizer.library,
        *((here / name).read_text("utf-8") for name in SOURCES),
        unicodedata.unidata_version, platform.node(), platform.machine(), definition,
    )  # fmt: skip
    name = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:32]
    path = None
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RuntimeError):
        path = store.cache_folder() / "engines" / f"{engine}-{name}.json"  # no home: RuntimeError
        wrong = json.loads(path.read_bytes())["wrong"]
        if wrong is None or isinstance(wrong, str):
            return wrong
    wrong = find()
    if path is not None:
        with contextlib.suppress(DiskError):
            store.write_json(path, {"wrong": wrong})
    return wrong
