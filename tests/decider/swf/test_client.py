"""make_client: found as every AWS tool finds it; dummies on this machine only; clear words when something lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyflow.swf import NotConfigured, connect, is_loopback, make_client
from scripted_swf import ScriptedSwf


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_SWF", "AWS_ENDPOINT_URL"])
def test_loopback_endpoint_from_environment_needs_nothing_else(
    scripted: ScriptedSwf, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, scripted.url)
    client = make_client()
    client.list_domains(registrationStatus="REGISTERED")
    assert scripted.operations() == ["ListDomains"]
    assert "Credential=loopback/" in scripted.requests[0].headers["authorization"]


def test_service_endpoint_goes_before_the_general_one(scripted: ScriptedSwf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SWF", scripted.url)
    assert make_client().meta.endpoint_url == scripted.url


def test_profile_gives_region_endpoint_and_credentials(scripted: ScriptedSwf, no_aws_configuration: Path) -> None:
    no_aws_configuration.write_text(
        "[profile here]\nregion = eu-west-3\naws_access_key_id = AKIDHERE\naws_secret_access_key = s\n"
        f"services = mine\n[services mine]\nswf =\n  endpoint_url = {scripted.url}\n"
    )
    client = make_client(profile="here")
    client.list_domains(registrationStatus="REGISTERED")
    assert "Credential=AKIDHERE/" in scripted.requests[0].headers["authorization"]
    assert "/eu-west-3/swf/" in scripted.requests[0].headers["authorization"]


def test_credentials_of_the_environment_are_used_on_loopback_too(
    scripted: ScriptedSwf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    make_client(endpoint_url=scripted.url).list_domains(registrationStatus="REGISTERED")
    assert "Credential=AKIDREAL/" in scripted.requests[0].headers["authorization"]


@pytest.fixture
def default_session() -> Iterator[None]:
    """boto3's default session as it was before the test."""
    before = boto3.DEFAULT_SESSION
    yield
    boto3.DEFAULT_SESSION = before


def test_the_default_session_a_program_set_up_is_used(scripted: ScriptedSwf, default_session: None) -> None:
    """2.0.0's programs had no other way to choose region and credentials for poll_for_executions."""
    boto3.setup_default_session(region_name="eu-west-3", aws_access_key_id="AKIDOWN", aws_secret_access_key="s")
    connection = connect(endpoint_url=scripted.url)
    connection.client.list_domains(registrationStatus="REGISTERED")
    connection.api.poll_for_decision_task({"domain": "d", "taskList": {"name": "t"}})
    for request in scripted.requests:
        assert "Credential=AKIDOWN/" in request.headers["authorization"]
        assert "/eu-west-3/swf/" in request.headers["authorization"]
    assert scripted.operations() == ["ListDomains", "PollForDecisionTask"]


def test_a_default_session_boto3_made_by_itself_changes_nothing(
    scripted: ScriptedSwf, default_session: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3.setup_default_session()
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    make_client(endpoint_url=scripted.url).list_domains(registrationStatus="REGISTERED")
    assert "/eu-north-1/swf/" in scripted.requests[0].headers["authorization"]


def test_no_dummies_for_another_machine() -> None:
    with pytest.raises(NotConfigured) as caught:
        make_client(endpoint_url="http://swf.example.com:8042")
    message = str(caught.value)
    assert "no AWS region" in message
    assert "no AWS credentials" in message
    assert "AWS_ENDPOINT_URL_SWF=http://127.0.0.1" in message


def test_region_alone_lacks_credentials() -> None:
    with pytest.raises(NotConfigured, match="no AWS credentials") as caught:
        make_client(region="eu-central-1")
    assert "no AWS region" not in str(caught.value)
    assert "swf.eu-central-1.amazonaws.com" in str(caught.value)


def test_credentials_alone_lack_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    with pytest.raises(NotConfigured, match="no AWS region"):
        make_client()


def test_half_of_the_credentials_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    with pytest.raises(NotConfigured, match="AWS_SECRET_ACCESS_KEY"):
        make_client(region="eu-central-1")


def test_unknown_profile_is_said() -> None:
    with pytest.raises(NotConfigured, match="nobody"):
        make_client(profile="nobody")


def test_unreadable_config_is_said(no_aws_configuration: Path) -> None:
    no_aws_configuration.write_text("not an ini file")
    with pytest.raises(NotConfigured):
        make_client(region="eu-central-1")


def test_real_endpoint_of_a_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert make_client(region="eu-central-1").meta.endpoint_url == "https://swf.eu-central-1.amazonaws.com"


def test_read_timeout_is_above_the_long_poll(scripted: ScriptedSwf) -> None:
    clients: list[Any] = [
        make_client(endpoint_url=scripted.url),
        make_client(endpoint_url=scripted.url, read_timeout_s=70),
    ]
    assert clients[0].meta.config.read_timeout > 60
    assert clients[1].meta.config.read_timeout == 70


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8042", True),
        ("http://0.0.0.0:8042", False),
        ("https://swf.eu-central-1.amazonaws.com", False),
        ("http://localhost.example.com", False),
        ("http://swf:8042", False),
    ],
)
def test_loopback(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ({"AWS_REGION": "eu-west-2"}, "eu-west-2"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-2"),
    ],
)
def test_both_region_variables_are_known(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], region: str
) -> None:
    for name, value in {**variables, "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s"}.items():
        monkeypatch.setenv(name, value)
    client = make_client()
    assert client.meta.region_name == region
    assert client.meta.endpoint_url == f"https://swf.{region}.amazonaws.com"
