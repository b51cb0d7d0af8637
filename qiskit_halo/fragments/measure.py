"""Time a body on given physical qubits, and what it asks of them there."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from qiskit.circuit import CircuitInstruction, Clbit, QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.durations import Durations
from qiskit_halo.fragments.success import Workload, measure_workload
from qiskit_halo.fragments.timing import Timing, schedule, timed_operations


def sites_of(circuit: QuantumCircuit) -> list[tuple[int, ...]]:
    """Return the qubit indices of each instruction of ``circuit``."""
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    return [tuple(index[qubit] for qubit in instruction.qubits) for instruction in circuit.data]


def time_on(
    instructions: Sequence[CircuitInstruction],
    sites: Sequence[tuple[int, ...]],
    physical: Sequence[int],
    device: DeviceModel,
) -> tuple[Timing, Workload, float]:
    """Return what :meth:`Stopwatch.time` returns, for one body."""
    return Stopwatch(device).time(instructions, sites, physical)


class Stopwatch:
    """Times bodies on one device.

    Many programs of a batch are copies of each other, on other qubits. Their times only depend on the lengths of their
    operations, and are worked out once for each set of lengths.

    Args:
        device: The device.
    """

    def __init__(self, device: DeviceModel) -> None:
        self._device = device
        self._durations = Durations(device)
        self._known: dict[Hashable, tuple[Timing, Workload]] = {}

    def time(
        self, instructions: Sequence[CircuitInstruction], sites: Sequence[tuple[int, ...]], physical: Sequence[int]
    ) -> tuple[Timing, Workload, float]:
        """Return the times, the workload and the log of the predicted success of a body on ``physical`` qubits.

        Args:
            instructions: The body, in order.
            sites: Sites of each instruction.
            physical: Physical qubit of each site.
        """
        lengths = [
            self._durations.of(instruction, [physical[site] for site in where])
            for instruction, where in zip(instructions, sites, strict=True)
        ]
        key = _structure(instructions, sites, lengths)
        found = None if key is None else self._known.get((len(physical), key))
        if found is None:
            timed = timed_operations(instructions, sites, lengths)
            timing = schedule(timed, len(physical), self._device.alignment)
            found = timing, measure_workload(instructions, sites, timing, len(physical), self._device)
            if key is not None:
                self._known[len(physical), key] = found
        timing, workload = found
        place = np.array([physical], dtype=np.int64)
        return timing, workload, float(workload.log_success(self._device, place)[0])


def _structure(
    instructions: Sequence[CircuitInstruction], sites: Sequence[tuple[int, ...]], lengths: Sequence[int]
) -> Hashable | None:
    """Return what times and workload depend on, ``None`` if that is more than names, sites, clbits and lengths."""
    number: dict[Clbit, int] = {}
    names, clbits = [], []
    for instruction in instructions:
        name = instruction.name
        if name == "delay" or name == "store" or instruction.is_control_flow():
            return None
        names.append(name)
        clbits.append(tuple([number.setdefault(bit, len(number)) for bit in instruction.clbits]))
    return tuple(names), tuple(sites), tuple(clbits), tuple(lengths)
