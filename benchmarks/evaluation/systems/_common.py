"""What every system does alike: merge, count shots, and say how it failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from qiskit.circuit import Clbit, QuantumCircuit, QuantumRegister
from qiskit.exceptions import QiskitError
from qiskit.transpiler import Target

from benchmarks.evaluation.model import Batch, Job, SystemFailedError
from benchmarks.evaluation.systems._schedule import schedule
from qiskit_halo import MultiProgramCircuit

Waiting = Sequence[tuple[int, Job]]
"""(index in the whole queue, job), oldest first."""


def merge(jobs: Sequence[Job]) -> MultiProgramCircuit:
    """Return the programs side by side; register ``c`` of member ``k`` is ``p{k}_c``."""
    return MultiProgramCircuit([job.circuit for job in jobs], shots=[job.shots for job in jobs])


def blank(merged: QuantumCircuit, num_qubits: int) -> QuantumCircuit:
    """Return an empty circuit on the qubits of a device, with name, classical registers and metadata of a merged one."""
    register = QuantumRegister(num_qubits, "q")
    return QuantumCircuit(register, *merged.cregs, name=merged.name, metadata=merged.metadata)


def own_clbits(merged: QuantumCircuit, alone: QuantumCircuit, member: int) -> dict[Clbit, Clbit]:
    """Return the clbits of a program merged alone -> those of the same program as a member of a batch."""
    registers = {register.name: register for register in merged.cregs}
    return {
        bit: registers[f"p{member}_{register.name.removeprefix('p0_')}"][index]
        for register in alone.cregs
        for index, bit in enumerate(register)
    }


def least_shots(jobs: Sequence[Job]) -> int:
    """Return the shots of a batch, by one rule for all systems, HALO's: the least that a member still wants.

    The queue carries the others over for the rest, so that nobody runs longer than asked for.
    """
    return min(job.shots for job in jobs)


def make_batch(
    members: Waiting, circuit: QuantumCircuit, target: Target, started_s: float, facts: dict[str, Any] | None = None
) -> Batch:
    """Return the batch of a compiled circuit, which Qiskit schedules.

    Args:
        members: Who is in the circuit, in order.
        circuit: On the qubits of the device.
        target: The device.
        started_s: ``time.process_time()`` when work on the batch began.
        facts: What the system says about it.
    """
    scheduled, makespan_s = schedule(circuit, target)
    return Batch(
        circuit=scheduled,
        members=tuple(index for index, _ in members),
        shots=least_shots([job for _, job in members]),
        makespan_s=makespan_s,
        compile_s=time.process_time() - started_s,
        facts={**(facts or {}), "dead_gates": count_dead_gates(scheduled, target)},
    )


def count_dead_gates(circuit: QuantumCircuit, target: Target) -> int:
    """Return the number of operations whose stated error is 1: Qiskit uses such couplers like any other."""
    wire = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    dead = 0
    for instruction in circuit.data:
        if instruction.name == "barrier":
            continue
        stated = (target[instruction.name] or {}).get(tuple(wire[qubit] for qubit in instruction.qubits))
        dead += stated is not None and stated.error is not None and stated.error >= 1
    return dead


@contextmanager
def reported() -> Iterator[None]:
    """Turn whatever Qiskit or qiskit-halo refuses into a :class:`SystemFailedError` of one line."""
    try:
        yield
    except QiskitError as error:
        raise SystemFailedError(" ".join(error.message.split())) from error


class Memo:
    """Results by the identity of objects: jobs of one program share its circuit, and it is compiled once.

    qiskit-halo also compiles equal programs of a batch once, so this is the same for everybody.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Hashable, ...], tuple[tuple[object, ...], Any]] = {}

    def get(self, objects: tuple[object, ...], key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what ``make`` gave the first time for these very objects and this key."""
        place = (*map(id, objects), key)
        if place not in self._known:
            self._known[place] = objects, make()  # an object that is kept keeps its id
        return self._known[place][1]
