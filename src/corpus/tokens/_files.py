"""Vocabularies on disk: ``tokenizer.json``, ranks, ``vocab.json`` with ``merges.txt``, pieces.

Whatever the file, what comes of it is an engine of the ``tokenizers`` library, or one that answers
as they do, that adds nothing to a text, cuts nothing off, and reads a control token that is spelled
out in a text as text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import tokenizers

from corpus.errors import InputError
from corpus.tokens._pieces import Pieces
from corpus.tokens._ranks import ranked

ENDS = ("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<｜end▁of▁sentence｜>")
CONTROL = re.compile(r"<.+>|\[[A-Z_/]+\d*\]", re.DOTALL)  # <|im_start|>, <think>, [INST]
RANKS = re.compile(rb"[A-Za-z0-9+/]+={0,2} \d+\r?\n")
ASK = "give gpt2, a tokenizer.json, tiktoken ranks, a tokenizer.model, or the folder of a model"


class Found(NamedTuple):
    """A vocabulary that was read: the bytes that define it, and its boundary tokens."""

    raw: bytes
    engine: tokenizers.Tokenizer | Pieces
    eos: str | None
    bos: str | None


def read(name: str, path: Path) -> Found:
    """The vocabulary at ``path``, a file or the folder of a model.

    Raises:
        InputError: there is none, or the file does not define one.
    """
    file = in_folder(name, path) if path.is_dir() else path
    try:
        raw = file.read_bytes()
        if file.name == "vocab.json":
            merges = file.with_name("merges.txt").read_bytes()
            return pair(name, raw, merges, file)
    except OSError as error:
        raise InputError(f"tokenizer '{name}': cannot be read ({error.strerror})") from error
    if RANKS.match(raw):
        engine, eos, bos = ranked(name, raw)
        return Found(raw, engine, eos, bos)
    if raw.startswith(b"GGUF"):
        raise InputError(
            f"tokenizer '{name}': a GGUF file holds its vocabulary in a form of its own; give the "
            f"tokenizer.json that stands beside the model that it was made of"
        )
    if ".model" in file.suffixes:
        pieces = Pieces(name, raw, CONTROL)
        return with_ends(raw, pieces, file, pieces.eos, pieces.bos)
    return with_ends(raw, parsed(name, raw, file), file)


def in_folder(name: str, folder: Path) -> Path:
    """The file that defines the vocabulary of the model in ``folder``."""
    if (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file():
        others = [folder / "vocab.json"]
    else:
        others = [*sorted(folder.glob("*.tiktoken")), *sorted(folder.glob("*.model"))]
    for file in (folder / "tokenizer.json", *others):
        if file.is_file():
            return file
    raise InputError(f"tokenizer '{name}': no tokenizer.json in that folder; {ASK}")


def parsed(name: str, raw: bytes, file: Path) -> tokenizers.Tokenizer:
    """The engine that a ``tokenizer.json`` describes."""
    try:
        return tokenizers.Tokenizer.from_str(controlled(raw))
    except Exception as error:  # the library raises the bare class for any fault of the file
        raise InputError(
            f"tokenizer '{name}': {file.name} does not define a tokenizer ({error}); "
            f"save it again with the `tokenizers` library"
        ) from error


def controlled(raw: bytes) -> str:
    """The JSON with every added token that is written like a mark called special.

    Models hold marks such as ``<think>`` or ``<tool_call>`` as ordinary added tokens, which the
    library would read out of any text. Runs of blanks and the like are left as they are.
    """
    fields = json.loads(raw)
    for token in fields.get("added_tokens") or ():
        token["special"] = bool(token["special"] or CONTROL.fullmatch(token["content"]))
    return json.dumps(fields, ensure_ascii=False)


def pair(name: str, vocabulary: bytes, merges: bytes, file: Path) -> Found:
    """GPT-2's pair of files: token to id, and the merges in their order."""
    try:
        known = json.loads(vocabulary)
        lines = [line for line in merges.decode().splitlines() if line and line[:2] != "#v"]
        both = [(left, right) for left, right in map(str.split, lines)]
        engine = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=known, merges=both))
    except Exception as error:  # as above
        raise InputError(
            f"tokenizer '{name}': vocab.json and merges.txt do not define a tokenizer ({error})"
        ) from error
    engine.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    engine.decoder = tokenizers.decoders.ByteLevel()
    engine.add_special_tokens([token for token in known if CONTROL.fullmatch(token)])
    return with_ends(vocabulary + merges, engine, file)


def with_ends(
    raw: bytes,
    engine: tokenizers.Tokenizer | Pieces,
    file: Path,
    eos: str | None = None,
    bos: str | None = None,
) -> Found:
    """``engine`` with the boundary tokens of ``tokenizer_config.json``, else those given.

    Without either, a customary one ends a document.
    """
    beside = file.with_name("tokenizer_config.json")
    config = read_config(beside) if beside.is_file() else {}
    known = [token for token in ENDS if engine.token_to_id(token) is not None]
    eos = special(config, "eos_token") or eos or (known[0] if known else None)
    bos = special(config, "bos_token") or bos
    for token in (eos, bos):
        if token is not None and engine.token_to_id(token) is None:
            raise InputError(f"{beside}: '{token}' is not in the vocabulary of {file.name}")
    return Found(raw, engine, eos, bos)


def read_config(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``."""
    try:
        config = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); mend or remove it") from error
    if not isinstance(config, dict):
        raise InputError(f"{path}: not a JSON object; mend or remove it")
    return config


def special(config: dict[str, Any], key: str) -> str | None:
    """A special token of a ``tokenizer_config.json``, which writes it as text or as an object."""
    value = config.get(key)
    content = value.get("content") if isinstance(value, dict) else value
    return content if isinstance(content, str) else None
