"""What must hold for every scheduled circuit, worked out from the circuit and Qiskit alone."""

from __future__ import annotations

import io

from qiskit import qpy
from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import ASAPScheduleAnalysis


def reload(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit as QPY gives it back: without start times."""
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    buffer.seek(0)
    return qpy.load(buffer)[0]


def qpy_bytes(circuit: QuantumCircuit) -> bytes:
    """The circuit as QPY writes it."""
    buffer = io.BytesIO()
    qpy.dump(circuit, buffer)
    return buffer.getvalue()


def starts(circuit: QuantumCircuit) -> list[tuple[tuple[int, ...], int, str]]:
    """(qubits, start, name) of every operation, sorted."""
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    return sorted(
        (tuple(index[q] for q in instruction.qubits), start, instruction.name)
        for instruction, start in zip(circuit.data, circuit.op_start_times, strict=True)
    )


def starts_by_qiskit(circuit: QuantumCircuit, target: Target) -> list[tuple[tuple[int, ...], int, str]]:
    """The same by Qiskit's as-soon-as-possible analysis of the reloaded circuit."""
    return starts(PassManager([ASAPScheduleAnalysis(target=target)]).run(reload(circuit)))


def check_start_times(circuit: QuantumCircuit, target: Target) -> None:
    """Every operation has a start time, Qiskit agrees, starts are aligned, and nothing overlaps on a qubit."""
    assert len(circuit.op_start_times) == len(circuit.data)
    alignment = max(target.pulse_alignment, target.acquire_alignment)
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    free = [0] * circuit.num_qubits
    pairs = zip(circuit.data, circuit.op_start_times, strict=True)
    for instruction, start in sorted(pairs, key=lambda pair: pair[1]):
        where = tuple(index[qubit] for qubit in instruction.qubits)
        if instruction.name == "barrier":
            continue
        assert instruction.name == "delay" or start % alignment == 0
        if instruction.name == "delay":
            length = instruction.operation.duration
            assert instruction.operation.unit == "dt"
        else:
            length = round(target[instruction.name][where].duration / target.dt)
        for qubit in where:
            assert start >= free[qubit]
            free[qubit] = start + length
    assert starts(circuit) == starts_by_qiskit(circuit, target)
