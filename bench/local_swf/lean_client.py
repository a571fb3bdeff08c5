"""A client that costs next to nothing: raw sockets, one epoll loop, no SDK. It measures the server, not itself."""

from __future__ import annotations

import json
import select
import socket
from collections import deque
from collections.abc import Callable

DOMAIN = "bench"
_HEAD_END = b"\r\n\r\n"


def encode(operation: str, body: bytes) -> bytes:
    """A whole HTTP request."""
    return (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: SimpleWorkflowService.{operation}\r\n"
        f"Content-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode("ascii") + body


def member(body: bytes, name: bytes) -> bytes:
    """The text of a string member, without parsing the rest."""
    start = body.index(b'"' + name + b'":"') + len(name) + 4
    return body[start : body.index(b'"', start)]


class Channel:
    """One connection with one request in flight."""

    def __init__(self, loop: Loop, role: Callable[[Channel, int, bytes], None]) -> None:
        self.loop = loop
        self.role = role
        self.buffer = b""
        self.sock = socket.create_connection(loop.address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.add(self)

    def send(self, operation: str, body: bytes) -> None:
        """Send a request; the role is called with its answer."""
        self.sock.sendall(encode(operation, body))

    def readable(self) -> None:
        """Take in what came; call the role once the answer is whole."""
        data = self.sock.recv(262144)
        if not data:
            raise ConnectionError("the server closed the connection")
        buffer = self.buffer + data if self.buffer else data
        end = buffer.find(_HEAD_END)
        if end < 0:
            self.buffer = buffer
            return
        at = buffer.index(b"Content-Length: ") + 16
        total = end + 4 + int(buffer[at : buffer.index(b"\r", at)])
        if len(buffer) < total:
            self.buffer = buffer
            return
        self.buffer = b""
        self.role(self, int(buffer[9:12]), buffer[end + 4 : total])


class Loop:
    """Runs channels until something says stop."""

    def __init__(self, port: int) -> None:
        self.address = ("127.0.0.1", port)
        self.epoll = select.epoll()
        self.channels: dict[int, Channel] = {}
        self.running = False

    def add(self, channel: Channel) -> None:
        """Watch a channel."""
        self.channels[channel.sock.fileno()] = channel
        self.epoll.register(channel.sock.fileno(), select.EPOLLIN)

    def run(self) -> None:
        """Serve the channels until `running` is False."""
        self.running = True
        while self.running:
            for number, _ in self.epoll.poll(60):
                self.channels[number].readable()

    def close(self) -> None:
        """Close all connections."""
        for channel in self.channels.values():
            channel.sock.close()
        self.epoll.close()

    def call(self, operation: str, **members: object) -> dict[str, object]:
        """One blocking request on a connection of its own."""
        with socket.create_connection(self.address) as sock:
            sock.sendall(encode(operation, json.dumps(members).encode()).replace(b"Host", b"Connection: close\r\nHost"))
            data = b""
            while part := sock.recv(65536):
                data += part
        head, _, body = data.partition(_HEAD_END)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{operation}: {body!r}")
        found: dict[str, object] = json.loads(body) if body else {}
        return found


class Load:
    """One-activity (or n-activity) workflows driven to their end, with pollers on both sides."""

    def __init__(
        self, loop: Loop, *, workflows: int, pollers: int, steps: int = 1, starters: int = 8, prefix: str = "w"
    ) -> None:
        self.loop = loop
        self.left = workflows
        self.names = deque(f"{prefix}{n}" for n in range(workflows))
        self.last_event = 6 * steps + 3  # the decision task after the last step starts with this event
        self._decision_poll = (
            b'{"domain":"%b","taskList":{"name":"tl"},"identity":"d","startAtPreviousStartedEvent":true}'
            % DOMAIN.encode()
        )
        self._activity_poll = b'{"domain":"%b","taskList":{"name":"al"},"identity":"a"}' % DOMAIN.encode()
        for _ in range(pollers):
            Channel(loop, self._decider).send("PollForDecisionTask", self._decision_poll)
            Channel(loop, self._worker).send("PollForActivityTask", self._activity_poll)
        self.starters = [Channel(loop, self._started) for _ in range(starters)]

    def run(self) -> None:
        """Start everything and wait for the last completion."""
        for channel in self.starters:
            self._start(channel)
        self.loop.run()

    def _start(self, channel: Channel) -> None:
        if self.names:
            name = self.names.popleft().encode()
            body = b'{"domain":"%b","workflowId":"%b","workflowType":{"name":"w","version":"1"},"input":"%b"}'
            channel.send("StartWorkflowExecution", body % (DOMAIN.encode(), name, b"x" * 100))

    def _started(self, channel: Channel, status: int, body: bytes) -> None:
        if status != 200:
            raise RuntimeError(body)
        self._start(channel)

    def _decider(self, channel: Channel, status: int, body: bytes) -> None:
        if status != 200:
            raise RuntimeError(body)
        if not body:  # the answer to our RespondDecisionTaskCompleted
            channel.send("PollForDecisionTask", self._decision_poll)
            return
        at = body.rindex(b'"startedEventId":') + 17
        started = int(body[at : body.index(b",", at)])
        token = member(body, b"taskToken")
        if started < self.last_event:
            decision = (
                b'{"decisionType":"ScheduleActivityTask","scheduleActivityTaskDecisionAttributes":'
                b'{"activityType":{"name":"a","version":"1"},"activityId":"%d","input":"%b"}}' % (started, b"x" * 100)
            )
        else:
            decision = (
                b'{"decisionType":"CompleteWorkflowExecution",'
                b'"completeWorkflowExecutionDecisionAttributes":{"result":"done"}}'
            )
            self.left -= 1
            if self.left == 0:
                channel.role = self._ended
        channel.send("RespondDecisionTaskCompleted", b'{"taskToken":"%b","decisions":[%b]}' % (token, decision))

    def _ended(self, _channel: Channel, status: int, body: bytes) -> None:
        if status != 200:
            raise RuntimeError(body)
        self.loop.running = False

    def _worker(self, channel: Channel, status: int, body: bytes) -> None:
        if status != 200:
            raise RuntimeError(body)
        if not body:
            channel.send("PollForActivityTask", self._activity_poll)
            return
        token = member(body, b"taskToken")
        channel.send("RespondActivityTaskCompleted", b'{"taskToken":"%b","result":"%b"}' % (token, b"r" * 100))


def register(loop: Loop) -> None:
    """A domain and types with all defaults; again is no error."""
    for operation, members in (
        ("RegisterDomain", {"name": DOMAIN, "workflowExecutionRetentionPeriodInDays": "7"}),
        (
            "RegisterWorkflowType",
            {
                "domain": DOMAIN,
                "name": "w",
                "version": "1",
                "defaultTaskList": {"name": "tl"},
                "defaultExecutionStartToCloseTimeout": "86400",
                "defaultTaskStartToCloseTimeout": "60",
                "defaultChildPolicy": "TERMINATE",
            },
        ),
        (
            "RegisterActivityType",
            {
                "domain": DOMAIN,
                "name": "a",
                "version": "1",
                "defaultTaskList": {"name": "al"},
                "defaultTaskScheduleToStartTimeout": "600",
                "defaultTaskScheduleToCloseTimeout": "600",
                "defaultTaskStartToCloseTimeout": "60",
                "defaultTaskHeartbeatTimeout": "NONE",
            },
        ),
    ):
        try:
            loop.call(operation, **members)
        except RuntimeError as error:
            if "AlreadyExists" not in str(error):
                raise
