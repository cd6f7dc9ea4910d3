"""Train a classifier, labeling its training texts round by round: `python scripts/train.py --mode active`."""

import sys

from lit_al.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
