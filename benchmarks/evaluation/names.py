"""The systems that tables and bars single out, by the names that ``all_systems`` gives them."""

from __future__ import annotations

ALONE = "one by one"
GRID_SPACE = "fixed grid, space"
GRID_TIME = "fixed grid, space and time"
OURS = "qiskit-halo all"
BY_HAND = "merged by hand"
PUBLISHED = "HALO as published"
QUICK = (ALONE, BY_HAND, GRID_SPACE, GRID_TIME, PUBLISHED, OURS)
"""The systems of the quick run."""
