"""`python -m pyflow_host`; `pyflow host` is the real command."""

import sys

from pyflow_host.main import main

sys.exit(main())
