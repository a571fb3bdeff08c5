import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from pyflow_api.v1 import failure_pb2 as _failure_pb2
from pyflow_api.v1 import payload_pb2 as _payload_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TaskState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_STATE_UNSPECIFIED: _ClassVar[TaskState]
    TASK_STATE_RUNNING: _ClassVar[TaskState]
    TASK_STATE_FINISHED: _ClassVar[TaskState]

class CancelReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CANCEL_REASON_UNSPECIFIED: _ClassVar[CancelReason]
    CANCEL_REASON_REQUESTED: _ClassVar[CancelReason]
    CANCEL_REASON_TIMED_OUT: _ClassVar[CancelReason]
    CANCEL_REASON_EXECUTION_CLOSED: _ClassVar[CancelReason]
    CANCEL_REASON_LEASE_LOST: _ClassVar[CancelReason]
    CANCEL_REASON_HOST_DRAINING: _ClassVar[CancelReason]

class AckStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACK_STATUS_UNSPECIFIED: _ClassVar[AckStatus]
    ACK_STATUS_REPORTED: _ClassVar[AckStatus]
    ACK_STATUS_DUPLICATE: _ClassVar[AckStatus]
    ACK_STATUS_GONE: _ClassVar[AckStatus]
    ACK_STATUS_INVALID: _ClassVar[AckStatus]
    ACK_STATUS_REFUSED: _ClassVar[AckStatus]

class GoAwayReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GO_AWAY_REASON_UNSPECIFIED: _ClassVar[GoAwayReason]
    GO_AWAY_REASON_HOST_DRAINING: _ClassVar[GoAwayReason]
    GO_AWAY_REASON_UNAUTHENTICATED: _ClassVar[GoAwayReason]
    GO_AWAY_REASON_INCOMPATIBLE: _ClassVar[GoAwayReason]
    GO_AWAY_REASON_SUPERSEDED: _ClassVar[GoAwayReason]
    GO_AWAY_REASON_PROTOCOL_ERROR: _ClassVar[GoAwayReason]
    GO_AWAY_REASON_SILENT: _ClassVar[GoAwayReason]
    GO_AWAY_REASON_HOST_FULL: _ClassVar[GoAwayReason]
TASK_STATE_UNSPECIFIED: TaskState
TASK_STATE_RUNNING: TaskState
TASK_STATE_FINISHED: TaskState
CANCEL_REASON_UNSPECIFIED: CancelReason
CANCEL_REASON_REQUESTED: CancelReason
CANCEL_REASON_TIMED_OUT: CancelReason
CANCEL_REASON_EXECUTION_CLOSED: CancelReason
CANCEL_REASON_LEASE_LOST: CancelReason
CANCEL_REASON_HOST_DRAINING: CancelReason
ACK_STATUS_UNSPECIFIED: AckStatus
ACK_STATUS_REPORTED: AckStatus
ACK_STATUS_DUPLICATE: AckStatus
ACK_STATUS_GONE: AckStatus
ACK_STATUS_INVALID: AckStatus
ACK_STATUS_REFUSED: AckStatus
GO_AWAY_REASON_UNSPECIFIED: GoAwayReason
GO_AWAY_REASON_HOST_DRAINING: GoAwayReason
GO_AWAY_REASON_UNAUTHENTICATED: GoAwayReason
GO_AWAY_REASON_INCOMPATIBLE: GoAwayReason
GO_AWAY_REASON_SUPERSEDED: GoAwayReason
GO_AWAY_REASON_PROTOCOL_ERROR: GoAwayReason
GO_AWAY_REASON_SILENT: GoAwayReason
GO_AWAY_REASON_HOST_FULL: GoAwayReason

class WorkerFrame(_message.Message):
    __slots__ = ("hello", "outcomes", "progress", "credits", "status", "draining")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    outcomes: _containers.RepeatedCompositeFieldContainer[Outcome]
    progress: _containers.RepeatedCompositeFieldContainer[Progress]
    credits: int
    status: Status
    draining: Draining
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., outcomes: _Optional[_Iterable[_Union[Outcome, _Mapping]]] = ..., progress: _Optional[_Iterable[_Union[Progress, _Mapping]]] = ..., credits: _Optional[int] = ..., status: _Optional[_Union[Status, _Mapping]] = ..., draining: _Optional[_Union[Draining, _Mapping]] = ...) -> None: ...

