"""`python -m hopsim.cli`."""

import sys

from . import main

sys.exit(main())
