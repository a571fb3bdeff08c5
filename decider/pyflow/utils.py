"""2.0.0's module name for the logger and the two payload functions that programs imported from it."""

from typing import Any

from pyflow import payloads
from pyflow.replay_logging import logger

__all__ = ["decode_task_result", "encode_task_input", "logger"]


def encode_task_input(input_obj: Any) -> str:
    """A value as JSON text."""
    return payloads.to_json(input_obj)


def decode_task_result(result_str: str | None) -> Any:
    """The value of a JSON text; None for no text."""
    return payloads.from_json(result_str)
