"""`--codec` and `--large-payloads`: what happens to payload texts on their way to SWF and back."""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from pyflow.core.values import ExecutionSettings
from pyflow.payloads import Codec, DirectoryStore, Offload, OffloadStore, S3Store, chain

from pyflow_console.errors import BadArgument
from pyflow_console.targets import load_module

Change: TypeAlias = Callable[[str], str]


def add_payload_options(parser: argparse.ArgumentParser) -> None:
    """Declare both; `payload_settings` reads them."""
    parser.add_argument(
        "--codec",
        dest="codecs",
        action="append",
        default=[],
        metavar="MODULE:OBJECT",
        help="changes every payload text as it leaves and comes back (compression, encryption): an object with encode "
        "and decode, or its class, such as pyflow.payloads:GzipCodec; several are applied in the order given",
    )
    parser.add_argument(
        "--large-payloads",
        metavar="PLACE",
        help="keep payload texts over SWF's 32,768 characters there and send a reference: a directory that all "
        "deciders and hosts see, or s3://BUCKET/PREFIX",
    )


def payload_functions(codecs: Sequence[str], large_payloads: str | None) -> tuple[Change, Change] | None:
    """Encode and decode with these codecs, the large ones kept last; None: nothing was given. Raises BadArgument."""
    steps: list[Codec] = [_codec(target) for target in codecs]
    if large_payloads is not None:
        steps.append(Offload(_store(large_payloads)))
    return chain(*steps) if steps else None


def payload_changes(arguments: argparse.Namespace) -> tuple[Change, Change]:
    """Encode and decode for what a command sends and shows itself; both change nothing where no option was given.

    They raise BadArgument for whatever the codec raises.
    """
    encode, decode = payload_functions(arguments.codecs, arguments.large_payloads) or (str, str)
    return _telling("encoded", encode), _telling("decoded", decode)


def _telling(what: str, change: Change) -> Change:
    def changed(text: str) -> str:
        try:
            return change(text)
        except Exception as error:  # author code: it can raise anything
            raise BadArgument(
                f"a payload cannot be {what} with these --codec and --large-payloads: {type(error).__name__}: {error}"
            ) from error

    return changed


def payload_settings(codecs: Sequence[str], large_payloads: str | None) -> ExecutionSettings | None:
    """The same as settings of a decider."""
    functions = payload_functions(codecs, large_payloads)
    return None if functions is None else ExecutionSettings(payload_encode=functions[0], payload_decode=functions[1])


def _codec(target: str) -> Codec:
    module_name, colon, name = target.partition(":")
    if not colon or not module_name or not name:
        raise BadArgument(f"--codec {target!r} is not MODULE:OBJECT; write for example pyflow.payloads:GzipCodec")
    module = load_module(module_name)
    found: object = getattr(module, name, None)
    if found is None:
        raise BadArgument(f"--codec {target!r}: module {module_name!r} ({module.__file__}) has no {name!r}")
    if inspect.isclass(found):
        try:
            found = found()
        except Exception as error:  # author code: it can raise anything
            raise BadArgument(f"--codec {target!r} cannot be made: {type(error).__name__}: {error}") from error
    if not (callable(getattr(found, "encode", None)) and callable(getattr(found, "decode", None))):
        raise BadArgument(f"--codec {target!r} is no codec: it needs encode(text) and decode(text)")
    return found  # type: ignore[return-value]  # it has what the protocol asks for, as far as can be seen


def _store(place: str) -> OffloadStore:
    if "://" in place:
        try:
            return S3Store.at(place)
        except Exception as error:  # not such a place, or boto3 finds no region: its errors have no common base
            raise BadArgument(f"--large-payloads {place!r} cannot be used: {error}") from error
    directory = Path(place)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadArgument(
            f"--large-payloads {place!r} cannot be used as a directory: {error.strerror or error}"
        ) from error
    return DirectoryStore(directory)
