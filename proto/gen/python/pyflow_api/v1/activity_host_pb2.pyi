from pyflow_api.v1 import worker_pb2 as _worker_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CompleteTaskRequest(_message.Message):
    __slots__ = ("outcome",)
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    outcome: _worker_pb2.Outcome
    def __init__(self, outcome: _Optional[_Union[_worker_pb2.Outcome, _Mapping]] = ...) -> None: ...

class CompleteTaskResponse(_message.Message):
    __slots__ = ("ack",)
    ACK_FIELD_NUMBER: _ClassVar[int]
    ack: _worker_pb2.OutcomeAck
    def __init__(self, ack: _Optional[_Union[_worker_pb2.OutcomeAck, _Mapping]] = ...) -> None: ...

class RecordTaskProgressRequest(_message.Message):
    __slots__ = ("progress",)
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    progress: _worker_pb2.Progress
    def __init__(self, progress: _Optional[_Union[_worker_pb2.Progress, _Mapping]] = ...) -> None: ...

class RecordTaskProgressResponse(_message.Message):
    __slots__ = ("cancel_requested",)
    CANCEL_REQUESTED_FIELD_NUMBER: _ClassVar[int]
    cancel_requested: bool
    def __init__(self, cancel_requested: _Optional[bool] = ...) -> None: ...

class DescribeHostRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeHostResponse(_message.Message):
    __slots__ = ("host_id", "domains", "workers", "ledger", "draining")
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAINS_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    host_id: str
    domains: _containers.RepeatedScalarFieldContainer[str]
    workers: _containers.RepeatedCompositeFieldContainer[ConnectedWorker]
    ledger: Ledger
    draining: bool
    def __init__(self, host_id: _Optional[str] = ..., domains: _Optional[_Iterable[str]] = ..., workers: _Optional[_Iterable[_Union[ConnectedWorker, _Mapping]]] = ..., ledger: _Optional[_Union[Ledger, _Mapping]] = ..., draining: _Optional[bool] = ...) -> None: ...

class ConnectedWorker(_message.Message):
    __slots__ = ("worker_key", "worker_name", "language", "domain", "task_list", "activity_types", "credits", "tasks_held")
    WORKER_KEY_FIELD_NUMBER: _ClassVar[int]
    WORKER_NAME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_TYPES_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    TASKS_HELD_FIELD_NUMBER: _ClassVar[int]
    worker_key: str
    worker_name: str
    language: str
    domain: str
    task_list: str
    activity_types: _containers.RepeatedCompositeFieldContainer[_worker_pb2.ActivityType]
    credits: int
    tasks_held: int
    def __init__(self, worker_key: _Optional[str] = ..., worker_name: _Optional[str] = ..., language: _Optional[str] = ..., domain: _Optional[str] = ..., task_list: _Optional[str] = ..., activity_types: _Optional[_Iterable[_Union[_worker_pb2.ActivityType, _Mapping]]] = ..., credits: _Optional[int] = ..., tasks_held: _Optional[int] = ...) -> None: ...

class Ledger(_message.Message):
    __slots__ = ("polls_opened", "tasks_received", "tasks_dispatched", "tasks_reported", "tasks_gone", "tasks_lost", "tasks_held", "tasks_resumed")
    POLLS_OPENED_FIELD_NUMBER: _ClassVar[int]
    TASKS_RECEIVED_FIELD_NUMBER: _ClassVar[int]
    TASKS_DISPATCHED_FIELD_NUMBER: _ClassVar[int]
    TASKS_REPORTED_FIELD_NUMBER: _ClassVar[int]
    TASKS_GONE_FIELD_NUMBER: _ClassVar[int]
    TASKS_LOST_FIELD_NUMBER: _ClassVar[int]
    TASKS_HELD_FIELD_NUMBER: _ClassVar[int]
    TASKS_RESUMED_FIELD_NUMBER: _ClassVar[int]
    polls_opened: int
    tasks_received: int
    tasks_dispatched: int
    tasks_reported: int
    tasks_gone: int
    tasks_lost: int
    tasks_held: int
    tasks_resumed: int
    def __init__(self, polls_opened: _Optional[int] = ..., tasks_received: _Optional[int] = ..., tasks_dispatched: _Optional[int] = ..., tasks_reported: _Optional[int] = ..., tasks_gone: _Optional[int] = ..., tasks_lost: _Optional[int] = ..., tasks_held: _Optional[int] = ..., tasks_resumed: _Optional[int] = ...) -> None: ...
