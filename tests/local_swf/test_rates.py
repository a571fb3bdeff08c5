"""Token buckets: never more than the rate allows, never less, and nothing kept of those that are full again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyflow_local.engine.operations import OPERATIONS
from pyflow_local.engine.rates import OPERATION_RATES, Bucket, Buckets, Rate, Rates

NOW_MS = 1_700_000_000_000


def test_a_bucket_is_full_at_first_and_fills_steadily() -> None:
    bucket = Bucket(Rate(3, 2))
    assert [bucket.take(NOW_MS) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(NOW_MS + 499)
    assert bucket.take(NOW_MS + 500)
    assert not bucket.take(NOW_MS + 999)
    assert bucket.take(NOW_MS + 1000)
    assert [bucket.take(NOW_MS + 3_600_000) for _ in range(4)] == [True, True, True, False]


@given(
    burst=st.integers(1, 20),
    per_s=st.integers(1, 50),
    steps_ms=st.lists(st.integers(0, 2_000), min_size=1, max_size=200),
)
def test_what_is_taken_is_what_the_rate_allows(burst: int, per_s: int, steps_ms: list[int]) -> None:
    bucket = Bucket(Rate(burst, per_s))
    now_ms, taken_at_ms, level = NOW_MS, [], float(burst)
    for step_ms in steps_ms:
        now_ms += step_ms
        level = min(float(burst), level + step_ms * per_s / 1000)
        took = bucket.take(now_ms)
        assert took == (level > 1 - 1e-9)
        if took:
            level -= 1
            taken_at_ms.append(now_ms)
    for first, begin_ms in enumerate(taken_at_ms):
        for last in range(first, len(taken_at_ms)):
            allowed = burst + (taken_at_ms[last] - begin_ms) * per_s / 1000
            assert last - first + 1 <= allowed + 1e-9


def test_keys_have_buckets_of_their_own_and_full_ones_are_forgotten() -> None:
    buckets = Buckets(Rate(1, 1))
    assert buckets.take("a", NOW_MS)
    assert not buckets.take("a", NOW_MS)
    assert buckets.take("b", NOW_MS)
    for number in range(1000):
        assert buckets.take(number, NOW_MS + 1001 * (number + 1))
    assert len(buckets) <= 2
    assert buckets.take("a", NOW_MS + 2_000_000)


def test_every_operation_has_a_rate() -> None:
    assert set(OPERATION_RATES) == set(OPERATIONS)


@pytest.mark.parametrize("wrong", [{"operations": {"Start": Rate(1, 1)}}, {"decisions": {"RecordMarker": Rate(1, 1)}}])
def test_a_rate_for_something_that_has_none_is_refused(wrong: dict) -> None:
    with pytest.raises(ValueError, match="SWF has no such rate for"):
        Rates(**wrong)
