"""Reads the files of a constitution as clean text; says what is wrong with one that is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from corpus.errors import InputError

SUFFIXES = (".json", ".markdown", ".md", ".txt")


def listing(folder: Path, notes: list[str]) -> Iterator[tuple[Path, str]]:
    """Yield the files of ``folder`` to read, with their names in it; the others go to ``notes``."""
    found = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*")}
    for source, file in sorted(found.items()):
        hidden = any(part.startswith(".") for part in source.split("/"))
        if hidden or not file.is_file():
            continue
        if file.suffix.lower() not in SUFFIXES:
            notes.append(f"{source}: left out, not one of {', '.join(SUFFIXES)}")
        elif file.stem.lower() == "readme":
            notes.append(f"{source}: left out, it describes the folder")
        else:
            yield file, source


def decode(file: Path) -> str:
    """Return the clean text of ``file``, which must be UTF-8."""
    data = file.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{file}: is UTF-16, save it as UTF-8 (iconv -f UTF-16 -t UTF-8)")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        byte = f"0x{data[error.start]:02x}"
        raise InputError(
            f"{file}: not UTF-8: byte {byte} at offset {error.start}; save it as UTF-8"
        ) from error
    return clean(text, str(file))


def clean(text: str, where: str) -> str:
    r"""Return ``text`` with ``\n`` line ends, no byte order mark and no blanks at line ends."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if (at := text.find("\0")) >= 0:
        line = text.count("\n", 0, at) + 1
        raise InputError(f"{where}: NUL character in line {line}; is this a text file?")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: half a surrogate pair at character {error.start}") from error
    return "\n".join(line.rstrip(" \t") for line in text.split("\n"))