class HostFrame(_message.Message):
    __slots__ = ("welcome", "tasks", "cancels", "acks", "ping", "go_away")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    CANCELS_FIELD_NUMBER: _ClassVar[int]
    ACKS_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    GO_AWAY_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    tasks: _containers.RepeatedCompositeFieldContainer[Task]
    cancels: _containers.RepeatedCompositeFieldContainer[Cancel]
    acks: _containers.RepeatedCompositeFieldContainer[OutcomeAck]
    ping: Ping
    go_away: GoAway
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[Task, _Mapping]]] = ..., cancels: _Optional[_Iterable[_Union[Cancel, _Mapping]]] = ..., acks: _Optional[_Iterable[_Union[OutcomeAck, _Mapping]]] = ..., ping: _Optional[_Union[Ping, _Mapping]] = ..., go_away: _Optional[_Union[GoAway, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("contract_version", "features", "worker_key", "worker_name", "language", "sdk_version", "runtime_version", "build_id", "auth_token", "domain", "task_list", "activity_types", "slots", "resume")
    CONTRACT_VERSION_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    WORKER_KEY_FIELD_NUMBER: _ClassVar[int]
    WORKER_NAME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SDK_VERSION_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_VERSION_FIELD_NUMBER: _ClassVar[int]
    BUILD_ID_FIELD_NUMBER: _ClassVar[int]
    AUTH_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    TASK_LIST_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_TYPES_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    contract_version: int
    features: _containers.RepeatedScalarFieldContainer[str]
    worker_key: str
    worker_name: str
    language: str
    sdk_version: str
    runtime_version: str
    build_id: str
    auth_token: str
    domain: str
    task_list: str
    activity_types: _containers.RepeatedCompositeFieldContainer[ActivityType]
    slots: int
    resume: _containers.RepeatedCompositeFieldContainer[HeldTask]
    def __init__(self, contract_version: _Optional[int] = ..., features: _Optional[_Iterable[str]] = ..., worker_key: _Optional[str] = ..., worker_name: _Optional[str] = ..., language: _Optional[str] = ..., sdk_version: _Optional[str] = ..., runtime_version: _Optional[str] = ..., build_id: _Optional[str] = ..., auth_token: _Optional[str] = ..., domain: _Optional[str] = ..., task_list: _Optional[str] = ..., activity_types: _Optional[_Iterable[_Union[ActivityType, _Mapping]]] = ..., slots: _Optional[int] = ..., resume: _Optional[_Iterable[_Union[HeldTask, _Mapping]]] = ...) -> None: ...

class ActivityType(_message.Message):
    __slots__ = ("name", "version", "start_to_close_timeout", "heartbeat_timeout", "schedule_to_start_timeout", "schedule_to_close_timeout", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TO_CLOSE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_TO_START_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_TO_CLOSE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    start_to_close_timeout: _duration_pb2.Duration
    heartbeat_timeout: _duration_pb2.Duration
    schedule_to_start_timeout: _duration_pb2.Duration
    schedule_to_close_timeout: _duration_pb2.Duration
    description: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., start_to_close_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., schedule_to_start_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., schedule_to_close_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., description: _Optional[str] = ...) -> None: ...

class HeldTask(_message.Message):
    __slots__ = ("task_token", "state")
    TASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    task_token: bytes
    state: TaskState
    def __init__(self, task_token: _Optional[bytes] = ..., state: _Optional[_Union[TaskState, str]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("contract_version", "features", "host_id", "ping_interval", "limits", "resumed", "domain")
    CONTRACT_VERSION_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    PING_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    contract_version: int
    features: _containers.RepeatedScalarFieldContainer[str]
    host_id: str
    ping_interval: _duration_pb2.Duration
    limits: Limits
    resumed: _containers.RepeatedCompositeFieldContainer[ResumeAnswer]
    domain: str
    def __init__(self, contract_version: _Optional[int] = ..., features: _Optional[_Iterable[str]] = ..., host_id: _Optional[str] = ..., ping_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., resumed: _Optional[_Iterable[_Union[ResumeAnswer, _Mapping]]] = ..., domain: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("frame_bytes_max", "payload_bytes_max", "result_chars_max", "progress_chars_max", "cause_depth_max")
    FRAME_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    RESULT_CHARS_MAX_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_CHARS_MAX_FIELD_NUMBER: _ClassVar[int]
    CAUSE_DEPTH_MAX_FIELD_NUMBER: _ClassVar[int]
    frame_bytes_max: int
    payload_bytes_max: int
    result_chars_max: int
    progress_chars_max: int
    cause_depth_max: int
    def __init__(self, frame_bytes_max: _Optional[int] = ..., payload_bytes_max: _Optional[int] = ..., result_chars_max: _Optional[int] = ..., progress_chars_max: _Optional[int] = ..., cause_depth_max: _Optional[int] = ...) -> None: ...

class ResumeAnswer(_message.Message):
    __slots__ = ("task_token", "wanted")
    TASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    WANTED_FIELD_NUMBER: _ClassVar[int]
    task_token: bytes
    wanted: bool
    def __init__(self, task_token: _Optional[bytes] = ..., wanted: _Optional[bool] = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ("task_token", "activity_name", "activity_version", "input", "workflow_id", "run_id", "activity_id", "attempt", "start_to_close_left", "heartbeat_timeout", "last_progress", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_NAME_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_ID_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    START_TO_CLOSE_LEFT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    LAST_PROGRESS_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    task_token: bytes
    activity_name: str
    activity_version: str
    input: _payload_pb2.Payload
    workflow_id: str
    run_id: str
    activity_id: str
    attempt: int
    start_to_close_left: _duration_pb2.Duration
    heartbeat_timeout: _duration_pb2.Duration
    last_progress: _payload_pb2.Payload
    headers: _containers.ScalarMap[str, str]
    def __init__(self, task_token: _Optional[bytes] = ..., activity_name: _Optional[str] = ..., activity_version: _Optional[str] = ..., input: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., workflow_id: _Optional[str] = ..., run_id: _Optional[str] = ..., activity_id: _Optional[str] = ..., attempt: _Optional[int] = ..., start_to_close_left: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., last_progress: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("task_token", "details")
    TASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    task_token: bytes
    details: _payload_pb2.Payload
    def __init__(self, task_token: _Optional[bytes] = ..., details: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ...) -> None: ...

class Outcome(_message.Message):
    __slots__ = ("task_token", "completed", "failed", "canceled", "will_complete_later")
    TASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    CANCELED_FIELD_NUMBER: _ClassVar[int]
    WILL_COMPLETE_LATER_FIELD_NUMBER: _ClassVar[int]
    task_token: bytes
    completed: Completed
    failed: _failure_pb2.Failure
    canceled: Canceled
    will_complete_later: WillCompleteLater
    def __init__(self, task_token: _Optional[bytes] = ..., completed: _Optional[_Union[Completed, _Mapping]] = ..., failed: _Optional[_Union[_failure_pb2.Failure, _Mapping]] = ..., canceled: _Optional[_Union[Canceled, _Mapping]] = ..., will_complete_later: _Optional[_Union[WillCompleteLater, _Mapping]] = ...) -> None: ...

class Completed(_message.Message):
    __slots__ = ("result",)
    RESULT_FIELD_NUMBER: _ClassVar[int]
    result: _payload_pb2.Payload
    def __init__(self, result: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ...) -> None: ...

class Canceled(_message.Message):
    __slots__ = ("details",)
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    details: _payload_pb2.Payload
    def __init__(self, details: _Optional[_Union[_payload_pb2.Payload, _Mapping]] = ...) -> None: ...

class WillCompleteLater(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("task_token", "reason")
    TASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    task_token: bytes
    reason: CancelReason
    def __init__(self, task_token: _Optional[bytes] = ..., reason: _Optional[_Union[CancelReason, str]] = ...) -> None: ...

class OutcomeAck(_message.Message):
    __slots__ = ("task_token", "status", "message")
    TASK_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    task_token: bytes
    status: AckStatus
    message: str
    def __init__(self, task_token: _Optional[bytes] = ..., status: _Optional[_Union[AckStatus, str]] = ..., message: _Optional[str] = ...) -> None: ...

class Ping(_message.Message):
    __slots__ = ("nonce",)
    NONCE_FIELD_NUMBER: _ClassVar[int]
    nonce: int
    def __init__(self, nonce: _Optional[int] = ...) -> None: ...

class Status(_message.Message):
    __slots__ = ("nonce", "held", "slots_free")
    NONCE_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    SLOTS_FREE_FIELD_NUMBER: _ClassVar[int]
    nonce: int
    held: _containers.RepeatedCompositeFieldContainer[HeldTask]
    slots_free: int
    def __init__(self, nonce: _Optional[int] = ..., held: _Optional[_Iterable[_Union[HeldTask, _Mapping]]] = ..., slots_free: _Optional[int] = ...) -> None: ...

class Draining(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GoAway(_message.Message):
    __slots__ = ("reason", "message", "reconnect_after")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_AFTER_FIELD_NUMBER: _ClassVar[int]
    reason: GoAwayReason
    message: str
    reconnect_after: _duration_pb2.Duration
    def __init__(self, reason: _Optional[_Union[GoAwayReason, str]] = ..., message: _Optional[str] = ..., reconnect_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
