"""The tables of the journal, and how an older file becomes a newer one.

The version stands in SQLite's ``user_version``. A step is added at the end of ``STEPS`` and never
changed afterwards: a file of any earlier version runs through those that it lacks.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from corpus.errors import InputError

FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE item (key TEXT PRIMARY KEY, stage TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL REFERENCES item, batch TEXT,
  state TEXT NOT NULL CHECK (state IN ('intent', 'ok', 'refused', 'error', 'unknown')),
  status INTEGER, detail TEXT, request_id TEXT,
  worst INTEGER, cost INTEGER, started TEXT NOT NULL DEFAULT (datetime('now')));
CREATE INDEX attempt_state ON attempt (state);
CREATE TABLE result (
  key TEXT PRIMARY KEY REFERENCES item, attempt INTEGER NOT NULL REFERENCES attempt,
  body TEXT NOT NULL, sha256 TEXT NOT NULL) WITHOUT ROWID;
"""
BATCHES = """
CREATE TABLE batch (
  nonce TEXT PRIMARY KEY, id TEXT UNIQUE, size INTEGER NOT NULL, digest TEXT NOT NULL,
  state TEXT NOT NULL
    CHECK (state IN ('intent', 'created', 'ended', 'fetched', 'parsed', 'never', 'given_up')),
  began REAL NOT NULL, ends REAL, listings INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE batch_item (
  nonce TEXT NOT NULL REFERENCES batch, place INTEGER NOT NULL,
  attempt INTEGER NOT NULL REFERENCES attempt, PRIMARY KEY (nonce, place)) WITHOUT ROWID;
CREATE INDEX attempt_key ON attempt (key);
CREATE INDEX attempt_batch ON attempt (batch) WHERE batch IS NOT NULL;
CREATE TABLE surplus (
  attempt INTEGER NOT NULL REFERENCES attempt, body TEXT NOT NULL, sha256 TEXT NOT NULL);
CREATE TABLE event (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL DEFAULT (datetime('now')),
  kind TEXT NOT NULL, detail TEXT NOT NULL);
"""
ORIGINS = """
ALTER TABLE batch ADD COLUMN origin TEXT NOT NULL DEFAULT '';
"""
STEPS = (FIRST, BATCHES, ORIGINS)
VERSION = len(STEPS)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a new or older journal to ``VERSION``, within the transaction that is open.

    Raises:
        InputError: it was written by a newer version; it is left untouched.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise InputError(
            f"{path}: written by a newer version (format {version}, this program knows {VERSION}); "
            f"upgrade, or choose another --output"
        )
    for step in STEPS[version:]:
        for statement in filter(str.strip, step.split(";")):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
