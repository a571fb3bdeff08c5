"""Hello: what a worker says of itself, checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf import duration_pb2
from pyflow_api.v1 import worker_pb2 as pb

from pyflow_host.core import limits
from pyflow_host.core.values import ListKey, TypeDefaults, TypeKey

_REFUSED_BY_SWF = re.compile(r"[:/|\x00-\x1f\x7f-\x9f]|^\s|\s$|^arn$")
"""What names on SWF must not have (SWF reference 2.2)."""
_TEXTS = {
    "worker_name": limits.WORKER_NAME_CHARS_MAX,
    "language": limits.LANGUAGE_CHARS_MAX,
    "sdk_version": limits.VERSION_CHARS_MAX,
    "runtime_version": limits.VERSION_CHARS_MAX,
    "build_id": limits.VERSION_CHARS_MAX,
    "domain": limits.DOMAIN_CHARS_MAX,
}
"""Free text of Hello, and how many characters of it are taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """A Hello that can be served."""

    key: str
    name: str
    language: str
    list_key: ListKey
    types: dict[TypeKey, TypeDefaults]
    slots: int


class HelloRefused(Exception):
    """This worker cannot be served, ever, as it is: the message says why and what to do."""


def read_hello(hello: pb.Hello, domains: Sequence[str]) -> Greeting:
    """The greeting; raises HelloRefused."""
    if hello.contract_version < 1:
        raise HelloRefused("Hello.contract_version is missing; this host speaks version 1.")
    if not 1 <= len(hello.worker_key) <= limits.WORKER_KEY_CHARS_MAX:
        raise HelloRefused(f"Hello.worker_key must have 1 to {limits.WORKER_KEY_CHARS_MAX} characters.")
    for member, chars_max in _TEXTS.items():
        if len(getattr(hello, member)) > chars_max:
            raise HelloRefused(f"Hello.{member} has more than {chars_max} characters.")
    if len(hello.features) > limits.FEATURES_MAX or any(len(f) > limits.FEATURE_CHARS_MAX for f in hello.features):
        raise HelloRefused(
            f"Hello.features has more than {limits.FEATURES_MAX} entries, or one of more than "
            f"{limits.FEATURE_CHARS_MAX} characters."
        )
    domain = hello.domain or domains[0]
    if domain not in domains:
        raise HelloRefused(
            f"This host does not serve the domain {domain!r}, only {', '.join(map(repr, domains))}. "
            "Start it with that domain too, or correct the worker's."
        )
    if not 1 <= len(hello.task_list) <= limits.TYPE_NAME_CHARS_MAX:
        raise HelloRefused(f"Hello.task_list must have 1 to {limits.TYPE_NAME_CHARS_MAX} characters.")
    _check_name(hello.task_list, "task list")
    if len(hello.resume) > limits.HELD_TASKS_MAX:
        raise HelloRefused(f"Hello.resume has {len(hello.resume)} tasks; {limits.HELD_TASKS_MAX} are the most.")
    return Greeting(
        key=hello.worker_key,
        name=hello.worker_name,
        language=hello.language,
        list_key=ListKey(domain, hello.task_list),
        types=_types(hello.activity_types),
        slots=hello.slots,
    )


def _types(offered: Sequence[pb.ActivityType]) -> dict[TypeKey, TypeDefaults]:
    if not 1 <= len(offered) <= limits.TYPES_OF_WORKER_MAX:
        raise HelloRefused(
            f"Hello.activity_types has {len(offered)} types; 1 to {limits.TYPES_OF_WORKER_MAX} are right."
        )
    types: dict[TypeKey, TypeDefaults] = {}
    for offer in offered:
        key = TypeKey(offer.name, offer.version)
        if not 1 <= len(key.name) <= limits.TYPE_NAME_CHARS_MAX:
            raise HelloRefused(f"The activity type {key} needs a name of 1 to {limits.TYPE_NAME_CHARS_MAX} characters.")
        if not 1 <= len(key.version) <= limits.TYPE_VERSION_CHARS_MAX:
            raise HelloRefused(
                f"The activity type {key} needs a version of 1 to {limits.TYPE_VERSION_CHARS_MAX} characters."
            )
        _check_name(key.name, "name of an activity type")
        _check_name(key.version, "version of an activity type")
        if key in types:
            raise HelloRefused(f"The activity type {key} is offered twice.")
        types[key] = TypeDefaults(
            start_to_close_s=_seconds(offer, "start_to_close_timeout", offer.start_to_close_timeout),
            heartbeat_s=_seconds(offer, "heartbeat_timeout", offer.heartbeat_timeout),
            schedule_to_start_s=_seconds(offer, "schedule_to_start_timeout", offer.schedule_to_start_timeout),
            schedule_to_close_s=_seconds(offer, "schedule_to_close_timeout", offer.schedule_to_close_timeout),
            description=_cut(offer.description, limits.DESCRIPTION_CHARS_MAX),
        )
    return types


def _cut(text: str, chars_max: int) -> str:
    """As much of `text` as SWF counts `chars_max` characters of."""
    return text.encode("utf-16-le")[: 2 * chars_max].decode("utf-16-le", "ignore")


def _seconds(offer: pb.ActivityType, member: str, duration: duration_pb2.Duration) -> int | None:
    if not offer.HasField(member):
        return None
    seconds = duration.seconds + (1 if duration.nanos > 0 else 0)
    if seconds < 0 or duration.nanos < 0:
        raise HelloRefused(f"{member} of the activity type {offer.name!r} is negative.")
    if seconds > limits.TIMEOUT_MAX_S:
        raise HelloRefused(
            f"{member} of the activity type {offer.name!r} is {seconds} s; SWF takes {limits.TIMEOUT_MAX_S} s at most, "
            "or none at all for no limit."
        )
    return seconds


def _check_name(name: str, what: str) -> None:
    """Refused here, since SWF would refuse it again and again, and nobody would tell the worker."""
    if _REFUSED_BY_SWF.search(name):
        raise HelloRefused(
            f"{name!r} cannot be the {what}: SWF allows no colon, slash, vertical bar or control character in it, no "
            "white space at its ends, and not the word arn."
        )
