"""An embedded Amazon SWF for one machine: `LocalSwf` inside a process, `serve` as a server of its own."""

from __future__ import annotations

from pyflow_local.clock import ManualClock, SteadyClock
from pyflow_local.engine.limits import Choices, Quotas
from pyflow_local.engine.rates import Rate, Rates
from pyflow_local.engine.restrictions import Restrictions
from pyflow_local.errors import (
    AddressInUse,
    BadLambdaTarget,
    DataFileUnusable,
    LocalSwfError,
    UnsafeBinding,
)
from pyflow_local.local import LocalSwf
from pyflow_local.server import ServerOptions, serve

__all__ = [
    "AddressInUse",
    "BadLambdaTarget",
    "Choices",
    "DataFileUnusable",
    "LocalSwf",
    "LocalSwfError",
    "ManualClock",
    "Quotas",
    "Rate",
    "Rates",
    "Restrictions",
    "ServerOptions",
    "SteadyClock",
    "UnsafeBinding",
    "serve",
]
