"""The lean signer gives what botocore's SigV4 gives, for random requests and keys."""

from __future__ import annotations

import datetime
import json
import string

import pytest
from botocore import auth as boto_auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st
from pyflow.swf.api import HOT_OPERATIONS
from pyflow.swf.lean.signer import CONTENT_TYPE, TARGET_PREFIX, Signer
from pyflow.swf.lean.transport import host_header

keys = st.text(string.ascii_letters + string.digits + "/+=", min_size=1, max_size=64)
times = st.integers(min_value=0, max_value=4_000_000_000)
urls = st.sampled_from(
    [
        "https://swf.eu-central-1.amazonaws.com",
        "https://swf.eu-central-1.amazonaws.com:443",
        "http://127.0.0.1:8042",
        "http://[::1]:8042",
        "http://localhost",
        "https://swf-proxy.example.com:8443/swf/v1",
    ]
)
bodies = st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.none()), max_size=4)


def headers_of(lines: str) -> dict[str, str]:
    pairs = (line.split(": ", 1) for line in lines.split("\r\n") if line)
    return {name: value for name, value in pairs}


@settings(max_examples=300, deadline=None)
@given(
    access=keys,
    secret=keys,
    token=st.none() | keys,
    region=st.sampled_from(["eu-central-1", "us-gov-west-1", "cn-north-1"]),
    url=urls,
    operation=st.sampled_from(HOT_OPERATIONS),
    body=bodies,
    now_s=times,
)
def test_equals_botocore(
    access: str,
    secret: str,
    token: str | None,
    region: str,
    url: str,
    operation: str,
    body: dict[str, object],
    now_s: int,
) -> None:
    raw = json.dumps(body).encode()
    path = "/" + url.split("/", 3)[3] if url.count("/") > 2 else "/"
    signer = Signer(access_key=access, secret_key=secret, token=token, region=region, host=host_header(url), path=path)
    ours = headers_of(signer.headers(operation, raw, now_s + 0.75))

    request = AWSRequest(
        method="POST",
        url=url if path != "/" else url + "/",
        data=raw,
        headers={"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET_PREFIX + operation},
    )
    moment = datetime.datetime.fromtimestamp(now_s, datetime.timezone.utc).replace(tzinfo=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto_auth, "get_current_datetime", lambda remove_tzinfo=True: moment)
        boto_auth.SigV4Auth(Credentials(access, secret, token), "swf", region).add_auth(request)

    assert ours["Authorization"] == request.headers["Authorization"]
    assert ours["X-Amz-Date"] == request.headers["X-Amz-Date"]
    assert ours.get("X-Amz-Security-Token") == request.headers.get("X-Amz-Security-Token")


def test_day_key_changes_at_midnight() -> None:
    def signer() -> Signer:
        return Signer(access_key="a", secret_key="s", token=None, region="eu-central-1", host="h")

    midnight_s = 1_700_006_400 - 1_700_006_400 % 86_400
    used = signer()
    before, after = used.headers("X", b"", midnight_s - 1), used.headers("X", b"", midnight_s)
    assert before == signer().headers("X", b"", midnight_s - 1)
    assert after == signer().headers("X", b"", midnight_s)
    assert before != after
