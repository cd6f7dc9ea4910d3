"""Classify texts with the checkpoint of a run: `python scripts/predict.py --checkpoint RUN "text" …`."""

import sys

from lit_al.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["predict", *sys.argv[1:]]))
