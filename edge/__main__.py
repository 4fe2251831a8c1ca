"""`python -m edge`, which `./garita` runs."""

import sys

from edge.cli import main

sys.exit(main())
