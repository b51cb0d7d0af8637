"""Bits of shots: from what Aer returns, to registers."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Clbit, QuantumCircuit

from qiskit_halo.primitives.shots import bits_of_memory, pack_registers


@pytest.mark.parametrize("num_bits", [1, 7, 8, 9, 70])
def test_bits_of_hexadecimal_shots(num_bits: int, rng: np.random.Generator) -> None:
    bits = rng.integers(0, 2, (5, num_bits), dtype=np.uint8)
    memory = [hex(sum(int(bit) << place for place, bit in enumerate(shot))) for shot in bits]
    assert np.array_equal(bits_of_memory(memory, num_bits), bits)


def test_higher_bits_are_cut_off() -> None:
    assert bits_of_memory(["0x1fe", "0x101"], 2).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("shape", [(), (2,), (2, 3)])
def test_registers_are_packed_as_samplers_do(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    shared = [Clbit() for _ in range(11)]
    circuit = QuantumCircuit(shared, ClassicalRegister(bits=shared[2:], name="a"))
    circuit.add_register(ClassicalRegister(1, "b"), ClassicalRegister(bits=[shared[0], shared[4]][::-1], name="c"))
    bits = rng.integers(0, 2, (*shape, 7, circuit.num_clbits), dtype=np.uint8)
    packed = pack_registers(circuit, bits)
    assert list(packed) == ["a", "b", "c"]
    for register in circuit.cregs:
        found = packed[register.name]
        assert (found.shape, found.num_shots, found.num_bits) == (shape, 7, len(register))
        expected = bits[..., [circuit.clbits.index(bit) for bit in register]].astype(bool)
        assert np.array_equal(found.to_bool_array(order="little"), expected)
        assert found.array.shape[-1] == -(-len(register) // 8)


def test_empty_registers_are_empty() -> None:
    circuit = QuantumCircuit(ClassicalRegister(0, "none"), ClassicalRegister(1, "one"))
    packed = pack_registers(circuit, np.ones((3, 1), dtype=np.uint8))
    assert (packed["none"].num_bits, packed["none"].num_shots) == (0, 3)
    assert packed["one"].get_counts() == {"1": 3}
