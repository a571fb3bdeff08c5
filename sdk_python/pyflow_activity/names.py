"""Names of the contract's enum values, those of a later version included."""

from __future__ import annotations

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper


def enum_name(kind: EnumTypeWrapper, number: int, prefix: str) -> str:
    """The name of `number` without `prefix`; the number itself where this version of the contract has no name."""
    try:
        return kind.Name(number).removeprefix(prefix)
    except ValueError:
        return str(number)
