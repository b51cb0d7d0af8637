"""What the packer places, and where it puts it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from qiskit_halo.placement.candidates import Candidates

TOLERANCE = 1e-9
"""What sums of logarithms may differ by and still be equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingItem:
    """One rigid piece to place.

    Args:
        variants: Where each compiled form of it can go, the one with the best predicted success first.
        log_floor: Least log of its predicted success; its best is that of the first variant.
        exclusive_sites: For each variant, sites whose qubit nobody else may use in this batch.
        owners: Programs it belongs to; empty if anonymous.
        weight: Best predicted success of its program: what one unit of its log success is worth in mean success.
    """

    variants: tuple[Candidates, ...]
    log_floor: float
    exclusive_sites: tuple[tuple[int, ...], ...]
    owners: tuple[int, ...]
    weight: float = 1.0

    @property
    def kind(self) -> tuple[object, ...]:
        """Equal for items that may take each other's place; good as long as the variants are alive."""
        return tuple(map(id, self.variants)), self.log_floor, self.exclusive_sites, self.weight

    @property
    def log_best(self) -> float:
        """Log of its best predicted success on the empty device."""
        return self.variants[0].best


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place and a time for one piece.

    Args:
        variant: Which of the item's variants.
        qubits: Physical qubit of each site.
        start: First slot.
        stop: Slot after the last operation.
        spans: For each site the slots ``[start, stop)`` that are taken on its qubit, hand-over resets before it included.
        log_success: Log of the predicted success there, resets after whoever has a qubit before included.
        rent: What the leases are worth to others, in log success of this item.
    """

    variant: int
    qubits: tuple[int, ...]
    start: int
    stop: int
    spans: tuple[tuple[int, int], ...]
    log_success: float
    rent: float = 0.0

    @property
    def value(self) -> float:
        """What the spot is worth to the whole batch: less than to the piece itself, where others want its qubits."""
        return self.log_success - self.rent

    def rank(self, limit: int) -> tuple[int, float, int]:
        """Return what is least for the best spot: whatever ends by slot ``limit`` ends early enough."""
        return max(self.stop, limit), -self.value, self.stop


@dataclass(frozen=True, slots=True)
class Terms:
    """What a spot is looked for by.

    Args:
        limit: Slot by which it should end.
        log_floor: Least log of predicted success there.
        pays: Whether rents count.
    """

    limit: int
    log_floor: float = -math.inf
    pays: bool = True
