"""Arguments that several commands share."""

from __future__ import annotations

import json

from pyflow_console.errors import WrongUsage


def json_text(option: str, text: str | None) -> str | None:
    """The text itself, once it is known to be JSON. Raises WrongUsage, naming the place."""
    if text is None:
        return None
    try:
        json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise WrongUsage(
            f"{option} is not JSON: {error}. It was: {text[:200]}\n"
            f"A text needs double quotes within the shell's: {option} '\"Hello\"'."
        ) from error
    return text


def _refuse(name: str) -> object:
    raise ValueError(f"{name} does not exist in JSON")
