"""Every limit and interval of the host's rules, with its unit."""

from __future__ import annotations

CONTRACT_VERSION = 1

FRAME_BYTES_MAX = 4 * 1024 * 1024
PAYLOAD_BYTES_MAX = 128 * 1024
"""Above 32,768 characters in UTF-8, the most SWF could take."""
RESULT_CHARS_MAX = 32_768
LARGE_PAYLOAD_BYTES_MAX = 1024 * 1024
"""Of a payload and a result where a codec makes them smaller or keeps them elsewhere; a few must fit one frame."""
PROGRESS_CHARS_MAX = 2_048
CAUSE_DEPTH_MAX = 16
TOKEN_BYTES_MAX = 4_096

WORKER_KEY_CHARS_MAX = 64
WORKER_NAME_CHARS_MAX = 256
TYPE_NAME_CHARS_MAX = 256
TYPE_VERSION_CHARS_MAX = 64
TYPES_OF_WORKER_MAX = 1_000
LANGUAGE_CHARS_MAX = 64
VERSION_CHARS_MAX = 256
"""Of an SDK, a runtime or a build: free text."""
FEATURES_MAX = 64
FEATURE_CHARS_MAX = 64
AUTH_TOKEN_BYTES_MAX = 4_096
DOMAIN_CHARS_MAX = 256
DESCRIPTION_CHARS_MAX = 1_024
CONTENT_TYPE_CHARS_MAX = 64
MESSAGE_CHARS_MAX = 1_000
"""What the host says to people, in acks, in GoAway and in its log, even if it quotes what a worker sent."""
TIMEOUT_MAX_S = 99_999_999
"""SWF takes eight digits (SWF reference 2.1)."""
STREAMS_MAX = 4_000
"""Streams of workers open at a time on one host, those without a Hello yet included. Each takes about 60 KB."""
HOST_FULL_RECONNECT_S = 5
"""How long a worker that found the host full is asked to stay away at least."""
UNARY_CALLS_MAX = 1_000
"""Calls outside of streams under way at a time: they wait for SWF, which may be away for long."""
UNARY_BYTES_MAX = 64 * 1024 * 1024
"""And what they may weigh together."""
TASK_LISTS_MAX = 1_000
"""Task lists of one host since its start."""
TYPES_OF_LIST_MAX = 10_000
"""Activity types offered on one task list since the host's start; SWF has as many for a whole domain."""
HELD_TASKS_MAX = 10_000
"""Tasks a worker may have, reported or not, and one Hello may resume; credits beyond that wait until some end."""
CREDITS_MAX = 1_000
"""Tasks a worker can be owed at once; more credits than that are capped."""

POLLS_OF_LIST_MAX = 10
"""Polls open at a time for one task list of one domain (SWF allows 1,000)."""
POLL_BACKOFF_FIRST_S = 0.2
POLL_BACKOFF_MAX_S = 20.0
REGISTER_BACKOFF_FIRST_S = 0.5
REGISTER_BACKOFF_MAX_S = 20.0
REPORT_BACKOFF_FIRST_S = 1.0
REPORT_BACKOFF_MAX_S = 20.0

PING_INTERVAL_S = 10.0
PING_ROUNDS = 20
"""Rounds in a ping interval: workers are pinged together, each in one of the rounds."""
SILENT_INTERVALS_MAX = 3
HELLO_WITHIN_S = 10.0
GRACE_S = 5.0
"""How long a worker may be away before its tasks are reported as lost."""
WAIT_FOR_CREDIT_MAX_S = 5.0
"""How long a task waits for a busy worker, or one that is just reconnecting, before it is given back as NoWorker."""
STATUS_MISSES_MAX = 2
"""In how many Status in a row a task may be missing before it is taken for lost."""

HEARTBEAT_SHARE = 0.4
"""Heartbeats are due at this share of the heartbeat timeout,"""
HEARTBEAT_SHARE_LATEST = 0.8
"""and under throttling never later than at this one."""
CANCEL_CHECK_INTERVAL_S = 1.0
"""Longest time between heartbeats, so that a cancel is seen within 2 s even without a heartbeat timeout."""
HEARTBEATS_PER_S = 100.0
HEARTBEATS_BURST = 1_000.0
"""Below SWF's bucket of 2,000 with a refill of 160/s for a whole account (SWF reference 10.2)."""

CLOSED_REMEMBERED_MAX = 20_000
"""Ended tasks whose end is remembered, to answer outcomes that are sent twice."""
