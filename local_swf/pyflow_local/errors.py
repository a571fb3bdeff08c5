"""Errors of running the embedded SWF (not the faults it answers with).

LocalSwfError
 ├─ AddressInUse          another process listens on that address
 ├─ DataFileUnusable      the data file cannot be opened, belongs to another program, version or process
 ├─ UnsafeBinding         a non-loopback address without signatures and without --insecure
 ├─ BadHistory            a file to import is not a workflow execution's history
 ├─ BadServerArgument     an argument of the command line does not have the form it must have
 ├─ BadLambdaTarget       NAME=module:function does not name something callable
 └─ StorageFailed         a commit failed (disk full, I/O error); the request was not carried out
"""

from __future__ import annotations


class LocalSwfError(Exception):
    """Anything that keeps the embedded SWF from running; the text says what to do."""


class AddressInUse(LocalSwfError):
    """The address is taken."""


class DataFileUnusable(LocalSwfError):
    """The data file cannot be used."""


class UnsafeBinding(LocalSwfError):
    """The server would be open to the network without any check."""


class BadHistory(LocalSwfError):
    """What should be imported is not a history."""


class BadLambdaTarget(LocalSwfError):
    """A lambda target does not name a function."""


class StorageFailed(LocalSwfError):
    """The store could not commit; nothing of the batch was kept."""


class BadServerArgument(LocalSwfError):
    """An argument of the command line does not have the form it must have."""
