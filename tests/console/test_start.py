"""`pyflow start` as a process: ids or results out, exit codes by how the execution closed, errors in words."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from console_processes import Ended, Running

pytestmark = pytest.mark.usefixtures("decider")


def test_prints_the_ids(run: Callable[..., Ended]) -> None:
    done = run("start", "Gate", "1.0", "--domain", "console", "--workflow-id", "ids", "--input", "null")
    assert done.code == 0, done
    ids = json.loads(done.out)
    assert ids["workflowId"] == "ids"
    assert ids["runId"]


def test_waits_for_the_result(run: Callable[..., Ended]) -> None:
    done = run("start", "Double", "1.0", "--domain", "console", "--input", "4", "--wait")
    assert (done.code, json.loads(done.out)) == (0, {"double": 8})


def test_follows_an_execution_that_continues_as_new(run: Callable[..., Ended]) -> None:
    done = run("start", "Turns", "1.0", "--domain", "console", "--input", "2", "--wait")
    assert (done.code, json.loads(done.out)) == (0, "the last turn")


def test_failed_execution(run: Callable[..., Ended]) -> None:
    done = run("start", "Double", "1.0", "--domain", "console", "--wait")
    done.assert_told("FAILED", "NO_NUMBER", "give a number", code=1)
    assert done.out == ""


def test_time_to_wait_is_over(run: Callable[..., Ended]) -> None:
    run("start", "Gate", "1.0", "--domain", "console", "--wait", "--timeout", "0.5").assert_told("still open", "0.5")


@pytest.mark.parametrize("text", ["{", "hello", "{'a': 1}", "", "NaN"])
def test_input_that_is_not_json(run: Callable[..., Ended], text: str) -> None:
    run("start", "Double", "1.0", "--domain", "console", "--input", text).assert_told("--input is not JSON", "quotes")


def test_type_that_is_not_there(run: Callable[..., Ended]) -> None:
    ended = run("start", "Double", "9.9", "--domain", "console", "--input", "1")
    ended.assert_told("workflow type 'Double' version '9.9'", "pyflow decider")


def test_domain_that_is_not_there(run: Callable[..., Ended]) -> None:
    run("start", "Double", "1.0", "--domain", "nowhere", "--input", "1").assert_told("domain 'nowhere'")


def test_workflow_id_of_an_open_execution(run: Callable[..., Ended]) -> None:
    arguments = ("start", "Gate", "1.0", "--domain", "console", "--workflow-id", "only-once")
    assert run(*arguments).code == 0
    run(*arguments).assert_told("another workflow id")


def test_swf_that_is_not_there(run: Callable[..., Ended], unused_url: str) -> None:
    ended = run("start", "Double", "1.0", "--domain", "console", AWS_ENDPOINT_URL_SWF=unused_url)
    ended.assert_told(unused_url, "pyflow dev")


def test_endpoint_whose_name_nobody_knows(run: Callable[..., Ended]) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "eu-west-1"}
    ended = run("start", "Double", "1.0", "--domain", "d", AWS_ENDPOINT_URL_SWF="http://swf.invalid:1", **keys)
    ended.assert_told("http://swf.invalid:1")


def test_missing_arguments_show_the_usage(run: Callable[..., Ended]) -> None:
    run("start", "Double").assert_told("usage: pyflow start")


def test_unknown_command_shows_those_there_are(run: Callable[..., Ended]) -> None:
    run("strat").assert_told("decider", "dev", "history", "host", "signal", "start", "status", "worker")


def test_decider_is_still_there(decider: Running) -> None:
    assert decider.process.poll() is None
