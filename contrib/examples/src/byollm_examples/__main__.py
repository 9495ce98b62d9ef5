"""`python -m byollm_examples` is `byollm demo`."""

import sys

from byollm_examples.command import demo

if __name__ == "__main__":
    sys.exit(demo(sys.argv[1:]))
