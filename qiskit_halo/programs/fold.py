"""A merged circuit -> an equal one on fewer wires.

A wire passes from one qubit of a program to another through one reset: a boundary. With S qubits that have
operations and N wires, at least S - N boundaries are needed, because on each wire all qubits but the first are
behind one. Here a qubit takes a wire that nobody has used as long as there is one, so that all N wires are used
before any is used again, and exactly max(0, S - N) boundaries are made: the fewest possible. Which used wire a
qubit then takes is a heuristic: the one whose operations end first, to keep the circuit shallow.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qiskit.circuit import Barrier, CircuitInstruction, QuantumCircuit, QuantumRegister, Qubit, Reset

from qiskit_halo.errors import HaloValueError
from qiskit_halo.programs.merge import MergedPrograms
from qiskit_halo.programs.metadata import METADATA_KEY, FoldEntry
from qiskit_halo.programs.program import Program

logger = logging.getLogger(__name__)


def fold_programs(merged: MergedPrograms, programs: Sequence[Program], num_qubits: int) -> QuantumCircuit:
    """Return a circuit with the outcomes of ``merged`` that is at most ``num_qubits`` wide.

    A merged circuit that is narrow enough comes back as it is. Otherwise the wires form one register ``w``, the
    operations keep their order, and qubits without any (barriers apart) are left out. The qubits of one program
    are on distinct wires, ascending as in the user's circuit, unless the program alone is too wide: then a qubit
    holds a wire only from its first to its last operation, in the order that the user wrote, and another qubit
    of the program may have it afterwards.

    Args:
        merged: The merged programs.
        programs: The same programs, for messages.
        num_qubits: Wires that there are.

    Raises:
        HaloValueError: ``num_qubits`` is not a positive whole number, or more qubits of one program are in
            use at the same time.
    """
    if isinstance(num_qubits, bool) or not hasattr(num_qubits, "__index__") or num_qubits.__index__() < 1:
        raise HaloValueError(f"num_qubits must be a whole number of at least 1, not {num_qubits!r}")
    width = num_qubits.__index__()
    if merged.circuit.num_qubits <= width:
        return merged.circuit
    source = merged.circuit.copy()  # the folded circuit must not share operations with the merged one
    leases = _find_leases(source, merged.qubits, width)
    _check_fits(leases, programs, width)
    return _emit(source, leases, merged, min(width, len(leases)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lease:
    """A qubit of the merged circuit that needs a wire from one operation to another, both included."""

    program: int
    qubit: Qubit
    start: int
    stop: int


def _find_leases(circuit: QuantumCircuit, qubits: Iterable[Sequence[int]], width: int) -> list[_Lease]:
    """Return one lease for each qubit with operations, by program and by qubit of the user's circuit."""
    first: dict[Qubit, int] = {}
    last: dict[Qubit, int] = {}
    for position, instruction in enumerate(circuit.data):
        if instruction.name != "barrier":
            for qubit in instruction.qubits:
                first.setdefault(qubit, position)
                last[qubit] = position
    leases = []
    for program, indices in enumerate(qubits):
        used = [bit for bit in (circuit.qubits[index] for index in indices) if bit in first]
        if not used:
            continue
        whole = (min(first[bit] for bit in used), max(last[bit] for bit in used))
        for bit in used:
            start, stop = whole if len(used) <= width else (first[bit], last[bit])
            leases.append(_Lease(program=program, qubit=bit, start=start, stop=stop))
    return leases


def _check_fits(leases: Iterable[_Lease], programs: Sequence[Program], width: int) -> None:
    """Refuse a program with more qubits in use at once than there are wires."""
    changes: dict[int, dict[int, int]] = {}
    for lease in leases:
        own = changes.setdefault(lease.program, {})
        own[lease.start] = own.get(lease.start, 0) + 1
        own[lease.stop + 1] = own.get(lease.stop + 1, 0) - 1
    for index, own in changes.items():
        live = most = 0
        for position in sorted(own):
            live += own[position]
            most = max(most, live)
        if most > width:
            raise HaloValueError(
                f"{programs[index]} has {most} qubits in use at the same time, but there are only "
                f"{width} wires; leave it out or fold to more wires"
            )


