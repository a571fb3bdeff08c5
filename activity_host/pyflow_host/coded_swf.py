"""SWF behind a payload codec: workers see plain inputs and give plain results, SWF has them as the codec makes them.

The same codec as the decider's. Progress and failures are not changed: host and decider read what is in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pyflow_host.core.effects import Call, LookUpAttempt
from pyflow_host.core.limits import LARGE_PAYLOAD_BYTES_MAX, RESULT_CHARS_MAX
from pyflow_host.core.values import AttemptFacts, ListKey, Said, SwfSaid, SwfTask, TypeDefaults, TypeKey, swf_length
from pyflow_host.swf_side import Registered, SwfSide


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadCodec:
    """Two functions on payload texts. `decode` must leave alone what `encode` did not make: plain JSON passes."""

    encode: Callable[[str], str]
    decode: Callable[[str], str]


class CodedSwf:
    """A SwfSide around another one; safe to use from many threads if the codec is."""

    def __init__(self, swf: SwfSide, codec: PayloadCodec) -> None:
        self._swf = swf
        self._codec = codec

    def poll(self, list_key: ListKey) -> SwfTask | None:
        """See SwfSide. An input that cannot be decoded, or is too large then, makes it `unreadable`."""
        task = self._swf.poll(list_key)
        if task is None or task.input is None:
            return task
        try:
            decoded = self._codec.decode(task.input)
        except Exception as error:  # the codec is the user's: it can raise anything
            return replace(task, input=None, unreadable=f"Its input cannot be decoded: {type(error).__name__}: {error}")
        size = len(decoded.encode())
        if size > LARGE_PAYLOAD_BYTES_MAX:
            why = f"Its input has {size} bytes; {LARGE_PAYLOAD_BYTES_MAX} are the most. Give the activity a reference."
            return replace(task, input=None, unreadable=why)
        return replace(task, input=decoded)

    def call(self, call: Call, swf_token: str, members: dict[str, str]) -> SwfSaid:
        """See SwfSide. A result that cannot be encoded now is tried again: its place may be away."""
        if call is Call.COMPLETED and "result" in members:
            try:
                result = self._codec.encode(members["result"])
            except Exception as error:  # as above
                return SwfSaid(
                    said=Said.LATER, message=f"the result cannot be encoded: {type(error).__name__}: {error}"
                )
            length = swf_length(result)
            if length > RESULT_CHARS_MAX:
                message = (
                    f"encoded, the result has {length} characters; SWF takes {RESULT_CHARS_MAX}. "
                    "Large ones can be kept elsewhere: --large-payloads"
                )
                return SwfSaid(said=Said.INVALID, message=message)
            members = {**members, "result": result}
        return self._swf.call(call, swf_token, members)

    def look_up(self, wanted: LookUpAttempt) -> AttemptFacts | None:
        """See SwfSide."""
        return self._swf.look_up(wanted)

    def register(self, list_key: ListKey, types: dict[TypeKey, TypeDefaults]) -> Registered:
        """See SwfSide."""
        return self._swf.register(list_key, types)
