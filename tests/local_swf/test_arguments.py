"""The command line: everything that can be chosen about a server can be chosen there."""

from __future__ import annotations

import argparse
from dataclasses import fields

import pytest
from pyflow_local.arguments import add_server_arguments, server_options
from pyflow_local.engine.limits import Quotas
from pyflow_local.engine.rates import Rates
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.errors import BadServerArgument
from pyflow_local.server import ServerOptions

NOT_ON_THE_COMMAND_LINE = {"choices"}  # points that SWF leaves open: for programs that want to try the other way
EVERYTHING = {
    "host": (["--host", "::1"], "::1"),
    "port": (["--port", "0"], 0),
    "data": (["--data", "x.db"], "x.db"),
    "full_sync": (["--full-sync"], True),
    "lambdas": (["--lambda", "a=m:f", "--lambda", "b=m:C.g"], {"a": "m:f", "b": "m:C.g"}),
    "lambda_endpoint": (["--lambda-endpoint", "http://127.0.0.1:1"], "http://127.0.0.1:1"),
    "quotas": (["--relax-quotas"], Quotas.relaxed()),
    "restrictions": (["--deny", "swf:RecordMarker"], Restrictions(denied=frozenset({"swf:RecordMarker"}))),
    "allow_time_skipping": (["--allow-time-skipping"], True),
    "require_sigv4": (["--require-sigv4", "K:s:1", "--require-sigv4", "L:t"], {"K": "s:1", "L": "t"}),
    "insecure": (["--insecure"], True),
    "region": (["--region", "eu-west-1"], "eu-west-1"),
    "account": (["--account", "42"], "42"),
    "poll_hold_s": (["--poll-hold", "0.5"], 0.5),
}


def options(*words: str, data: str | None = None) -> ServerOptions:
    """The options of a command line."""
    parser = argparse.ArgumentParser()
    add_server_arguments(parser, data)
    return server_options(parser.parse_args(words))


def test_every_option_is_on_the_command_line() -> None:
    assert {field.name for field in fields(ServerOptions)} - NOT_ON_THE_COMMAND_LINE == set(EVERYTHING)


def test_nothing_given_is_the_default() -> None:
    assert options() == ServerOptions()


@pytest.mark.parametrize("name", EVERYTHING)
def test_one_argument_changes_one_option(name: str) -> None:
    words, value = EVERYTHING[name]
    found = options(*words)
    assert getattr(found, name) == value
    changed = {field.name for field in fields(ServerOptions) if getattr(found, field.name) != field_default(field.name)}
    assert changed == {name}


def field_default(name: str) -> object:
    """The default of an option."""
    return getattr(ServerOptions(), name)


def test_all_restrictions() -> None:
    words = ("--throttle", "--no-lambda", "--deny", "swf:StartTimer", "--deny", "swf:ListDomains")
    assert options(*words).restrictions == Restrictions(
        denied=frozenset({"swf:StartTimer", "swf:ListDomains"}), rates=Rates(), lambda_service=False
    )


def test_memory_wins_over_the_default_file() -> None:
    assert options(data="d.db").data == "d.db"
    assert options("--memory", data="d.db").data is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--lambda", "a"], "NAME=module:function"),
        (["--lambda", "a=m:f", "--lambda", "a=m:g"], "'a' twice"),
        (["--deny", "RecordMarker"], "'RecordMarker' is no permission of SWF"),
        (["--no-lambda", "--lambda", "a=m:f"], "--no-lambda contradicts --lambda"),
        (["--require-sigv4", "K"], "number 1 is not KEY:SECRET"),
        (["--require-sigv4", "K:s", "--require-sigv4", "K:t"], "'K' twice"),
    ],
)
def test_malformed(words: list[str], told: str) -> None:
    with pytest.raises(BadServerArgument, match=told):
        options(*words)


@pytest.mark.parametrize("words", [["--poll-hold", "0"], ["--poll-hold", "nan"], ["--port", "-1"], ["--port", "x"]])
def test_numbers_that_cannot_be(words: list[str]) -> None:
    with pytest.raises(SystemExit):
        options(*words)
