"""The systems that tables and bars single out, by the names that ``all_systems`` gives them."""

from __future__ import annotations

ALONE = "one by one"
GRID_SPACE = "fixed grid, space"
GRID_TIME = "fixed grid, space and time"
OURS = "qiskit-halo all"
QUICK = (ALONE, GRID_SPACE, GRID_TIME, OURS)
"""What the quick run looks at, besides whatever is quick enough."""
