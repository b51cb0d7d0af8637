"""Stabilizer codes, as the Pauli strings that a syndrome extraction measures."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True)
class Code:
    """A set of commuting stabilizers.

    Attributes:
        name: As circuits are named after it.
        stabilizers: One string each; character ``i`` is the Pauli on data qubit ``i``, left to right.
    """

    name: str
    stabilizers: tuple[str, ...]

    def __post_init__(self) -> None:
        for first, second in combinations(self.stabilizers, 2):
            if anticommute(first, second):
                raise ValueError(f"stabilizers {first} and {second} of {self.name} do not commute")

    @property
    def num_data(self) -> int:
        return len(self.stabilizers[0])


def anticommute(first: str, second: str) -> bool:
    """Return whether two Pauli strings anticommute."""
    return sum(a != b and "I" not in (a, b) for a, b in zip(first, second, strict=True)) % 2 == 1


def _strings(num_data: int, pauli: str, supports: tuple[tuple[int, ...], ...]) -> tuple[str, ...]:
    return tuple("".join(pauli if q in support else "I" for q in range(num_data)) for support in supports)


def repetition(distance: int) -> Code:
    return Code(f"repetition_d{distance}", _strings(distance, "Z", tuple((i, i + 1) for i in range(distance - 1))))


FOUR_QUBIT = Code("four_qubit", ("XXXX", "ZZZZ"))
SHOR = Code(
    "shor",
    _strings(9, "Z", ((0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8)))
    + _strings(9, "X", (tuple(range(6)), tuple(range(3, 9)))),
)
_HAMMING = ((3, 4, 5, 6), (1, 2, 5, 6), (0, 2, 4, 6))
STEANE = Code("steane", _strings(7, "X", _HAMMING) + _strings(7, "Z", _HAMMING))
# Data qubits row by row on a 3x3 square; the plaquettes of the two kinds alternate, so that neighbours share two qubits.
SURFACE = Code(
    "surface_d3",
    _strings(9, "Z", ((0, 1, 3, 4), (4, 5, 7, 8), (2, 5), (3, 6)))
    + _strings(9, "X", ((1, 2, 4, 5), (3, 4, 6, 7), (0, 1), (7, 8))),
)

SMALL = (repetition(3), FOUR_QUBIT)
MEDIUM = (repetition(5), SHOR, STEANE, SURFACE)
