"""Signatures: boto3's own are accepted, everything else gets SWF's errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from conftest import RunningServer
from hypothesis import given, settings
from hypothesis import strategies as st
from pyflow_local.engine.faults import Fault
from pyflow_local.http.sigv4 import SignatureCheck

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
