"""`python -m modelward.collector`."""

import sys

from modelward.collector.command import main

sys.exit(main(sys.argv[1:]))
