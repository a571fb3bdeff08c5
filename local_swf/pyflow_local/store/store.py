"""Commits journals, serves history and answers questions about closed executions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator

import orjson

from pyflow_local.engine.rebuild import Durable
from pyflow_local.engine.records import (
    EntityDeleted,
    EntitySaved,
    EventsAppended,
    HeartbeatRecorded,
    RunClosed,
    RunOpened,
)
from pyflow_local.engine.values import ClosedCountQuery, ClosedFilter, ClosedPageQuery, ClosedRow, HistorySlice
from pyflow_local.errors import StorageFailed
from pyflow_local.store.cache import HistoryCache
from pyflow_local.store.schema import open_database

FORGET_BATCH = 200
_ROW = "run, domain, start_ms, close_ms, detail, events"
_INSERT_CLOSED = "INSERT INTO closed_runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Store:
    """One data file, or a database in memory (`path` None). Not for use from several threads at once."""

    def __init__(self, path: str | None, *, full_sync: bool = False) -> None:
        self._db = open_database(path, full_sync=full_sync)
        self._cache = HistoryCache()
        (self.secret,) = self._db.execute("SELECT value FROM meta WHERE key='secret'").fetchone()

    # --- writing ---------------------------------------------------------------------------------------------

    def commit(self, journal: list[object]) -> None:
        """Write a journal in one transaction. Raises StorageFailed, and then nothing was written."""
        if not journal:
            return
        appended: list[EventsAppended] = []
        opened: list[RunOpened] = []
        closed: list[RunClosed] = []
        others: list[object] = []
        for record in journal:
            if type(record) is EventsAppended:
                appended.append(record)
            elif type(record) is RunOpened:
                opened.append(record)
            elif type(record) is RunClosed:
                closed.append(record)
            else:
                others.append(record)
        try:
            self._write(appended, opened, closed, others)
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise StorageFailed(f"The data file could not be written: {error}") from error
        for one in appended:
            self._cache.append(one.run, one.first_id, one.events)

    def _write(
        self,
        appended: list[EventsAppended],
        opened: list[RunOpened],
        closed: list[RunClosed],
        others: list[object],
    ) -> None:
        """One transaction, a statement for each kind of record: runs open before they close."""
        db = self._db
        db.execute("BEGIN")
        for record in others:
            self._write_other(record)
        if appended:
            rows = [(one.run, one.first_id, b"\n".join(one.events)) for one in appended]
            db.executemany("INSERT INTO log (run, first_id, events) VALUES (?, ?, ?)", rows)
        if opened:
            names = [(one.run, one.domain, one.workflow_id, one.run_id) for one in opened]
            db.executemany("INSERT INTO open_runs VALUES (?, ?, ?, ?)", names)
        if closed:
            db.executemany("DELETE FROM open_runs WHERE run=?", [(one.run,) for one in closed])
            db.executemany(_INSERT_CLOSED, [_closed_values(one) for one in closed])
            beating = [(one.run,) for one in closed if one.heartbeats]
            if beating:
                db.executemany("DELETE FROM heartbeats WHERE run=?", beating)
        db.execute("COMMIT")

    def _write_other(self, record: object) -> None:
        db = self._db
        if isinstance(record, HeartbeatRecorded):
            beat = (record.run, record.scheduled_id, record.at_ms, record.details)
            db.execute("INSERT OR REPLACE INTO heartbeats VALUES (?, ?, ?, ?)", beat)
        elif isinstance(record, EntitySaved):
            saved = (record.kind, record.domain, record.name, record.version, record.value)
            db.execute("INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?, ?)", saved)
        else:
            assert isinstance(record, EntityDeleted)
            key = (record.kind, record.domain, record.name, record.version)
            db.execute("DELETE FROM entities WHERE kind=? AND domain=? AND name=? AND version=?", key)

    # --- reading ---------------------------------------------------------------------------------------------

    def load(self) -> Durable:
        """Everything an engine is rebuilt from. The iterables read as they go: use each once, in order."""
        db = self._db
        entities = db.execute("SELECT kind, domain, name, version, value FROM entities ORDER BY kind='domain' DESC")
        beats = db.execute("SELECT run, scheduled_id, at_ms, details FROM heartbeats")
        return Durable(
            entities=[EntitySaved(*row) for row in entities],
            runs=self._open_runs(),
            heartbeats=[HeartbeatRecorded(*row) for row in beats],
            next_run=self._next_run(),
        )

    def _open_runs(self) -> Iterator[tuple[RunOpened, list[bytes]]]:
        for row in self._db.execute("SELECT run, domain, workflow_id, run_id FROM open_runs ORDER BY run"):
            yield RunOpened(*row), self._read(row[0], 1)

    def _next_run(self) -> int:
        db = self._db
        found: list[int] = [0]
        for table in ("log", "open_runs", "closed_runs"):
            (top,) = db.execute(f"SELECT max(run) FROM {table}").fetchone()
            found.append(int(top or 0))
        row = db.execute("SELECT value FROM meta WHERE key='last_run'").fetchone()
        if row is not None:
            found.append(int(row[0]))
        return max(found) + 1

    def last_event_ms(self) -> int:
        """The time of the newest event, 0 in an empty file: a server's clock must not start before it."""
        row = self._db.execute("SELECT events FROM log ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None:
            return 0
        stamp: float = orjson.loads(row[0].rpartition(b"\n")[2])["eventTimestamp"]
        return round(stamp * 1000)

    def _read(self, run: int, first: int) -> list[bytes]:
        """The run's events from `first` on, or from a little before: as the rows happen to be cut."""
        events: list[bytes] = []
        query = (
            "SELECT events FROM log WHERE run=?1 AND first_id >= coalesce("
            "(SELECT max(first_id) FROM log WHERE run=?1 AND first_id <= ?2), 0) ORDER BY first_id"
        )
        for (blob,) in self._db.execute(query, (run, first)):
            events += blob.split(b"\n")
        return events

    def history(self, wanted: HistorySlice) -> bytes:
        """The events of a slice, joined by commas."""
        events = self._cache.get(wanted.run)
        if events is None or len(events) < wanted.last:
            events = self._read(wanted.run, 1)
            self._cache.put(wanted.run, events)
        part = events[wanted.first - 1 : wanted.last]
        if wanted.reverse:
            part = part[::-1]
        return b",".join(part)

    def closed(self, run: int) -> ClosedRow | None:
        """One closed execution."""
        row = self._db.execute(f"SELECT {_ROW} FROM closed_runs WHERE run=?", (run,)).fetchone()
        return ClosedRow(*row) if row is not None else None

    def closed_page(self, query: ClosedPageQuery) -> list[ClosedRow]:
        """Closed executions in the order of the time that is filtered by."""
        column = "close_ms" if query.where.by_close_time else "start_ms"
        clauses, values = _where(query.where, column)
        if query.after is not None:
            clauses.append(f"({column}, run) {'>' if query.oldest_first else '<'} (?, ?)")
            values += query.after
        order = "ASC" if query.oldest_first else "DESC"
        text = (
            f"SELECT {_ROW} FROM closed_runs WHERE {' AND '.join(clauses)} "
            f"ORDER BY {column} {order}, run {order} LIMIT ?"
        )
        return [ClosedRow(*row) for row in self._db.execute(text, (*values, query.limit))]

    def closed_count(self, query: ClosedCountQuery) -> int:
        """How many closed executions match."""
        column = "close_ms" if query.where.by_close_time else "start_ms"
        clauses, values = _where(query.where, column)
        text = f"SELECT count(*) FROM closed_runs WHERE {' AND '.join(clauses)}"
        (count,) = self._db.execute(text, values).fetchone()
        return int(count)

    # --- housekeeping ----------------------------------------------------------------------------------------

    def forget_closed(self, domain: int, closed_until_ms: int) -> int:
        """Delete up to FORGET_BATCH executions whose retention is over; returns how many."""
        db = self._db
        query = "SELECT run FROM closed_runs WHERE domain=? AND close_ms<=? LIMIT ?"
        runs = [row[0] for row in db.execute(query, (domain, closed_until_ms, FORGET_BATCH))]
        if not runs:
            return 0
        last_run = self._next_run() - 1
        try:
            db.execute("BEGIN")
            db.execute("INSERT OR REPLACE INTO meta VALUES ('last_run', ?)", (last_run,))
            db.executemany("DELETE FROM log WHERE run=?", ((run,) for run in runs))
            db.executemany("DELETE FROM closed_runs WHERE run=?", ((run,) for run in runs))
            db.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise StorageFailed(f"Old executions could not be deleted: {error}") from error
        for run in runs:
            self._cache.drop(run)
        return len(runs)

    def close(self) -> None:
        """Close the file; a clean close folds the write-ahead log into it."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()


def _closed_values(record: RunClosed) -> tuple[object, ...]:
    return (
        record.run,
        record.domain,
        record.workflow_id,
        record.type_name,
        record.type_version,
        record.start_ms,
        record.close_ms,
        record.close_status,
        record.tags,
        record.events,
        record.detail,
    )


def _where(where: ClosedFilter, column: str) -> tuple[list[str], list[object]]:
    clauses = ["domain=?", f"{column} BETWEEN ? AND ?", "close_ms>?"]
    values: list[object] = [where.domain, where.oldest_ms, where.latest_ms, where.closed_after_ms]
    pairs: Iterable[tuple[str, str | None]] = (
        ("workflow_id=?", where.workflow_id),
        ("type_name=?", where.type_name),
        ("type_version=?", where.type_version),
        ("close_status=?", where.close_status),
        ("EXISTS (SELECT 1 FROM json_each(tags) WHERE json_each.value=?)", where.tag),
    )
    for clause, value in pairs:
        if value is not None:
            clauses.append(clause)
            values.append(value)
    return clauses, values
