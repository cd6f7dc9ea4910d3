"""The log: a line of JSON for each request and each change of the model, on standard output; texts only if asked."""

import json
import sys
from datetime import UTC, datetime
from typing import Any


def write_line(event: dict[str, Any]) -> None:
    """Write what happened, with the time, as one line; control characters of strangers are written as numbers."""
    line = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), **event}, allow_nan=False)
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
