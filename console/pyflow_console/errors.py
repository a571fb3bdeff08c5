"""Errors of the `pyflow` command, told to its user in words.

ConsoleError            the command cannot do what was asked; the text says what happened and what to do
 ├─ BadArgument         an argument cannot be used as it is
 └─ NotReached          SWF or an activity host is not there, or does not answer
"""

from __future__ import annotations


class ConsoleError(Exception):
    """The command cannot do what was asked."""


class BadArgument(ConsoleError):
    """An argument cannot be used as it is; nothing was done."""


class NotReached(ConsoleError):
    """Whatever listens there, or should, does not answer."""
