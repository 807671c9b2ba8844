"""Section -> a request for held-out questions; reply -> questions. Pure both ways.

Three sorts, after the published evaluations of constitution training: recall, false premises, and
open questions of what the AI thinks ("Teaching Claude why", 2026). They never enter a shard.
"""

from __future__ import annotations

from corpus import prompts
from corpus.prompts import between
from corpus.records import Reply, Request, Section, digest

SORTS = ("recall", "false", "open")
EACH = 3  # questions of each sort from one section
TOKENS = 2_500


def ask(section: Section, ai_name: str, model: str) -> Request:
    """The request for the questions of a section."""
    slots = {
        "title": " > ".join(section.path),
        "section": section.text,
        "count": str(EACH),
        "ai": ai_name,
    }
    system, user = prompts.render("quiz", slots)
    turns = ({"role": "user", "content": user},)
    return Request("quiz", model, system, turns, TOKENS)


def read(section: Section, reply: Reply) -> list[dict[str, str]]:
    """The questions of a reply as rows: id, section, sort, prompt, key."""
    rows = []
    for block in between(reply.text, "question"):
        found = {
            name: " ".join(next(between(block, name), "").split())
            for name in ("sort", "ask", "key")
        }
        if found.get("sort") in SORTS and found.get("ask") and found.get("key"):
            name = digest("quiz", section.id, found["sort"], found["ask"])
            rows.append(
                {
                    "id": name,
                    "section": section.id,
                    "sort": found["sort"],
                    "prompt": found["ask"],
                    "key": found["key"],
                }
            )
    return rows
