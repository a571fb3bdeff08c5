"""The data file: versions, strangers, locks, a full disk, retention."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from local_swf_checker import check_history
from local_swf_driver import DOMAIN, Driver, Refused, decision
from pyflow_local.errors import DataFileUnusable, StorageFailed
from pyflow_local.store.cache import HistoryCache
from pyflow_local.store.store import Store


def test_a_file_of_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "swf.db"
    Store(str(path)).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(DataFileUnusable, match="schema has version 99, this server reads version 1"):
        Store(str(path))
    assert path.read_bytes() == before


def test_a_file_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(DataFileUnusable, match="another program"):
        Store(str(path))
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("hello " * 1000)
    with pytest.raises(DataFileUnusable, match="not an SQLite database"):
        Store(str(path))
    assert path.read_text() == "hello " * 1000


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataFileUnusable, match="its directory exists"):
        Store(str(tmp_path / "nowhere" / "swf.db"))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = str(tmp_path / "swf.db")
    first = Store(path)
    with pytest.raises(DataFileUnusable, match="another process is using it"):
        Store(path)
    first.close()
    Store(path).close()


def fill_disk(driver: Driver) -> None:
    (pages,) = driver.store._db.execute("PRAGMA page_count").fetchone()
    driver.store._db.execute(f"PRAGMA max_page_count={pages}")
    driver.storage_may_fail = True


def free_disk(driver: Driver) -> None:
    driver.store._db.execute("PRAGMA max_page_count=1000000")
    driver.now_ms += 1000
    driver.step()
    driver.storage_may_fail = False


def test_disk_full(tmp_path: Path) -> None:
    """SQLite itself reports SQLITE_FULL: the request fails with a 500, reads go on, nothing is corrupted."""
    driver = Driver(path=str(tmp_path / "swf.db"))
    run = driver.start()
    poll = driver.park("PollForActivityTask", "al")
    fill_disk(driver)
    signal = {"domain": DOMAIN, "workflowId": "w", "signalName": "s", "input": "x" * 9000}
    answer = driver.batch(("SignalWorkflowExecution", signal))[0]
    while answer is not None and answer["status"] == 200:  # SQLite still finds room for a few in the pages it has
        answer = driver.batch(("SignalWorkflowExecution", signal))[0]
    for _ in range(3):
        assert answer is not None
        assert answer["status"] == 500
        assert answer["body"]["__type"].endswith("#InternalFailure")
        answer = driver.batch(("SignalWorkflowExecution", signal))[0]
    kept = driver.history(run)
    check_history(kept)
    assert driver.describe(run)["executionInfo"]["executionStatus"] == "OPEN"
    free_disk(driver)
    driver.decide(driver.schedule())
    assert poll in driver.answers, "a poll that waited still waits after the failure"
    assert [event["eventId"] for event in driver.history(run)] == list(range(1, len(kept) + 5))
    driver.restart()
    check_history(driver.history(run))
    assert driver.store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_failed_batch_is_refused_as_a_whole(tmp_path: Path) -> None:
    driver = Driver(path=str(tmp_path / "swf.db"))
    fill_disk(driver)
    start = {"domain": DOMAIN, "workflowType": {"name": "wf", "version": "1"}, "input": "x" * 30000}
    answers = driver.batch(*(("StartWorkflowExecution", {**start, "workflowId": f"w{n}"}) for n in range(20)))
    assert [answer["status"] for answer in answers if answer] == [500] * 20
    free_disk(driver)
    found = driver.call("CountOpenWorkflowExecutions", domain=DOMAIN, startTimeFilter={"oldestDate": 0})
    assert found["count"] == 0


def test_storage_failed_says_why() -> None:
    store = Store(None)
    store._db.execute("DROP TABLE log")
    from pyflow_local.engine.records import EventsAppended

    with pytest.raises(StorageFailed, match="no such table: log"):
        store.commit([EventsAppended(1, 1, [b"{}"])])


def test_retention(driver: Driver) -> None:
    run = driver.start()
    driver.decide(decision("CompleteWorkflowExecution"))
    driver.advance(7 * 86400 - 10)
    assert driver.describe(run)["executionInfo"]["executionStatus"] == "CLOSED"
    driver.advance(10)
    for look in (driver.describe, driver.history):
        with pytest.raises(Refused) as caught:
            look(run)
        assert caught.value.code == "UnknownResourceFault"
    since = {"closeTimeFilter": {"oldestDate": 0}}
    assert driver.call("CountClosedWorkflowExecutions", domain=DOMAIN, **since)["count"] == 0
    assert driver.service.forget_expired() == 1
    assert driver.store._db.execute("SELECT count(*) FROM log").fetchone() == (0,)
    assert driver.start() != run


@pytest.mark.parametrize("retention", ["0", "NONE"])
def test_no_retention_at_all(driver: Driver, retention: str) -> None:
    driver.call("RegisterDomain", name="brief", workflowExecutionRetentionPeriodInDays=retention)
    driver.call("RegisterWorkflowType", domain="brief", name="wf", version="1", defaultTaskList={"name": "tl"},
                defaultExecutionStartToCloseTimeout="9", defaultTaskStartToCloseTimeout="9",
                defaultChildPolicy="ABANDON")  # fmt: skip
    kind = {"name": "wf", "version": "1"}
    started = driver.call("StartWorkflowExecution", domain="brief", workflowId="w", workflowType=kind)
    driver.call("TerminateWorkflowExecution", domain="brief", workflowId="w")
    execution = {"workflowId": "w", "runId": started["runId"]}
    with pytest.raises(Refused):
        driver.call("DescribeWorkflowExecution", domain="brief", execution=execution)


def test_the_cache_drops_the_least_recently_used() -> None:
    cache = HistoryCache(limit=1000)
    for run in range(10):
        cache.append(run, 1, [b"x" * 200])
    assert [run for run in range(10) if cache.get(run) is not None] == [6, 7, 8, 9]
    cache.append(6, 2, [b"y"])
    assert cache.get(6) == [b"x" * 200, b"y"]
    cache.append(6, 9, [b"gap"])
    assert cache.get(6) is None
