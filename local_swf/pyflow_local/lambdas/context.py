"""The context object that a handler gets as its second argument, as on AWS Lambda."""

from __future__ import annotations

import time


class LambdaContext:
    """The members of AWS's context that make sense on one machine."""

    def __init__(self, name: str, arn: str, request_id: str, timeout_s: float) -> None:
        self.function_name = name
        self.function_version = "$LATEST"
        self.invoked_function_arn = arn
        self.memory_limit_in_mb = "128"
        self.aws_request_id = request_id
        self.log_group_name = f"/aws/lambda/{name}"
        self.log_stream_name = "local"
        self._deadline = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))
