"""`python -m byollm_examples` is `byollm demo`."""

import sys

from byollm.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["demo", *sys.argv[1:]]))
