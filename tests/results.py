"""Results of merged circuits, made up."""

from __future__ import annotations

from typing import Any

import numpy as np
from qiskit.primitives import BitArray, DataBin

from qiskit_halo import MultiProgramCircuit
from qiskit_halo.results.fields import make_data_bin


def merged_metadata(batch: MultiProgramCircuit) -> dict[str, Any]:
    """What the merged circuit says about itself."""
    metadata: dict[str, Any] = batch.circuit.metadata["halo"]
    return metadata


def merged_data(
    batch: MultiProgramCircuit, rng: np.random.Generator, *, shots: int, shape: tuple[int, ...] = ()
) -> DataBin:
    """Random bits for every base register, packed as samplers pack them."""
    fields = {}
    for register in batch.circuit.cregs:
        if register.name.endswith("_alias"):
            continue
        bits = rng.integers(0, 2, (*shape, shots, len(register)), dtype=np.uint8).astype(bool)
        fields[register.name] = BitArray.from_bool_array(bits, order="little")
    return make_data_bin(fields, shape)
