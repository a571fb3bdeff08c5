"""Failures of talking to SWF, as a command's failures."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable

from pyflow.swf import SwfError

from pyflow_console.errors import CommandFailed

Command = Callable[[argparse.Namespace], int]


def speaks_to_swf(command: Command) -> Command:
    """A command whose SwfErrors say what happened to a person; they carry their own advice."""

    @functools.wraps(command)
    def speaking(options: argparse.Namespace) -> int:
        try:
            return command(options)
        except SwfError as error:
            raise CommandFailed(str(error)) from error

    return speaking
