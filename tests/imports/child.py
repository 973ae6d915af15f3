"""What `test_confined.py` has run in a process of its own."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> int:
    """Say what is to be seen from there; or, when told so, talk or wait without end."""
    told = sys.stdin.buffer.read()
    while told == b"talk":
        sys.stdout.write("x" * 1000)
    while told == b"wait":
        os.read(os.pipe()[0], 1)
    held = {"environ": dict(os.environ), "words": sys.orig_argv, "path": sys.path, "place": str(Path.cwd())}
    sys.stdout.write(json.dumps(held))
    return 0
