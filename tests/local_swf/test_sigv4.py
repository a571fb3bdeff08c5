"""Signatures: boto3's own are accepted, everything else gets SWF's errors."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st
from local_swf_server import RunningServer
from pyflow_local.engine.faults import Fault
from pyflow_local.http.sigv4 import SignatureCheck
from test_http import refused_start

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture
def server(run_server: Callable[..., RunningServer]) -> RunningServer:
    return run_server("--memory", "--host", "127.0.0.1", "--require-sigv4", f"{KEY}:{SECRET}")


def client(server: RunningServer, key: str, secret: str, **config: Any) -> Any:
    return boto3.client(
        "swf",
        endpoint_url=server.url,
        region_name="eu-west-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def code_of(swf: Any) -> str:
    with pytest.raises(swf.exceptions.ClientError) as caught:
        swf.list_domains(registrationStatus="REGISTERED")
    return caught.value.response["Error"]["Code"]


def test_over_boto3(server: RunningServer) -> None:
    from botocore import UNSIGNED

    good = client(server, KEY, SECRET)
    good.register_domain(name="d\u00e9", description="\u4e16\u754c", workflowExecutionRetentionPeriodInDays="1")
    assert good.list_domains(registrationStatus="REGISTERED")["domainInfos"][0]["name"] == "d\u00e9"
    assert code_of(client(server, KEY, "wrong")) == "InvalidSignatureException"
    assert code_of(client(server, "AKIDNOBODY", SECRET)) == "UnrecognizedClientException"
    assert code_of(client(server, KEY, SECRET, signature_version=UNSIGNED)) == "MissingAuthenticationTokenException"


def signed(body: bytes, headers: dict[str, str]) -> dict[bytes, bytes]:
    request = AWSRequest("POST", "http://localhost:8042/", headers=headers, data=body)
    SigV4Auth(Credentials(KEY, SECRET), "swf", "us-east-1").add_auth(request)
    found = {name.lower().encode(): value.encode() for name, value in request.headers.items()}
    return {b"host": b"localhost:8042", **found}


def seconds_of(headers: dict[bytes, bytes]) -> float:
    from datetime import datetime, timezone

    stamp = headers[b"x-amz-date"].decode()
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()


values = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=200), value=values, gap=st.sampled_from(["", " ", "   "]))
def test_agrees_with_botocores_signer(body: bytes, value: str, gap: str) -> None:
    headers = signed(body, {"X-Amz-Target": f"a{gap}b", "X-Amz-Extra": value})
    check = SignatureCheck({KEY: SECRET})
    now_s = seconds_of(headers)
    check(b"POST", b"/", headers, body, now_s)
    for changed, other in ((headers, body + b"x"), ({**headers, b"x-amz-target": b"other"}, body)):
        with pytest.raises(Fault) as caught:
            check(b"POST", b"/", changed, other, now_s)
        assert caught.value.code == "InvalidSignatureException"


@pytest.mark.parametrize("late", [-301, 301])
def test_old_and_future_signatures(late: int) -> None:
    headers = signed(b"{}", {})
    with pytest.raises(Fault, match="expired or not yet valid"):
        SignatureCheck({KEY: SECRET})(b"POST", b"/", headers, b"{}", seconds_of(headers) + late)


@pytest.mark.parametrize("text", ["AWS4-HMAC-SHA256 nonsense", "Bearer x", "AWS4-HMAC-SHA256 Credential=a/b"])
def test_malformed(text: str) -> None:
    headers = {b"authorization": text.encode(), b"x-amz-date": b"20250101T000000Z"}
    with pytest.raises(Fault) as caught:
        SignatureCheck({KEY: SECRET})(b"POST", b"/", headers, b"{}", 0)
    assert caught.value.code == "IncompleteSignatureException"


def refused(headers: dict[bytes, bytes], body: bytes = b"{}", **changed: bytes) -> Fault:
    """How a request is refused at the time it was signed."""
    now_s = seconds_of(headers)
    found = {**headers, **{name.replace("_", "-").encode(): value for name, value in changed.items()}}
    with pytest.raises(Fault) as caught:
        SignatureCheck({KEY: SECRET})(b"POST", b"/", found, body, now_s)
    return caught.value


def test_a_signature_does_not_serve_another_operation() -> None:
    target = "SimpleWorkflowService."
    whole = signed(b"{}", {"X-Amz-Target": f"{target}ListDomains"})
    fault = refused(whole, x_amz_target=f"{target}DeprecateDomain".encode())
    assert fault.code == "InvalidSignatureException"
    assert "does not match" in fault.message
    without = signed(b"{}", {})  # the target was not signed at all: it could be anything
    fault = refused(without, x_amz_target=f"{target}DeprecateDomain".encode())
    assert (fault.code, fault.message) == ("InvalidSignatureException", "'x-amz-target' must be a signed header")


@pytest.mark.parametrize(
    ("old", "new", "code", "words"),
    [
        (b"/us-east-1/", b"/eu-west-1/", "InvalidSignatureException", "does not match"),
        (b"/swf/", b"/s3/", "UnrecognizedClientException", "invalid"),
        (KEY.encode(), b"AKIDNOBODY", "UnrecognizedClientException", "invalid"),
        (b"host;", b"", "InvalidSignatureException", "'host' must be a signed header"),
    ],
)
def test_another_scope_than_was_signed(old: bytes, new: bytes, code: str, words: str) -> None:
    headers = signed(b"{}", {})
    fault = refused(headers, authorization=headers[b"authorization"].replace(old, new))
    assert fault.code == code
    assert words in fault.message


@pytest.mark.parametrize(
    ("stamp", "code", "words"),
    [
        (b"20250102T000000Z", "InvalidSignatureException", "not that of the request"),
        (b"yesterday", "IncompleteSignatureException", "ISO-8601"),
        (b"", "IncompleteSignatureException", "a date header"),
    ],
)
def test_another_date_than_was_signed(stamp: bytes, code: str, words: str) -> None:
    fault = refused(signed(b"{}", {}), x_amz_date=stamp)
    assert fault.code == code
    assert words in fault.message


def test_a_date_moved_within_the_day_is_noticed() -> None:
    headers = signed(b"{}", {})
    stamp = headers[b"x-amz-date"]
    moved = stamp[:-2] + (b"1Z" if stamp[-2:-1] != b"1" else b"2Z")
    assert "does not match" in refused(headers, x_amz_date=moved).message


def test_moving_the_clock_must_be_signed_too(run_server: Callable[..., RunningServer]) -> None:
    server = run_server("--memory", "--allow-time-skipping", "--require-sigv4", f"{KEY}:{SECRET}")
    for path, status in (("/_pyflow/skip-time", 403), ("/_pyflow/health", 200), ("/elsewhere", 403)):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        connection.request("POST", path, b"{}")
        assert connection.getresponse().status == status, path
        connection.close()
    request = AWSRequest("POST", f"{server.url}/_pyflow/skip-time", data=b"{}")
    SigV4Auth(Credentials(KEY, SECRET), "swf", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("POST", "/_pyflow/skip-time", b"{}", dict(request.headers.items()))
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("pair", ["AKID", "AKID:", ":very-secret"])
def test_half_a_credential_is_refused_and_not_repeated(pair: str) -> None:
    status, text = refused_start("--port", "0", "--memory", "--require-sigv4", pair)
    assert status == 2
    assert "--require-sigv4 number 1 is not KEY:SECRET" in text
    assert "very-secret" not in text