def _emit(source: QuantumCircuit, leases: Sequence[_Lease], merged: MergedPrograms, width: int) -> QuantumCircuit:
    register = QuantumRegister(width, "w")
    folded = QuantumCircuit(register, *source.cregs, name=source.name, global_phase=source.global_phase)
    for variable in source.iter_declared_vars():
        folded.add_uninitialized_var(variable)
    for stretch in source.iter_declared_stretches():
        folded.add_stretch(stretch)
    starts: dict[int, list[_Lease]] = {}
    stops: dict[int, list[_Lease]] = {}
    for lease in leases:
        starts.setdefault(lease.start, []).append(lease)
        stops.setdefault(lease.stop, []).append(lease)
    wires = _Wires(width)
    for position, instruction in enumerate(source.data):
        for wire in wires.take(starts.get(position, ())):
            folded._append(CircuitInstruction(Reset(), (register[wire],), ()))
        held = [wires.of[bit] for bit in instruction.qubits if bit in wires.of]
        if held or not instruction.qubits:  # a barrier keeps to the wires that its program holds by now
            folded._append(_on(instruction, [register[wire] for wire in held]))
            wires.advance(held, instruction)
        wires.release(stops.get(position, ()))
    folded.metadata = source.metadata  # already a deep copy, as source is a copy
    halo = folded.metadata[METADATA_KEY]
    halo["folded"] = wires.boundaries > 0
    halo["fold"] = _entry(source, merged, wires)
    logger.info("folded %d qubits to %d wires: %d boundaries", source.num_qubits, width, wires.boundaries)
    return folded


class _Wires:
    """Which wire each qubit holds; changes while the operations pass."""

    def __init__(self, width: int) -> None:
        self.of: dict[Qubit, int] = {}
        self.history: dict[Qubit, tuple[int, int]] = {}  # qubit -> wire, boundaries on it before
        self.boundaries = 0
        self._free = list(range(width))
        self._turns = [0] * width
        self._depth = [0] * width

    def take(self, leases: Sequence[_Lease]) -> list[int]:
        """Give ascending wires to leases that start together; return those that somebody used before."""
        if not leases:
            return []
        # Unused wires first: this is what makes the boundaries fewest.
        self._free.sort(key=lambda wire: (self._turns[wire] > 0, self._depth[wire], wire))
        chosen, self._free = sorted(self._free[: len(leases)]), self._free[len(leases) :]
        for lease, wire in zip(leases, chosen, strict=True):
            self.of[lease.qubit] = wire
            self.history[lease.qubit] = (wire, self._turns[wire])
        used = [wire for wire in chosen if self._turns[wire]]
        for wire in chosen:
            self._turns[wire] += 1
        self.boundaries += len(used)
        return used

    def release(self, leases: Iterable[_Lease]) -> None:
        """Take back the wires of leases that end."""
        for lease in leases:
            self._free.append(self.of.pop(lease.qubit))

    def advance(self, wires: Sequence[int], instruction: CircuitInstruction) -> None:
        """Note that an operation passed on ``wires``."""
        depth = max((self._depth[wire] for wire in wires), default=0) + (instruction.name != "barrier")
        for wire in wires:
            self._depth[wire] = depth


def _on(instruction: CircuitInstruction, qubits: list[Qubit]) -> CircuitInstruction:
    if len(qubits) == len(instruction.qubits):
        return instruction.replace(qubits=qubits)
    return instruction.replace(operation=Barrier(len(qubits), label=instruction.label), qubits=qubits)


def _entry(source: QuantumCircuit, merged: MergedPrograms, wires: _Wires) -> FoldEntry:
    history = [wires.history.get(bit) for bit in source.qubits]
    placed = [None if turn is None else list(turn) for turn in history]
    return FoldEntry(
        boundaries=wires.boundaries,
        wires=[[placed[index] for index in indices] for indices in merged.qubits],
    )
