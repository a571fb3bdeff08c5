"""Attempts from activityIds, facts from histories, task tokens."""

from __future__ import annotations

import pytest
from host_desk import KEY, LIST
from pyflow_host.core.attempts import facts_from, seconds_of
from pyflow_host.core.limits import TOKEN_BYTES_MAX
from pyflow_host.core.tokens import Sealer, TokenContent
from pyflow_host.core.values import (
    AttemptFacts,
    ListKey,
    TypeKey,
    attempt_of,
    call_of,
    previous_activity_id,
    swf_length,
)


@pytest.mark.parametrize(
    ("activity_id", "attempt", "call", "previous"),
    [
        ("activity1", 1, "activity1", None),
        ("activity1.attempt2", 2, "activity1", "activity1"),
        ("activity1.attempt13", 13, "activity1", "activity1.attempt12"),
        ("x.attempt", 1, "x.attempt", None),
        ("x.attempt0", 1, "x.attempt0", None),
        (".attempt2", 1, ".attempt2", None),
        ("a\nb.attempt2", 2, "a\nb", "a\nb"),
    ],
)
def test_attempts(activity_id: str, attempt: int, call: str, previous: str | None) -> None:
    assert attempt_of(activity_id) == attempt
    assert call_of(activity_id) == call
    assert previous_activity_id(activity_id) == previous


def test_length_counts_as_swf_does() -> None:
    assert [swf_length(text) for text in ("", "abc", "ü€", "😀")] == [0, 3, 2, 2]


def scheduled(event_id: int, activity_id: str, **timeouts: str) -> dict[str, object]:
    attributes = {"activityId": activity_id, **timeouts}
    return {
        "eventId": event_id,
        "eventType": "ActivityTaskScheduled",
        "activityTaskScheduledEventAttributes": attributes,
    }


def ended(event_id: int, kind: str, scheduled_id: int, details: str | None) -> dict[str, object]:
    attributes: dict[str, object] = {"scheduledEventId": scheduled_id}
    if details is not None:
        attributes["details"] = details
    member = f"activityTask{kind}EventAttributes"
    return {"eventId": event_id, "eventType": f"ActivityTask{kind}", member: attributes}


@pytest.mark.parametrize(
    ("kind", "details", "progress"),
    [
        ("TimedOut", '{"at":4}', '{"at":4}'),
        ("TimedOut", "free text", '"free text"'),
        ("TimedOut", None, None),
        ("Failed", '{"pyflow.failure":1,"last_progress":{"at":4}}', '{"at":4}'),
        ("Failed", '{"pyflow.failure":1}', None),
        ("Failed", '{"last_progress":1}', None),
        ("Failed", "free text", None),
        ("Failed", None, None),
    ],
)
def test_facts_of_a_repeated_attempt(kind: str, details: str | None, progress: str | None) -> None:
    events = [
        scheduled(20, "activity1.attempt2", startToCloseTimeout="60", heartbeatTimeout="NONE"),
        ended(18, "TimedOut", 7, '"of another"'),
        ended(17, kind, 5, details),
        scheduled(7, "activity2"),
        scheduled(5, "activity1"),
    ]
    assert facts_from(events, "activity1.attempt2") == AttemptFacts(
        last_progress=progress, start_to_close_s=60, heartbeat_s=None, timeouts_known=True
    )


def test_progress_of_an_attempt_that_told_none_is_that_of_the_attempts_before() -> None:
    events = [
        scheduled(20, "activity1.attempt3", startToCloseTimeout="60", heartbeatTimeout="NONE"),
        ended(19, "TimedOut", 11, None),
        scheduled(11, "activity1.attempt2"),
        ended(10, "TimedOut", 5, '{"at":4}'),
        scheduled(5, "activity1"),
    ]
    assert facts_from(events, "activity1.attempt3").last_progress == '{"at":4}'


def test_facts_of_a_page_that_does_not_reach_back() -> None:
    facts = facts_from([ended(17, "TimedOut", 5, "1")], "activity1.attempt2")
    assert facts == AttemptFacts(last_progress=None, start_to_close_s=None, heartbeat_s=None, timeouts_known=False)


def test_seconds() -> None:
    assert [seconds_of(text) for text in ("60", "NONE", None)] == [60, None, None]


def content(**changes: str) -> TokenContent:
    members = {"workflow_id": "wf", "run_id": "run", "activity_id": "a1"} | changes
    return TokenContent(
        swf_token="swf", list_key=LIST, type=TypeKey("act", "1"), worker_key="w1", heartbeat_s=None, **members
    )


def test_token_says_what_was_sealed() -> None:
    sealer = Sealer((KEY,))
    assert sealer.unseal(sealer.seal(content())) == content()


def test_no_bit_of_a_token_can_be_changed() -> None:
    sealer = Sealer((KEY,))
    token = sealer.seal(content())
    for position in range(len(token)):
        for bit in (1, 128):
            altered = bytearray(token)
            altered[position] ^= bit
            assert sealer.unseal(bytes(altered)) is None
    for cut in range(len(token)):
        assert sealer.unseal(token[:cut]) is None


def test_keys_can_be_rotated() -> None:
    old, new = b"o" * 32, b"n" * 32
    token = Sealer((old,)).seal(content())
    assert Sealer((new, old)).unseal(token) == content()
    assert Sealer((new,)).unseal(token) is None
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Sealer((b"short",))


def test_longest_names_fit() -> None:
    long = TokenContent(
        swf_token="t" * 1024,
        list_key=ListKey("d" * 256, "l" * 256),
        type=TypeKey("n" * 256, "v" * 64),
        worker_key="w" * 64,
        heartbeat_s=86_400,
        workflow_id="ü" * 256,
        run_id="r" * 64,
        activity_id="€" * 1024,
    )
    sealer = Sealer((KEY,))
    token = sealer.seal(long)
    assert len(token) <= TOKEN_BYTES_MAX
    told = sealer.unseal(token)
    assert told is not None
    assert told.swf_token == long.swf_token
