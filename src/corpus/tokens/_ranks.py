"""A file of tiktoken ranks as a byte-level BPE of the ``tokenizers`` library.

A ranks file holds one token per line, in base64, with its rank, and nothing else: neither the
pattern that cuts a text into words nor the special tokens. Both are known for the vocabularies that
were published in this form, which are told by their sizes.

Sources: ``tiktoken_ext/openai_public.py`` of tiktoken for OpenAI's patterns and special tokens, the
``tokenizer.py`` of Llama 3 and the ``tokenization_qwen.py`` of Qwen for theirs. The merges of a
token are the last step of the byte pair encoding that leads to it (``bpe.rs`` of tiktoken).
"""

from __future__ import annotations

import base64
import binascii
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import tokenizers

from corpus.errors import InputError

NOT_BYTES = (*range(33), *range(127, 161), 173)  # bytes that GPT-2 writes as other characters
KEPT = [byte for byte in range(256) if byte not in NOT_BYTES]
SPELLED = {byte: chr(byte) for byte in KEPT} | {
    byte: chr(256 + place) for place, byte in enumerate(NOT_BYTES)
}
GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CASED = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
ENDING = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
O200K = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}*{LOWER}+{ENDING}",
        rf"[^\r\n\p{{L}}\p{{N}}]?{UPPER}+{LOWER}*{ENDING}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
END = "<|endoftext|>"


@dataclass(frozen=True, slots=True)
class Known:
    """A published vocabulary: its pattern, its special tokens, and how a document begins."""

    name: str
    pattern: str
    specials: Mapping[str, int]
    eos: str = END
    bos: str | None = None
    reserved: tuple[int, int] = field(default=(0, 0))

    def all(self) -> dict[str, int]:
        """Its special tokens by their ids, those in reserve too."""
        first, last = self.reserved
        named = set(self.specials.values())
        spare = {f"<|reserved_special_token_{n}|>": n for n in range(first, last) if n not in named}
        return dict(sorted({**self.specials, **spare}.items(), key=lambda each: each[1]))


FIM = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")
LLAMA3 = {"<|begin_of_text|>": 0, "<|end_of_text|>": 1, "<|start_header_id|>": 6,
          "<|end_header_id|>": 7, "<|eot_id|>": 9}  # fmt: skip
BY_SIZE = {
    50256: Known("gpt2", GPT2, {END: 50256}, bos=END),
    50280: Known("p50k_base", GPT2, {END: 50256}, bos=END),
    100256: Known(
        "cl100k_base",
        CASED % "{1,3}",
        {
            END: 100257,
            **{mark: 100258 + n for n, mark in enumerate(FIM)},
            "<|endofprompt|>": 100276,
        },
    ),
    128000: Known(
        "llama3",
        CASED % "{1,3}",
        {mark: 128000 + n for mark, n in LLAMA3.items()},
        eos="<|end_of_text|>",
        bos="<|begin_of_text|>",
        reserved=(128000, 128256),
    ),
    151643: Known("qwen", CASED % "", {END: 151643, "<|im_start|>": 151644, "<|im_end|>": 151645}),
    199998: Known("o200k_base", O200K, {END: 199999, "<|endofprompt|>": 200018}),
}


def ranks_file(vocabulary: Mapping[str, int]) -> bytes:
    """A byte-level vocabulary, less its end-of-text token, as tiktoken writes it."""
    spelled_as = {char: byte for byte, char in SPELLED.items()}
    return "".join(
        base64.b64encode(bytes(map(spelled_as.__getitem__, token))).decode() + f" {rank}\n"
        for token, rank in sorted(vocabulary.items(), key=lambda each: each[1])
        if token != END
    ).encode()


def ranked(name: str, raw: bytes) -> tuple[tokenizers.Tokenizer, str, str | None]:
    """The engine of the ranks ``raw``, its end-of-text token, and what a document begins with.

    Raises:
        InputError: a line is not a token and its rank, or the vocabulary is none of the known.
    """
    ranks = parsed(name, raw)
    known = BY_SIZE.get(len(ranks))
    if known is None:
        sizes = ", ".join(f"{found.name} ({size:,})" for size, found in BY_SIZE.items())
        raise InputError(
            f"tokenizer '{name}': {len(ranks):,} ranks, and a ranks file does not say how text is "
            f"cut into words; known by their sizes: {sizes}; give a tokenizer.json for another"
        )
    vocabulary = {spelled(token): rank for token, rank in ranks.items()}
    vocabulary |= known.all()
    model = tokenizers.models.BPE(vocab=vocabulary, merges=merges(ranks), ignore_merges=True)
    engine = tokenizers.Tokenizer(model)
    engine.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.Split(tokenizers.Regex(known.pattern), "isolated"),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    engine.decoder = tokenizers.decoders.ByteLevel()
    engine.add_special_tokens(list(known.all()))
    return engine, known.eos, known.bos


def parsed(name: str, raw: bytes) -> dict[bytes, int]:
    """Token to rank."""
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            token, rank = line.split()
            ranks[base64.b64decode(token, validate=True)] = int(rank)
        except (ValueError, binascii.Error) as error:
            raise InputError(
                f"tokenizer '{name}', line {number}: not a token in base64 and its rank: "
                f"{line[:60]!r}"
            ) from error
    return ranks


def spelled(token: bytes) -> str:
    """The token in GPT-2's characters, one for each byte."""
    return "".join(map(SPELLED.__getitem__, token))


def merges(ranks: Mapping[bytes, int]) -> list[tuple[str, str]]:
    """The pair that makes each token of more than one byte, by rank."""
    found = []
    for token, rank in sorted(ranks.items(), key=lambda each: each[1]):
        if len(token) > 1:
            pair = halves(token, rank, ranks)
            if len(pair) == 2:  # noqa: PLR2004 - else no merges lead to it
                found.append((spelled(pair[0]), spelled(pair[1])))
    return found


def halves(token: bytes, rank: int, ranks: Mapping[bytes, int]) -> list[bytes]:
    """What merging by lower ranks than ``rank`` leaves of ``token``."""
    parts = [bytes([byte]) for byte in token]
    while True:
        best = min(
            (
                (ranks.get(left + right, rank), place)
                for place, (left, right) in enumerate(itertools.pairwise(parts))
            ),
            default=(rank, 0),
        )
        if best[0] >= rank:
            return parts
        parts[best[1] : best[1] + 2] = [parts[best[1]] + parts[best[1] + 1]]
