"""The tables of a data file, its identity and version, and opening it safely."""

from __future__ import annotations

import os
import secrets
import sqlite3

from pyflow_local.errors import DataFileUnusable

APPLICATION_ID = 0x53574631  # "SWF1": tells our files from anybody else's SQLite files
SCHEMA_VERSION = 1
WAL_PAGES_PER_CHECKPOINT = 8000
SECRET_SIZE = 32
PAGE_CACHE_KB = 16_000

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE entities (
    kind TEXT NOT NULL, domain INTEGER NOT NULL, name TEXT NOT NULL, version TEXT NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (kind, domain, name, version)
) WITHOUT ROWID;
CREATE TABLE log (seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, first_id INTEGER NOT NULL, events BLOB NOT NULL);
CREATE INDEX log_by_run ON log (run, first_id);
CREATE TABLE open_runs (
    run INTEGER PRIMARY KEY, domain INTEGER NOT NULL, workflow_id TEXT NOT NULL, run_id TEXT NOT NULL
);
CREATE TABLE closed_runs (
    run INTEGER PRIMARY KEY, domain INTEGER NOT NULL, workflow_id TEXT NOT NULL, type_name TEXT NOT NULL,
    type_version TEXT NOT NULL, start_ms INTEGER NOT NULL, close_ms INTEGER NOT NULL, close_status TEXT NOT NULL,
    tags TEXT NOT NULL, events INTEGER NOT NULL, detail BLOB NOT NULL
);
CREATE INDEX closed_by_close ON closed_runs (domain, close_ms);
CREATE INDEX closed_by_start ON closed_runs (domain, start_ms);
CREATE INDEX closed_by_workflow ON closed_runs (domain, workflow_id);
CREATE TABLE heartbeats (
    run INTEGER NOT NULL, scheduled_id INTEGER NOT NULL, at_ms INTEGER NOT NULL, details TEXT,
    PRIMARY KEY (run, scheduled_id)
) WITHOUT ROWID;
"""


def open_database(path: str | None, *, full_sync: bool) -> sqlite3.Connection:
    """Open (and create if need be) a data file, locked for this process; None opens one in memory.

    Raises DataFileUnusable, never changing a file that is not ours or of another version.
    """
    name = ":memory:" if path is None else os.path.abspath(path)
    try:
        db = sqlite3.connect(name, isolation_level=None, check_same_thread=False, timeout=0.2)
        _prepare(db, path)
        db.execute(f"PRAGMA synchronous={'FULL' if full_sync else 'NORMAL'}")
        db.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES_PER_CHECKPOINT}")
        db.execute(f"PRAGMA cache_size=-{PAGE_CACHE_KB}")
    except sqlite3.Error as error:
        raise _unusable(name, error) from error
    return db


def _unusable(name: str, error: sqlite3.Error) -> DataFileUnusable:
    text = str(error)
    if "locked" in text or "busy" in text:
        why = "another process is using it; stop that one or give another --data file"
    elif "not a database" in text:
        why = "it is not an SQLite database; give another --data file"
    elif "unable to open" in text:
        why = "it cannot be opened; check that its directory exists and can be written to"
    else:
        why = f"SQLite says: {text}"
    return DataFileUnusable(f"Data file {name}: {why}")


def _prepare(db: sqlite3.Connection, path: str | None) -> None:
    if path is not None:
        # One process at a time: the lock is the operating system's, so a killed server leaves none behind.
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if tables == 0:
        _create(db, path)
        return
    if application != APPLICATION_ID:
        raise DataFileUnusable(
            f"Data file {path}: it is an SQLite database of another program; give another --data file"
        )
    if version != SCHEMA_VERSION:
        raise DataFileUnusable(
            f"Data file {path}: its schema has version {version}, this server reads version {SCHEMA_VERSION}. "
            "It was left untouched; use the release that wrote it, or give another --data file"
        )
    if path is not None:
        db.execute("PRAGMA journal_mode=WAL")
    db.execute("BEGIN IMMEDIATE")  # takes the exclusive lock now and not at the first request
    db.execute("COMMIT")


def _create(db: sqlite3.Connection, path: str | None) -> None:
    if path is not None:
        db.execute("PRAGMA journal_mode=WAL")
    db.execute("BEGIN IMMEDIATE")
    for statement in _TABLES.split(";"):
        if statement.strip():
            db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('secret', ?)", (secrets.token_bytes(SECRET_SIZE),))
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    db.execute("COMMIT")
