"""Human English out of Debian documentation packages, as a second control beside Brown.

    apt-get download anarchism debian-handbook developers-reference doc-debian
    for each: dpkg -x PACKAGE.deb FOLDER
    python benchmarks/diversity/debian.py FOLDER > debian.jsonl

Paragraphs of at least 20 words of every English HTML page, in order, cut into documents of at
least 450 words; what is left over of a page is dropped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

WORDS = 450
LEAST = 20


class Paragraphs(HTMLParser):
    """Collects the text of every ``p``."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._open = False
        self._held: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the base's shape
        """A paragraph begins, and ends one that was left open."""
        if tag == "p":
            self.handle_endtag("p")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        """A paragraph ends."""
        if tag == "p" and self._open:
            self.found.append(" ".join("".join(self._held).split()))
            self._open, self._held = False, []

    def handle_data(self, data: str) -> None:
        """Text, inside a paragraph or not."""
        if self._open:
            self._held.append(data)


def documents(folder: Path) -> Iterator[dict[str, str]]:
    for path in sorted(folder.rglob("*.html")):
        parts = set(path.parts)
        if any(name.split(".")[0][:2] != "en" and name in _OTHERS for name in parts):
            continue
        reader = Paragraphs()
        reader.feed(path.read_text("utf-8", "replace"))
        held: list[str] = []
        number = 0
        for paragraph in reader.found:
            if len(paragraph.split()) < LEAST:
                continue
            held.append(paragraph)
            if sum(len(text.split()) for text in held) >= WORDS:
                name = f"{path.relative_to(folder)}-{number}"
                yield {"id": name, "text": "\n\n".join(held), "section": path.stem}
                held, number = [], number + 1


_OTHERS = set(
    """ar-MA cs-CZ da-DK de-DE el-GR es-ES fa-IR fr-FR hr-HR id-ID it-IT ja-JP ko-KR nb-NO nl-NL
    pl-PL pt-BR ro-RO ru-RU sv-SE tr-TR uk-UA vi-VN zh-CN zh-TW de fr ja it es ru pl""".split()
)

if __name__ == "__main__":
    for row in documents(Path(sys.argv[1])):
        print(json.dumps(row, ensure_ascii=False))
