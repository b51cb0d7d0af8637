"""How long it takes to split a merged result: 23 programs with one 5-bit register each, 100 000 shots.

Run it with ``python benchmarks/splitting.py``. It prints the seconds of ``split_result`` and ``split_counts``, the
seconds of ``BitArray.get_counts`` for each register, which is what a user would write without this package, and the
ratio of the two. Outcomes are uniformly random, so nearly every shot is a distinct key: the hardest case.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from qiskit.primitives import BitArray, DataBin, SamplerPubResult

from qiskit_halo.results.counts import split_counts
from qiskit_halo.results.split import split_result

NUM_PROGRAMS, NUM_BITS, NUM_SHOTS, SEED, REPEATS = 23, 5, 100_000, 7, 5


def make_metadata() -> dict[str, Any]:
    """Return the metadata of the merged circuit."""
    programs = [
        {
            "index": k,
            "name": f"program {k}",
            "shots": NUM_SHOTS,
            "registers": [{"name": "c", "size": NUM_BITS, "bits": [[f"p{k}_c", b] for b in range(NUM_BITS)]}],
            "merged_registers": [[f"p{k}_c", NUM_BITS]],
        }
        for k in range(NUM_PROGRAMS)
    ]
    return {"version": 1, "programs": programs}


def make_result() -> SamplerPubResult:
    """Return uniformly random shots of every register."""
    rng = np.random.default_rng(SEED)
    fields = {
        f"p{k}_c": BitArray(rng.integers(0, 2**NUM_BITS, (NUM_SHOTS, 1), dtype=np.uint8), NUM_BITS)
        for k in range(NUM_PROGRAMS)
    }
    return SamplerPubResult(DataBin(shape=(), **fields))


def make_counts(result: SamplerPubResult) -> dict[str, int]:
    """Return the same shots as one dictionary, last register first, with spaces."""
    columns = [result.data[f"p{k}_c"].get_bitstrings() for k in reversed(range(NUM_PROGRAMS))]
    counts: dict[str, int] = {}
    for shot in zip(*columns, strict=True):
        key = " ".join(shot)
        counts[key] = counts.get(key, 0) + 1
    return counts


def best_seconds(run: Callable[[], Any]) -> float:
    """Return the shortest of a few runs, the one least disturbed by the machine."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def measure() -> dict[str, float]:
    """Return the seconds of each way, and the ratios."""
    metadata, result = make_metadata(), make_result()
    counts = make_counts(result)
    alone = [result.data[name].get_counts() for name in result.data]
    if split_counts(counts, metadata) != [dict(sorted(expected.items())) for expected in alone]:
        raise RuntimeError("split_counts and get_counts disagree")
    split_s = best_seconds(lambda: split_result(result, metadata))
    counts_s = best_seconds(lambda: split_counts(counts, metadata))
    reference_s = best_seconds(lambda: [result.data[name].get_counts() for name in result.data])
    return {
        "split_result_s": split_s,
        "split_counts_s": counts_s,
        "get_counts_per_register_s": reference_s,
        "split_result_ratio": reference_s / split_s,
        "split_counts_ratio": reference_s / counts_s,
    }


if __name__ == "__main__":
    sys.stdout.writelines(f"{name:28s} {value:12.6f}\n" for name, value in measure().items())
