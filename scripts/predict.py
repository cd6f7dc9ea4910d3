"""Classify texts with the checkpoint of a run: `python scripts/predict.py --checkpoint RUN "text" …`."""

import sys

from lit_al.cli.main import predict

if __name__ == "__main__":
    sys.exit(predict())
