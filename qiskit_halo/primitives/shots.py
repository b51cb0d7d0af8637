"""Bits of shots: from what Aer returns, to the packed registers of a sampler's result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import BitArray


def bits_of_memory(memory: Sequence[str], num_bits: int) -> NDArray[np.uint8]:
    """Return the low bits of every shot.

    Args:
        memory: One hexadecimal number a shot, as a simulator returns them. Qiskit's own printing of them as bit
            strings loses bits where registers share bits or leave some out.
        num_bits: How many bits to return, counted from bit 0.

    Returns:
        uint8 array, shape (num_shots, num_bits): ``[s, b]`` is bit ``b`` of shot ``s``, 0 or 1.
    """
    num_bytes = -(-num_bits // 8)
    mask = (1 << num_bits) - 1
    packed = b"".join((int(shot, 16) & mask).to_bytes(num_bytes, "little") for shot in memory)
    table = np.frombuffer(packed, dtype=np.uint8).reshape(len(memory), num_bytes)
    return np.unpackbits(table, axis=1, bitorder="little", count=num_bits)


def pack_registers(circuit: QuantumCircuit, bits: NDArray[np.uint8]) -> dict[str, BitArray]:
    """Return the classical registers of ``circuit``, in order, packed as samplers pack them.

    Args:
        circuit: The circuit that was run.
        bits: uint8 array, shape (*pub_shape, num_shots, num_clbits), bit 0 first.
    """
    index_of = {bit: index for index, bit in enumerate(circuit.clbits)}
    packed = {}
    for register in circuit.cregs:
        wanted = bits[..., [index_of[bit] for bit in reversed(register)]]
        padding = [(0, 0)] * (bits.ndim - 1) + [(-register.size % 8, 0)]
        packed[register.name] = BitArray(np.packbits(np.pad(wanted, padding), axis=-1), register.size)
    return packed
