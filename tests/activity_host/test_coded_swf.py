"""What a codec changes between host and SWF, and what becomes of one that fails."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from pyflow_host.coded_swf import CodedSwf, PayloadCodec
from pyflow_host.core.effects import Call, LookUpAttempt
from pyflow_host.core.limits import LARGE_PAYLOAD_BYTES_MAX
from pyflow_host.core.values import SWF_OK, AttemptFacts, ListKey, Said, SwfSaid, SwfTask, TypeDefaults, TypeKey
from pyflow_host.swf_side import Registered

LIST = ListKey("domain", "list")


@dataclass
class OneTask:
    """The SWF behind it: one task, and the calls it got."""

    input: str | None
    calls: list[tuple[Call, dict[str, str]]] = field(default_factory=list)

    def poll(self, list_key: ListKey) -> SwfTask | None:
        return SwfTask(
            swf_token="token",
            list_key=list_key,
            type=TypeKey("act", "1"),
            workflow_id="wf",
            run_id="run",
            activity_id="activity1",
            input=self.input,
        )

    def call(self, call: Call, swf_token: str, members: dict[str, str]) -> SwfSaid:
        self.calls.append((call, members))
        return SWF_OK

    def look_up(self, wanted: LookUpAttempt) -> AttemptFacts | None:
        return None

    def register(self, list_key: ListKey, types: dict[TypeKey, TypeDefaults]) -> Registered:
        return Registered(types=types)


def brackets(text: str) -> str:
    return f"[{text}]"


def opened(text: str) -> str:
    if text == "[broken":
        raise ValueError("no closing bracket")
    return text[1:-1] if text.startswith("[") else text


CODEC = PayloadCodec(encode=brackets, decode=opened)


@pytest.mark.parametrize(("on_swf", "seen"), [("[7]", "7"), ("7", "7"), (None, None)])
def test_inputs_are_decoded_and_plain_ones_pass(on_swf: str | None, seen: str | None) -> None:
    task = CodedSwf(OneTask(on_swf), CODEC).poll(LIST)
    assert task is not None
    assert (task.input, task.unreadable) == (seen, "")


def test_an_input_that_cannot_be_decoded_is_told_and_not_passed_on() -> None:
    task = CodedSwf(OneTask("[broken"), CODEC).poll(LIST)
    assert task is not None
    assert task.input is None
    assert task.unreadable == "Its input cannot be decoded: ValueError: no closing bracket"


def test_an_input_that_is_too_large_for_a_frame_is_told_and_not_passed_on() -> None:
    def larger(text: str) -> str:
        return "7" * (LARGE_PAYLOAD_BYTES_MAX + 1)

    task = CodedSwf(OneTask("[7]"), PayloadCodec(encode=brackets, decode=larger)).poll(LIST)
    assert task is not None
    assert task.input is None
    assert "1048577 bytes" in task.unreadable


def test_results_are_encoded_and_nothing_else_is() -> None:
    swf = OneTask(None)
    coded = CodedSwf(swf, CODEC)
    told: list[tuple[Call, dict[str, str]]] = [
        (Call.COMPLETED, {"result": "7"}),
        (Call.COMPLETED, {}),
        (Call.HEARTBEAT, {"details": "1"}),
        (Call.FAILED, {"reason": "r", "details": "d"}),
        (Call.CANCELED, {"details": "d"}),
    ]
    for call, members in told:
        assert coded.call(call, "token", members) is SWF_OK
    assert swf.calls == [(Call.COMPLETED, {"result": "[7]"}), *told[1:]]


def test_a_result_is_kept_while_the_codec_fails() -> None:
    def away(text: str) -> str:
        raise OSError("the store is away")

    swf = OneTask(None)
    said = CodedSwf(swf, PayloadCodec(encode=away, decode=opened)).call(Call.COMPLETED, "token", {"result": "7"})
    assert said.said is Said.LATER
    assert "OSError: the store is away" in said.message
    assert swf.calls == []


def test_a_result_that_stays_too_long_is_refused_before_swf_does() -> None:
    swf = OneTask(None)
    said = CodedSwf(swf, CODEC).call(Call.COMPLETED, "token", {"result": "7" * 32_767})
    assert said.said is Said.INVALID
    assert "32769 characters" in said.message
    assert "--large-payloads" in said.message
    assert swf.calls == []
