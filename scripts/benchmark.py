"""Compare strategies over paired seeds and budgets: `python scripts/benchmark.py --strategies random,entropy`."""

import sys

from lit_al.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["benchmark", *sys.argv[1:]]))
