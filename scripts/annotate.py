"""Label texts on a page in the browser: `python scripts/annotate.py --data reviews.csv --labels negative,positive`."""

import sys

from lit_al.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["annotate", *sys.argv[1:]]))
