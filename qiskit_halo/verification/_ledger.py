"""What all parts of one simulation share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Ledger:
    """Limits and running sums of one simulation; mutable.

    Args:
        places: int64, shape (num_clbits,): the bit of the histories that keeps the final value of a clbit, or -1.
        max_amplitudes: Largest number of amplitudes in memory.
        max_histories: Largest number of histories.
        lost: Probability dropped so far.
        ended: Wires that have ended so far but were kept: they are called -1, -2, ...
    """

    places: NDArray[np.int64]
    max_amplitudes: int
    max_histories: int
    lost: float = 0.0
    ended: int = 0
