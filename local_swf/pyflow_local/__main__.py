"""`python -m pyflow_local`: the embedded SWF by itself, for tests and containers; `pyflow dev` is the real command."""

from __future__ import annotations

import argparse
import sys

from pyflow_local.arguments import add_server_arguments, server_options
from pyflow_local.errors import LocalSwfError
from pyflow_local.server import serve_options


def main() -> int:
    """Parse the arguments and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="pyflow_local", description=__doc__)
    add_server_arguments(parser, data=None)
    try:
        serve_options(server_options(parser.parse_args()), ready=lambda url: print(f"SWF endpoint: {url}", flush=True))
    except LocalSwfError as error:
        print(f"pyflow_local: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
