"""The host's configuration file, host.toml, as HostOptions. Unknown keys and wrong types are errors that name the key.

domains = ["documents"]
listen = ["unix:/run/pyflow/host.sock", "0.0.0.0:7233"]
auth_token_file = "/etc/pyflow/tokens"

[swf]
region = "eu-central-1"

[tls]
cert_file = "/etc/pyflow/host.pem"
key_file = "/etc/pyflow/host.key"

[[worker]]
name = "words"
command = "pyflow-activity words.rb"              # or a list of words
task_list = "words"                               # also: domain, slots
count = 2
env = {LANG = "C.UTF-8"}
memory_limit = "512 MiB"
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyflow_host.errors import BadOptions
from pyflow_host.options import HostOptions, TlsOptions
from pyflow_host.supervisor import WorkerCommand

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_SIZE = re.compile(r"^(\d+)\s*(B|KiB|MiB|GiB)?$")
_UNITS = {None: 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

_WORDS = {
    Path: "a path",
    float: "a number",
    int: "a whole number",
    list: "a list of texts",
    bool: "true or false",
    dict: "a table",
    str: "a text",
    object: "a text or a list",
}

_TOP: Mapping[str, type] = {
    "domains": list,
    "listen": list,
    "token_key_file": Path,
    "auth_token_file": Path,
    "insecure": bool,
    "ping_interval_s": float,
    "grace_s": float,
    "drain_timeout_s": float,
    "polls_of_list_max": int,
    "heartbeats_per_s": float,
    "streams_max": int,
    "metrics_address": str,
}
_SWF: Mapping[str, type] = {"region": str, "profile": str, "endpoint_url": str, "register_domain": bool}
_TLS: Mapping[str, type] = {"cert_file": Path, "key_file": Path, "client_ca_file": Path}
_WORKER: Mapping[str, type] = {
    "command": object,
    "name": str,
    "task_list": str,
    "domain": str,
    "slots": int,
    "count": int,
    "env": dict,
    "directory": Path,
    "restart_backoff_first_s": float,
    "restart_backoff_max_s": float,
    "memory_limit": str,
}

_TOLD_WORKERS = {"task_list": "PYFLOW_TASK_LIST", "domain": "PYFLOW_DOMAIN", "slots": "PYFLOW_SLOTS"}
"""Members of a worker that reach it as environment variables, which workers of every language read."""


def read_config(file: Path) -> dict[str, Any]:
    """Members of HostOptions told in `file`. Paths are relative to the file's directory. Raises BadOptions."""
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadOptions(f"The configuration file {file} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadOptions(f"The configuration file {file} is not TOML: {error}.") from error
    base = file.resolve().parent
    swf, tls, workers = document.pop("swf", {}), document.pop("tls", None), document.pop("worker", [])
    options = _members(document, _TOP, "", base) | _members(swf, _SWF, "swf.", base)
    if tls is not None:
        options["tls"] = _tls(_members(tls, _TLS, "tls.", base))
    if not isinstance(workers, list):
        raise BadOptions(f"{file}: workers are told as [[worker]], with two brackets.")
    options["workers"] = [_worker(table, base, f"worker[{number}].") for number, table in enumerate(workers)]
    return options


def _tls(members: dict[str, Any]) -> TlsOptions:
    for name in ("cert_file", "key_file"):
        if name not in members:
            raise BadOptions(f"tls.{name} is missing in the configuration.")
    return TlsOptions(**members)


def _worker(table: object, base: Path, where: str) -> WorkerCommand:
    members = _members(table, _WORKER, where, base)
    command = members.pop("command", None)
    if isinstance(command, str):
        words = WorkerCommand.parsed(command).command
    elif isinstance(command, list) and command and all(isinstance(word, str) for word in command):
        words = tuple(command)
    else:
        raise BadOptions(f"{where}command must be a command line, or a list of words.")
    limit = members.pop("memory_limit", None)
    env = members.get("env", {})
    if not all(isinstance(value, str) for value in env.values()):
        raise BadOptions(f"{where}env must have texts as values.")
    for name in ("count", "slots"):
        if members.get(name, 1) < 1:
            raise BadOptions(f"{where}{name} must be 1 or more.")
    told = {variable: str(members.pop(name)) for name, variable in _TOLD_WORKERS.items() if name in members}
    members["env"] = {**told, **env}
    members.setdefault("directory", base)
    return WorkerCommand(command=words, memory_limit_bytes=None if limit is None else _bytes(limit, where), **members)


def _members(table: object, known: Mapping[str, type], where: str, base: Path) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise BadOptions(f"{where.rstrip('.')} must be a table.")
    members: dict[str, Any] = {}
    for name, value in table.items():
        kind = known.get(name)
        if kind is None:
            raise BadOptions(f"{where}{name} is not known in the configuration. Known are: {', '.join(known)}.")
        members[name] = _checked(value, kind, f"{where}{name}", base)
    return members


def _checked(value: Any, kind: type, where: str, base: Path) -> Any:
    if kind is Path and isinstance(value, str):
        return base / Path(value).expanduser()
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind is list and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if fits and kind not in (Path, float, list):
        return value
    names = {Path: "a path", float: "a number", list: "a list of texts", bool: "true or false", dict: "a table"}
    raise BadOptions(
        f"{where} must be {names.get(kind, 'a whole number' if kind is int else 'a text')}, not {value!r}."
    )


def _bytes(text: str, where: str) -> int:
    match = _SIZE.match(text)
    if match is None:
        raise BadOptions(f"{where}memory_limit is {text!r}; spell it like 512 MiB or 2 GiB.")
    return int(match[1]) * _UNITS[match[2]]


def merged(config: dict[str, Any], given: Mapping[str, Any]) -> HostOptions:
    """Options from a file and from a command line; the command line wins. Raises BadOptions."""
    members = config | {name: value for name, value in given.items() if value not in (None, [], ())}
    if not members.get("domains"):
        raise BadOptions("A host needs at least one SWF domain (--domain, or `domains` in the configuration).")
    return HostOptions(**members)
