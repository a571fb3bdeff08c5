"""`python -m pyflow_local`: the embedded SWF by itself, for tests and containers; `pyflow dev` is the real command."""

from __future__ import annotations

import argparse
import sys

from pyflow_local.engine.limits import Quotas
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
    parser.add_argument("--allow-time-skipping", action="store_true", help="serve POST /_pyflow/skip-time")
    parser.add_argument("--relax-quotas", action="store_true", help="lift SWF's quotas")
    parser.add_argument("--require-sigv4", action="append", default=[], metavar="KEY:SECRET")
    parser.add_argument("--insecure", action="store_true", help="serve other machines without any check")
    parser.add_argument("--lambda-endpoint", metavar="URL")
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
            quotas=Quotas.relaxed() if options.relax_quotas else None,
            allow_time_skipping=options.allow_time_skipping,
            require_sigv4=dict(one.partition(":")[::2] for one in options.require_sigv4),
            insecure=options.insecure,
            lambda_endpoint=options.lambda_endpoint,
            ready=lambda url: print(f"SWF endpoint: {url}", flush=True),
        )
    except LocalSwfError as error:
        print(f"pyflow_local: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
