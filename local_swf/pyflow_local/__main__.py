"""`python -m pyflow_local`: the embedded SWF by itself, for tests and containers; `pyflow dev` is the real command."""

from __future__ import annotations

import argparse
import sys

from pyflow_local.errors import LocalSwfError
from pyflow_local.server import serve


def main() -> int:
    """Parse the arguments and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="pyflow_local", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8042)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--data", help="the data file; without it everything is kept in memory")
    where.add_argument("--memory", action="store_true", help="keep everything in memory")
    parser.add_argument("--full-sync", action="store_true", help="survive power loss, not only a killed process")
    parser.add_argument("--lambda", dest="lambdas", action="append", default=[], metavar="NAME=module:function")
    options = parser.parse_args()
    lambdas = dict(one.partition("=")[::2] for one in options.lambdas)
    try:
        serve(
            host=options.host,
            port=options.port,
            data=options.data,
            lambdas=lambdas,
            full_sync=options.full_sync,
            ready=lambda url: print(f"SWF endpoint: {url}", flush=True),
        )
    except LocalSwfError as error:
        print(f"pyflow_local: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
