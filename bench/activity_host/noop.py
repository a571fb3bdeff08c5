"""The activity of the benchmarks."""

from pyflow_activity import activity


@activity(version="1.0", start_to_close=60, heartbeat=30)
def noop(n: int) -> int:
    """Does nothing."""
    return n
