"""What a timed body does that others may feel or disturb: gates on couplers, readouts, and live qubits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import CircuitInstruction

from qiskit_halo.fragments.durations import rounds_of
from qiskit_halo.fragments.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What the sites of a body do when; half-open intervals in ticks from its start.

    What lies inside control flow may happen at any time of the whole operation.

    Args:
        gates: (operation, first site, second site, start, stop, times) of each two-qubit gate.
        reads: (site, start, stop, times) of each measurement and reset.
        alive: (site, start, stop) from the first operation to the last before a reset or the end.
    """

    gates: tuple[tuple[str, int, int, int, int, int], ...]
    reads: tuple[tuple[int, int, int, int], ...]
    alive: tuple[tuple[int, int, int], ...]


def find_activity(
    instructions: Sequence[CircuitInstruction], sites: Sequence[Sequence[int]], timing: Timing
) -> Activity:
    """Return what scheduled ``instructions`` do.

    Args:
        instructions: The body, in order.
        sites: Sites of each instruction.
        timing: When they run.
    """
    gates: list[tuple[str, int, int, int, int, int]] = []
    reads: list[tuple[int, int, int, int]] = []
    alive: list[tuple[int, int, int]] = []
    living: dict[int, tuple[int, int]] = {}
    for instruction, where, start, duration in zip(
        instructions, sites, timing.start_dt, timing.duration_dt, strict=True
    ):
        name = instruction.name
        # A delay counts as far as an operation follows: that one makes the interval longer.
        if name in ("barrier", "delay"):
            continue
        stop = start + duration
        _count(instruction, where, start, stop, 1, gates, reads)
        for site in where:
            if name != "reset":
                living[site] = (living[site][0] if site in living else start, stop)
            elif site in living:
                alive.append((site, *living.pop(site)))
    alive += [(site, *interval) for site, interval in living.items()]
    return Activity(gates=tuple(gates), reads=tuple(reads), alive=tuple(sorted(alive)))


def _count(
    instruction: CircuitInstruction,
    where: Sequence[int],
    start: int,
    stop: int,
    times: int,
    gates: list[tuple[str, int, int, int, int, int]],
    reads: list[tuple[int, int, int, int]],
) -> None:
    name = instruction.name
    if instruction.is_control_flow():
        operation = instruction.operation
        for block in operation.blocks:
            index = {qubit: i for i, qubit in enumerate(block.qubits)}
            for inner in block.data:
                own = [where[index[qubit]] for qubit in inner.qubits]
                _count(inner, own, start, stop, times * rounds_of(operation), gates, reads)
    elif name in ("measure", "reset"):
        reads.append((where[0], start, stop, times))
    elif len(where) == 2 and name != "barrier":
        gates.append((name, where[0], where[1], start, stop, times))
