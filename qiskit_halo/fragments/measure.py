"""Time a body on given physical qubits, and what it asks of them there."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable, Sequence

from qiskit.circuit import CONTROL_FLOW_OP_NAMES, CircuitInstruction, Clbit, QuantumCircuit, Qubit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.durations import Durations
from qiskit_halo.fragments.memory import Memory
from qiskit_halo.fragments.success import Workload, measure_workload
from qiskit_halo.fragments.timing import Timing, schedule, timed_operations

_UNLIKE = CONTROL_FLOW_OP_NAMES | {"delay", "store"}
"""Operations that have more to them than name, sites, clbits and length."""


MEMORY_ENTRIES, MOST_OPERATIONS = 256, 1_000
"""Timed bodies that a process keeps, and the longest of them."""

MEMORY: Memory[Hashable, tuple[Timing, Workload]] = Memory(MEMORY_ENTRIES)
"""What stopwatches of this process have timed, devices told apart by all that times and workloads depend on."""


def sites_of(circuit: QuantumCircuit) -> list[tuple[int, ...]]:
    """Return the qubit indices of each instruction of ``circuit``."""
    return places_of(circuit.data, circuit.qubits)


def places_of(instructions: Iterable[CircuitInstruction], qubits: Sequence[Qubit]) -> list[tuple[int, ...]]:
    """Return where in ``qubits`` those of each instruction stand."""
    index = {qubit: i for i, qubit in enumerate(qubits)}
    # Many stand on the same qubits.
    known: dict[tuple[Qubit, ...], tuple[int, ...]] = {}
    sites = []
    for instruction in instructions:
        held = instruction.qubits
        where = known.get(held)
        if where is None:
            where = known[held] = tuple([index[qubit] for qubit in held])
        sites.append(where)
    return sites


def time_on(
    instructions: Sequence[CircuitInstruction],
    sites: Sequence[tuple[int, ...]],
    physical: Sequence[int],
    device: DeviceModel,
) -> tuple[Timing, Workload, float]:
    """Return what :meth:`Stopwatch.time` returns, for one body."""
    timing, workload = _time(
        instructions, sites, Durations(device).of_all(instructions, sites, physical), device, len(physical)
    )
    return timing, workload, workload.log_success_on(device, physical)


class Stopwatch:
    """Times bodies on one device.

    Many programs of a batch are copies of each other, on other qubits. Their times only depend on the lengths of their
    operations, and are worked out once for each set of lengths.

    Args:
        device: The device.
        remembers: Whether they are kept for other stopwatches of the process.
    """

    def __init__(self, device: DeviceModel, *, remembers: bool = False) -> None:
        self._device = device
        self._remembers = remembers
        # Besides the body and its lengths.
        self._model = (device.alignment, device.has_durations, device.dt_s, tuple(device.gates))
        self._durations = Durations(device)
        self._known: dict[Hashable, tuple[Timing, Workload]] = {}

    def time(
        self, instructions: Sequence[CircuitInstruction], sites: Sequence[tuple[int, ...]], physical: Sequence[int]
    ) -> tuple[Timing, Workload, float]:
        """Return the times, the workload and the log of the predicted success of a body on ``physical`` qubits.

        Bodies that get the very same times, not only equal ones, have the same names, sites, clbits, lengths and number of sites.

        Args:
            instructions: The body, in order.
            sites: Sites of each instruction.
            physical: Physical qubit of each site.
        """
        lengths = self._durations.of_all(instructions, sites, physical)
        key = _structure(instructions, sites, lengths)
        found = None if key is None else self._known.get((len(physical), key))
        if found is None:
            found = self._found(key, instructions, sites, lengths, len(physical))
            if key is not None:
                self._known[len(physical), key] = found
        timing, workload = found
        return timing, workload, workload.log_success_on(self._device, physical)

    def _found(
        self,
        key: Hashable | None,
        instructions: Sequence[CircuitInstruction],
        sites: Sequence[tuple[int, ...]],
        lengths: Sequence[int],
        num_sites: int,
    ) -> tuple[Timing, Workload]:
        if key is None or not self._remembers or len(instructions) > MOST_OPERATIONS:
            return _time(instructions, sites, lengths, self._device, num_sites)
        full = (self._model, num_sites, key)
        found = MEMORY.get(full)
        if found is None:
            found = _time(instructions, sites, lengths, self._device, num_sites)
            MEMORY.put(full, found)
        return found


def _time(
    instructions: Sequence[CircuitInstruction],
    sites: Sequence[tuple[int, ...]],
    lengths: Sequence[int],
    device: DeviceModel,
    num_sites: int,
) -> tuple[Timing, Workload]:
    timing = schedule(timed_operations(instructions, sites, lengths), num_sites, device.alignment)
    return timing, measure_workload(instructions, sites, timing, num_sites, device)


def _structure(
    instructions: Sequence[CircuitInstruction], sites: Sequence[tuple[int, ...]], lengths: Sequence[int]
) -> Hashable | None:
    """Return what times and workload depend on, ``None`` if that is more than names, sites, clbits and lengths."""
    # Qiskit makes a string of its own for each operation, and keys are kept.
    names = tuple([sys.intern(instruction.name) for instruction in instructions])
    if not _UNLIKE.isdisjoint(names):
        return None
    number: dict[Clbit, int] = {}
    clbits = [
        tuple([number.setdefault(bit, len(number)) for bit in bits]) if (bits := instruction.clbits) else ()
        for instruction in instructions
    ]
    return names, tuple(sites), tuple(clbits), tuple(lengths)
