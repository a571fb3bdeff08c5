"""A stand-in for SWF that is faster than any decider: it replays one known workflow, many executions at once.

The workflow is: N zero-second timers one after the other. Its histories are known beforehand, so every answer is a
filled-in template; nothing is stored or checked but the number of decisions. Use it to find what a decider costs when
it, and not the server, is the bottleneck. `python replaying_swf.py EXECUTIONS STEPS` prints its URL, serves until
every execution has closed, prints how many decision tasks were answered, and goes on answering polls with nothing.
"""

from __future__ import annotations

import re
import selectors
import socket
import sys
from collections import deque

HEAD = (
    b"HTTP/1.1 200 OK\r\nx-amzn-RequestId: 0\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n"
)
EMPTY = HEAD % 0
NOTHING_BODY = b'{"previousStartedEventId":0,"startedEventId":0}'
NOTHING = HEAD % len(NOTHING_BODY) + NOTHING_BODY
TASK = (
    b'{"events":[%b],"previousStartedEventId":%d,"startedEventId":%d,"taskToken":"%d.%d","workflowExecution":'
    b'{"runId":"run-%d","workflowId":"steps-%d"},"workflowType":{"name":"Steps","version":"1"}}'
)
FIRST = (
    b'{"eventId":1,"eventTimestamp":1.7E9,"eventType":"WorkflowExecutionStarted",'
    b'"workflowExecutionStartedEventAttributes":{"childPolicy":"TERMINATE","executionStartToCloseTimeout":"3600",'
    b'"input":"%d","parentInitiatedEventId":0,"taskList":{"name":"t"},"taskStartToCloseTimeout":"600",'
    b'"workflowType":{"name":"Steps","version":"1"}}},'
    b'{"eventId":2,"eventTimestamp":1.7E9,"eventType":"DecisionTaskScheduled","decisionTaskScheduledEventAttributes":'
    b'{"startToCloseTimeout":"600","taskList":{"name":"t"}}},'
)
STARTED = (
    b'{"eventId":%d,"eventTimestamp":1.7E9,"eventType":"DecisionTaskStarted",'
    b'"decisionTaskStartedEventAttributes":{"identity":"i","scheduledEventId":%d}}'
)
NEXT = (
    b',{"decisionTaskCompletedEventAttributes":{"scheduledEventId":%d,"startedEventId":%d},"eventId":%d,'
    b'"eventTimestamp":1.7E9,"eventType":"DecisionTaskCompleted"},'
    b'{"eventId":%d,"eventTimestamp":1.7E9,"eventType":"TimerStarted","timerStartedEventAttributes":'
    b'{"decisionTaskCompletedEventId":%d,"startToFireTimeout":"0","timerId":"%b"}},'
    b'{"eventId":%d,"eventTimestamp":1.7E9,"eventType":"TimerFired","timerFiredEventAttributes":'
    b'{"startedEventId":%d,"timerId":"%b"}},'
    b'{"eventId":%d,"eventTimestamp":1.7E9,"eventType":"DecisionTaskScheduled","decisionTaskScheduledEventAttributes":'
    b'{"startToCloseTimeout":"600","taskList":{"name":"t"}}},'
)
TIMER_ID = re.compile(rb'"timerId":\s*"([^"]+)"')
TOKEN = re.compile(rb'"taskToken":\s*"(\d+)\.(\d+)"')
TASK_LIST = re.compile(rb'"taskList":\s*\{"name":\s*"([^"]+)"\}')
LENGTH = re.compile(rb"(?i)\r\ncontent-length: (\d+)")
EVENTS_PER_STEP = 5


class ReplayingSwf:
    """Serves `executions` runs of the workflow with `steps` timers each."""

    def __init__(self, executions: int, steps: int) -> None:
        self._steps = steps
        self._open = executions
        self._fresh: deque[tuple[int, int, bytes]] = deque((run, 0, b"") for run in range(executions))
        self._ready: deque[tuple[int, int, bytes]] = deque()
        self._parked: deque[socket.socket] = deque()
        self.answered = 0

    def answer(self, operation: bytes, body: bytes, connection: socket.socket) -> bytes | None:
        """What to send, or None when the poll waits."""
        if operation == b"PollForDecisionTask":
            own_list = b"~" in (TASK_LIST.search(body) or [b"", b""])[1]
            return self._task(own_list, connection)
        if operation == b"RespondDecisionTaskCompleted":
            self._completed(body)
        return EMPTY

    def wake(self) -> list[tuple[socket.socket, bytes]]:
        """Parked polls that can be answered now."""
        woken = []
        while self._parked and self._ready:
            woken.append((self._parked.popleft(), self._next(self._ready)))
        return woken

    def _task(self, own_list: bool, connection: socket.socket) -> bytes | None:
        ready = self._ready if own_list else self._fresh
        if ready:
            return self._next(ready)
        if own_list:
            self._parked.append(connection)
        # A poll of the shared list waits for ever once all executions have begun, as it would for a minute at SWF.
        return None

    def _next(self, ready: deque[tuple[int, int, bytes]]) -> bytes:
        run, step, timer_id = ready.popleft()
        started = 3 + EVENTS_PER_STEP * step
        if step == 0:
            body = TASK % (FIRST % self._steps + STARTED % (3, 2), 0, 3, run, 0, run, run)
        else:
            before = started - EVENTS_PER_STEP
            events = (
                STARTED % (before, before - 1)
                + NEXT
                % (
                    before - 1, before, before + 1, before + 2, before + 1, timer_id,
                    before + 3, before + 2, timer_id, before + 4,
                )
                + STARTED % (started, started - 1)
            )  # fmt: skip
            body = TASK % (events, before, started, run, step, run, run)
        return HEAD % len(body) + body

    def _completed(self, body: bytes) -> None:
        token = TOKEN.search(body)
        assert token is not None, body
        run, step = int(token[1]), int(token[2])
        self.answered += 1
        timer = TIMER_ID.search(body)
        if timer is not None:
            self._ready.append((run, step + 1, timer[1]))
            return
        assert b"CompleteWorkflowExecution" in body, body
        assert step == self._steps, (step, body)
        self._open -= 1
        if self._open == 0:
            print(f"answered {self.answered}", flush=True)


def serve(executions: int, steps: int) -> None:
    """Serve on a free port of this machine until killed."""
    swf = ReplayingSwf(executions, steps)
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    buffers: dict[socket.socket, bytes] = {}
    while True:
        for key, _ in selector.select():
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            if connection is listener:
                accepted, _ = listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                buffers[accepted] = b""
                selector.register(accepted, selectors.EVENT_READ)
                continue
            received = connection.recv(65536)
            if not received:
                selector.unregister(connection)
                connection.close()
                continue
            buffer = buffers[connection] + received
            head_end = buffer.find(b"\r\n\r\n")
            length = LENGTH.search(buffer)
            if head_end < 0 or length is None or len(buffer) < head_end + 4 + int(length[1]):
                buffers[connection] = buffer
                continue
            buffers[connection] = b""
            target_at = buffer.find(b"SimpleWorkflowService.") + 22
            operation = buffer[target_at : buffer.find(b"\r\n", target_at)]
            answer = swf.answer(operation, buffer[head_end + 4 :], connection)
            if answer is not None:
                connection.sendall(answer)
            for parked, task in swf.wake():
                parked.sendall(task)


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
