"""What a table was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version


def describe() -> str:
    """Return machine class and versions, without naming the machine."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("qiskit", "rustworkx", "numpy"))
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {packages}"
