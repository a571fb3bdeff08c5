"""Every transport over TLS: the certificate must be trusted, connections are kept, a refused one is said."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from no_waiting import KINDS, Kind, connected
from pyflow import swf
from pyflow.swf import JsonObject
from scripted_swf import Answer, ScriptedSwf

POLL: JsonObject = {"domain": "d", "taskList": {"name": "t"}}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that nobody knows, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is needed to make a certificate: apt-get install openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def encrypted(certificate: tuple[Path, Path]) -> Iterator[ScriptedSwf]:
    """A scripted SWF that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server = ScriptedSwf(tls=context)
    yield server
    server.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_trusted_certificate(
    encrypted: ScriptedSwf,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    kind: Kind,
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate[0]))
    encrypted.answers(Answer({"taskToken": "t" * 100_000}))
    api = connected(encrypted.url, kind).api
    for _ in range(4):
        assert len(api.poll_for_activity_task(POLL)["taskToken"]) == 100_000
    assert encrypted.connections == 1, "the connection is kept"


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_nobody_knows(encrypted: ScriptedSwf, kind: Kind) -> None:
    api = connected(encrypted.url, kind).api
    with pytest.raises(swf.Unreachable, match=r"(?i)certificate"):
        api.poll_for_activity_task(POLL)
    assert encrypted.requests == []
