"""Whatever the programs, merging and folding leave every user's outcomes as they were alone."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import ControlFlowOp, QuantumCircuit

from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.ownership import owner_of_name
from qiskit_halo.verification.equivalence import distribution_distance
from tests.strategies import batches


@settings(max_examples=60)
@given(batches())
def test_merging_keeps_every_programs_outcomes(batch: list[QuantumCircuit]):
    mpc = MultiProgramCircuit(batch)
    for index, circuit in enumerate(batch):
        assert distribution_distance(circuit, mpc.circuit, index) < 1e-12


@settings(max_examples=40)
@given(batches(), st.data())
def test_folding_keeps_every_programs_outcomes_and_makes_the_fewest_boundaries(
    batch: list[QuantumCircuit], data: st.DataObject
):
    mpc = MultiProgramCircuit(batch)
    widest = max(circuit.num_qubits for circuit in batch)
    width = data.draw(st.integers(widest, mpc.circuit.num_qubits))
    folded = mpc.fold(width)
    assert folded.num_qubits <= width
    for index, circuit in enumerate(batch):
        assert distribution_distance(circuit, folded, index) < 1e-12
    if folded is not mpc.circuit:
        used = {bit for instruction in mpc.circuit.data if instruction.name != "barrier" for bit in instruction.qubits}
        added = folded.count_ops().get("reset", 0) - mpc.circuit.count_ops().get("reset", 0)
        assert added == folded.metadata["halo"]["fold"]["boundaries"] == max(0, len(used) - width)
        assert folded.metadata["halo"]["folded"] == (added > 0)


@settings(max_examples=40)
@given(batches())
def test_no_operation_touches_two_programs(batch: list[QuantumCircuit]):
    circuit = MultiProgramCircuit(batch).circuit
    owner = {bit: owner_of_name(register.name) for register in (*circuit.qregs, *circuit.cregs) for bit in register}
    assert set(owner) == {*circuit.qubits, *circuit.clbits}
    for instruction in circuit.data:
        assert len({owner[bit] for bit in (*instruction.qubits, *instruction.clbits)}) <= 1


@settings(max_examples=40)
@given(batches())
def test_resets_and_measurements_are_in_the_open(batch: list[QuantumCircuit]):
    def hides(operation: object) -> bool:
        definition = getattr(operation, "definition", None)
        return definition is not None and any(
            inner.name in ("measure", "reset") or hides(inner.operation) for inner in definition.data
        )

    def check(circuit: QuantumCircuit) -> None:
        for instruction in circuit.data:
            operation = instruction.operation
            if isinstance(operation, ControlFlowOp):
                for block in operation.blocks:
                    check(block)
            else:
                assert not hides(operation), instruction.name

    check(MultiProgramCircuit(batch).circuit)


@settings(max_examples=30)
@given(batches())
def test_the_users_circuits_are_not_changed(batch: list[QuantumCircuit]):
    before = copy.deepcopy(batch)
    MultiProgramCircuit(batch).fold(max(circuit.num_qubits for circuit in batch))
    for circuit, kept in zip(batch, before, strict=True):
        assert circuit == kept
        assert circuit.metadata == kept.metadata


@settings(max_examples=30)
@given(batches())
def test_registers_keep_their_promised_names_and_sizes(batch: list[QuantumCircuit]):
    mpc = MultiProgramCircuit(batch)
    merged = {register.name: register for register in mpc.circuit.cregs}
    assert all(name.isidentifier() for name in merged)
    for index, circuit in enumerate(batch):
        seen = set()
        for register in circuit.cregs:
            if register.name.isidentifier() and seen.isdisjoint(register):
                assert len(merged[f"p{index}_{register.name}"]) == len(register)
            seen.update(register)
        entry = mpc.circuit.metadata["halo"]["programs"][index]
        assert [r["name"] for r in entry["registers"]] == [r.name for r in circuit.cregs]
        assert sum(size for _, size in entry["merged_registers"]) == circuit.num_clbits
