"""Errors of the suite.

ConformanceError
|-- BadCase       a case file does not say what it should; the message names file, case and step
|-- BadUsage      options or an executor cannot be used
`-- Mismatch      something did not behave as a case says: this is what fails a case
"""

from __future__ import annotations


class ConformanceError(Exception):
    """Everything below."""


class BadCase(ConformanceError):
    """A case file does not say what it should."""


class BadUsage(ConformanceError):
    """Options or an executor cannot be used."""


class Mismatch(ConformanceError):
    """Something did not behave as the case says."""
