"""`python -m pyflow_conformance`."""

import sys

from pyflow_conformance.main import main

sys.exit(main())
