"""Errors of the host process.

HostError                     says what happened, whose doing it is, and what to do
|-- BadOptions                options, configuration or environment cannot be used
`-- CannotListen              an address cannot be listened on
"""

from __future__ import annotations


class HostError(Exception):
    """The host cannot start or go on; the message is for whoever started it."""


class BadOptions(HostError):
    """An option, the configuration file or an environment variable cannot be used."""


class CannotListen(HostError):
    """An address cannot be listened on."""
