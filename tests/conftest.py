"""What every test may rely on."""

from __future__ import annotations

import os
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent

# A process that a test starts runs the same code as the test itself (pyproject.toml, pythonpath).
os.environ["PYTHONPATH"] = os.pathsep.join([str(CHECKOUT), str(CHECKOUT / "cmd")])
