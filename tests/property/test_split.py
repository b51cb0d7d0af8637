"""Merging and splitting again gives every user the registers of the user's own circuit, whatever they are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import BitArray, DataBin

from qiskit_halo import LocalSampler, MultiProgramCircuit
from tests.results import merged_data
from tests.strategies import bare_programs


@st.composite
def certain_programs(draw: st.DrawFn) -> tuple[QuantumCircuit, list[int]]:
    """A circuit of odd registers whose every clbit is measured, and the one outcome that it has."""
    circuit = draw(bare_programs())
    values = draw(st.lists(st.integers(0, 1), min_size=circuit.num_clbits, max_size=circuit.num_clbits))
    for clbit, value in enumerate(values):
        circuit.reset(0)
        if value:
            circuit.x(0)
        circuit.measure(0, clbit)
    return circuit, values


def registers_of(circuit: QuantumCircuit, values: list[int]) -> dict[str, str]:
    """What each register of the user's own circuit shows."""
    place = {bit: index for index, bit in enumerate(circuit.clbits)}
    return {r.name: "".join(str(values[place[bit]]) for bit in reversed(r)) for r in circuit.cregs}


def counts_key(circuit: QuantumCircuit, values: list[int]) -> str:
    """How Qiskit prints it: bits in registers, each once, cut by the sizes of the registers, last one first."""
    named = {bit for register in circuit.cregs for bit in register}
    bits = [str(value) for bit, value in zip(circuit.clbits, values, strict=True) if bit in named or not named]
    text, parts = "".join(reversed(bits)), []
    for register in reversed(circuit.cregs):
        parts.append(text[: len(register)])
        text = text[len(register) :]
    return " ".join(parts) if len(parts) > 1 else "".join(reversed(bits))


@settings(max_examples=60)
@given(st.lists(certain_programs(), min_size=1, max_size=4), st.booleans())
def test_every_register_shows_what_it_would_alone(
    programs: list[tuple[QuantumCircuit, list[int]]], folds: bool
) -> None:
    circuits = [circuit for circuit, _ in programs]
    batch = MultiProgramCircuit(circuits, shots=list(range(2, 2 + len(programs))))
    merged = batch.fold(max(circuit.num_qubits for circuit in circuits)) if folds else batch.circuit
    result = LocalSampler(None, noise=False, seed=1).run([merged], shots=batch.shots).result()
    for shots, own, (circuit, values) in zip(range(2, 9), batch.split(result), programs, strict=False):
        found = {name: bits.get_counts() for name, bits in own.data.items()}
        assert found == {name: {value: shots} for name, value in registers_of(circuit, values).items()}
        assert list(own.data) == [register.name for register in circuit.cregs]


@settings(max_examples=60)
@given(st.lists(certain_programs(), min_size=1, max_size=4))
def test_counts_are_keyed_as_the_own_circuit_would_be(programs: list[tuple[QuantumCircuit, list[int]]]) -> None:
    batch = MultiProgramCircuit([circuit for circuit, _ in programs])
    result = LocalSampler(None, noise=False, seed=1).run([batch.circuit], shots=3).result()[0]
    expected = [{counts_key(circuit, values): 3} for circuit, values in programs]
    joined = result.join_data([register.name for register in batch.circuit.cregs if register.size])
    for counts in (joined.get_counts(), joined.get_int_counts()):
        assert batch.split_counts(counts) == expected


@settings(max_examples=40)
@given(st.lists(bare_programs(), min_size=1, max_size=3), st.integers(0, 9))
def test_shots_keep_their_order_and_bits_their_places(bare: list[QuantumCircuit], seed: int) -> None:
    for circuit in bare:
        circuit.measure(0, 0)
    batch = MultiProgramCircuit(bare, shots=7)
    data = merged_data(batch, np.random.default_rng(seed), shots=9)
    split = batch.split(data)
    for shot in range(7):
        one = DataBin(**{name: BitArray(bits.array[shot : shot + 1], bits.num_bits) for name, bits in data.items()})
        again = MultiProgramCircuit(bare, shots=1).split(one)
        for whole, single in zip(split, again, strict=True):
            for name in whole.data:
                assert np.array_equal(whole.data[name].array[shot], single.data[name].array[0])
