"""A server that answers SWF calls with prepared bytes, so that a client's cost is measured and not a server's.

`python canned_swf.py` prints its URL and serves until killed. A poll or history request names in its `domain` how many
events it wants ("events-100"); everything else is answered as SWF does, with an empty body or a heartbeat's answer.
"""

from __future__ import annotations

import json
import re
import selectors
import socket

HEAD = (
    b"HTTP/1.1 200 OK\r\nx-amzn-RequestId: 00000000-0000-0000-0000-000000000000\r\n"
    b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n"
)
EVENTS = re.compile(rb'"domain":\s*"events-(\d+)"')
PAYLOAD = json.dumps({"n": 1, "ok": True, "text": "x" * 100})
KINDS = (
    ("DecisionTaskScheduled", {"startToCloseTimeout": "600", "taskList": {"name": "t"}}),
    ("DecisionTaskStarted", {"identity": "worker", "scheduledEventId": 2}),
    ("DecisionTaskCompleted", {"scheduledEventId": 2, "startedEventId": 3}),
    (
        "LambdaFunctionScheduled",
        {"decisionTaskCompletedEventId": 4, "id": "lambda1", "input": PAYLOAD, "name": "work"},
    ),
    ("LambdaFunctionStarted", {"scheduledEventId": 5}),
    ("LambdaFunctionCompleted", {"result": PAYLOAD, "scheduledEventId": 5, "startedEventId": 6}),
)


def task(events: int) -> bytes:
    """The answer of PollForDecisionTask with so many events."""
    listed = []
    for number in range(events):
        kind, attributes = KINDS[number % len(KINDS)]
        key = f"{kind[0].lower()}{kind[1:]}EventAttributes"
        listed.append({key: attributes, "eventId": number + 1, "eventTimestamp": 1.7e9 + number, "eventType": kind})
    answer = {
        "events": listed,
        "previousStartedEventId": 0,
        "startedEventId": events,
        "taskToken": "t" * 200,
        "workflowExecution": {"runId": "r" * 46, "workflowId": "w" * 40},
        "workflowType": {"name": "Steps", "version": "1"},
    }
    body = json.dumps(answer, separators=(",", ":")).encode()
    return HEAD % len(body) + body


def serve() -> None:
    """Serve on a free port of this machine until killed."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    tasks: dict[int, bytes] = {}
    heartbeat = HEAD % 25 + b'{"cancelRequested":false}'
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
            received = connection.recv(262144)
            if not received:
                selector.unregister(connection)
                connection.close()
                continue
            buffer = buffers[connection] + received
            head_end = buffer.find(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", buffer)
            if head_end < 0 or length is None or len(buffer) < head_end + 4 + int(length[1]):
                buffers[connection] = buffer
                continue
            buffers[connection] = b""
            wanted = EVENTS.search(buffer)
            if wanted is not None:
                count = int(wanted[1])
                answer = tasks.get(count) or tasks.setdefault(count, task(count))
            else:
                answer = heartbeat if b".RecordActivityTaskHeartbeat" in buffer[:head_end] else HEAD % 0
            connection.sendall(answer)


if __name__ == "__main__":
    serve()
