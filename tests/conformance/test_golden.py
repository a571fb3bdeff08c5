"""The golden frames in Python: decoded, looked at, encoded to the same bytes; and the corpus as its script says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from pyflow_api.v1 import activity_host_pb2, worker_pb2

GOLDEN = Path(__file__).resolve().parents[2] / "proto/golden"
FRAMES = [
    line.split("\t") for line in (GOLDEN / "frames.txt").read_text("utf-8").splitlines() if not line.startswith("#")
]


@pytest.mark.parametrize(("name", "message", "hex_text", "form"), FRAMES, ids=[frame[0] for frame in FRAMES])
def test_golden_frame(name: str, message: str, hex_text: str, form: str) -> None:
    kind = getattr(worker_pb2, message, None) or getattr(activity_host_pb2, message)
    data = bytes.fromhex(hex_text)
    decoded: Message = kind.FromString(data)
    assert decoded.SerializeToString(deterministic=True) == data
    if form != "-":
        assert json_format.MessageToDict(decoded) == json.loads(form)
        assert json_format.Parse(form, kind()) == decoded


def test_the_corpus_is_as_its_script_writes_it() -> None:
    ended = subprocess.run(
        [sys.executable, GOLDEN / "generate.py", "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
