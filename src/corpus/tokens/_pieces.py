"""SentencePiece models (Llama 1 and 2, Mistral, Gemma, T5), by the library of that name.

It is an engine with what is used of those of ``tokenizers``, so that nothing else needs to know.
Control pieces never come out of a text. Marks that a model holds as pieces of the user, such as
``<start_of_turn>``, would; they are made control pieces before the model is loaded, as marks in a
``tokenizer.json`` are made special. Runs of blanks and tags as HTML has them are left as they are.
So is all in a model without pieces for bytes: there a mark that is no piece is spelled out of
characters that the model may not know.

Source: ``sentencepiece_model.proto`` of SentencePiece: field 1 of a model is a piece, whose fields
are 1, its text, and 3, its type; 3 is a control piece, 4 one of the user, 6 a byte.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from corpus.errors import InputError

CONTROL_TYPE, USER_TYPE, BYTE_TYPE = 3, 4, 6
TAG = re.compile(r"</?[a-z][a-z0-9]*>")  # Gemma reads them out of pages
Offsets = list[tuple[int, int]]


class Encoded(NamedTuple):
    """The ids of a text, and the characters from which to which each of them stands."""

    ids: list[int]
    offsets: Offsets


class Added(NamedTuple):
    """A piece that no text comes to."""

    content: str
    special: bool = True


class Pieces:
    """The model in ``raw``; ``marks`` says which pieces of the user are control pieces.

    Raises:
        InputError: the library is not installed, or ``raw`` is no such model.
    """

    def __init__(self, name: str, raw: bytes, marks: re.Pattern[str]) -> None:
        try:
            import sentencepiece
        except ImportError as error:
            raise InputError(
                f"tokenizer '{name}' is a SentencePiece model: "
                f"pip install 'constitution-corpus[sentencepiece]', or give its tokenizer.json"
            ) from error
        try:
            model = bytes(controlled(raw, marks))
            self._model = sentencepiece.SentencePieceProcessor(model_proto=model)
            self._pieces = [str(self._model.id_to_piece(n)) for n in range(len(self._model))]
        except (RuntimeError, ValueError, IndexError) as error:
            raise InputError(
                f"tokenizer '{name}': not a SentencePiece model ({str(error)[:80]}); "
                f"copy it again from the model's folder"
            ) from error
        self._ids = {piece: number for number, piece in enumerate(self._pieces)}
        self.library = f"sentencepiece {importlib.metadata.version('sentencepiece')}"

    @property
    def eos(self) -> str | None:
        """The piece that ends a document, as the model says."""
        return self._piece(self._model.eos_id())

    @property
    def bos(self) -> str | None:
        """The piece that begins one."""
        return self._piece(self._model.bos_id())

    def encode_batch_fast(self, texts: Sequence[str], **_: bool) -> list[Encoded]:
        """The ids of each text, without their places."""
        given = os.environ.get("RAYON_NUM_THREADS", "")
        workers = int(given) if given.isdecimal() else os.cpu_count() or 1
        return [Encoded(ids, []) for ids in self._model.encode(list(texts), num_threads=workers)]

    def encode_batch(self, texts: Sequence[str], **_: bool) -> list[Encoded]:
        """The ids of each text with their places."""
        return [self._placed(text) for text in texts]

    def _placed(self, text: str) -> Encoded:
        """The library counts bytes; of a character in several tokens only the last one has any."""
        found = self._model.encode(text, return_type="proto").pieces
        lengths = [len(char.encode()) for char in text]
        characters = np.append(np.repeat(np.arange(len(text)), lengths), len(text)).tolist()
        places = [(characters[piece.begin], characters[piece.end]) for piece in found]
        return Encoded([piece.id for piece in found], places)

    def decode(self, ids: list[int], **_: bool) -> str:
        """The text that ``ids`` spell."""
        return str(self._model.decode(ids))

    def token_to_id(self, piece: str) -> int | None:
        """The id of a piece."""
        return self._ids.get(piece)

    def get_vocab(self, **_: bool) -> dict[str, int]:
        """All pieces and their ids."""
        return self._ids

    def get_added_tokens_decoder(self) -> dict[int, Added]:
        """The control pieces by id."""
        return {
            number: Added(piece)
            for number, piece in enumerate(self._pieces)
            if self._model.is_control(number)
        }

    def _piece(self, number: int) -> str | None:
        return self._pieces[number] if number >= 0 else None


def controlled(raw: bytes, marks: re.Pattern[str]) -> bytearray:
    """The model with every piece of the user that ``marks`` matches as a control piece.

    HTML's tags are none, and without pieces for bytes nothing is changed.

    Raises:
        ValueError, IndexError: it ends too early, or holds what no such message does.
    """
    if not raw:
        raise ValueError("it is empty")
    made, found, falls_back = bytearray(raw), list[int](), False
    for number, start, end in fields(raw, 0, len(raw)):
        if number == 1:
            parts = {one: (first, last) for one, first, last in fields(raw, start, end)}
            text, kind = parts.get(1), parts.get(3)
            spelled = raw[slice(*text)].decode() if text else ""
            if kind and raw[kind[0]] == BYTE_TYPE:
                falls_back = True
            elif kind and raw[kind[0]] == USER_TYPE and not TAG.fullmatch(spelled):
                found += [kind[0]] if marks.fullmatch(spelled) else []
    for place in found if falls_back else ():
        made[place] = CONTROL_TYPE
    return made


def fields(raw: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the number of each field of a Protocol Buffers message, and where its value stands."""
    while start < end:
        tag, start = varint(raw, start)
        match tag & 7:
            case 0:
                _, stop = varint(raw, start)
            case 1:
                stop = start + 8
            case 2:
                size, start = varint(raw, start)
                stop = start + size
            case 5:
                stop = start + 4
            case other:
                raise ValueError(f"a field of type {other}")
        if stop > end:
            raise ValueError("it is cut off")
        yield tag >> 3, start, stop
        start = stop


def varint(raw: bytes, start: int) -> tuple[int, int]:
    """The number that begins at ``start``, seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = raw[start]
        value |= (byte & 0x7F) << shift
        start, shift = start + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the last of its bytes
            return value, start
