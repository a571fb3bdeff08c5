"""`python -m pyflow_activity MODULE --host ADDRESS --task-list NAME`."""

import sys

from pyflow_activity.main import main

sys.exit(main())
