"""The systems that tables and bars single out, by the names that ``all_systems`` gives them, and the models of resets."""

from __future__ import annotations

ALONE = "one by one"
GRID_SPACE = "fixed grid, space"
GRID_TIME = "fixed grid, space and time"
OURS = "qiskit-halo all"
TOLD = "qiskit-halo all, told that resets flip"
BY_HAND = "merged by hand"
PUBLISHED = "HALO as published"
QUICK = (ALONE, BY_HAND, GRID_SPACE, GRID_TIME, PUBLISHED, OURS)
"""The systems of the quick run."""

VARIANTS = (
    "fixed grid, noise-aware",
    "qc-parallelizer",
    "qiskit-halo none",
    "qiskit-halo helpers",
    TOLD,
    "qiskit-halo all, round robin",
    "qiskit-halo all, packed",
)
"""The systems that the full run puts through a few queues only, one of each kind."""

RESET_MODELS = ("stays", "flips")
"""What a failing reset does in simulation (:class:`~qiskit_halo.LocalSampler`), that of predicted success first."""


def suffix_of(reset_model: str) -> str:
    """Return how a field says that it rests on a model of resets; the first needs no saying."""
    return "" if reset_model == RESET_MODELS[0] else f"_{reset_model}"
