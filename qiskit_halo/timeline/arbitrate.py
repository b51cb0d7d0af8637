"""Give every turn its start time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement.handover import handover_dt
from qiskit_halo.placement.quiet import QuietTimes
from qiskit_halo.timeline.turns import Turn, in_given_order, round_robin
from qiskit_halo.units import round_up

ORDERS: tuple[Callable[[Sequence[Turn]], list[int]], ...] = (in_given_order, round_robin)


def arbitrate(turns: Sequence[Turn], device: DeviceModel, options: HaloOptions) -> tuple[list[int], list[int]]:
    """Return the order in which turns go and the start of each turn, in ticks.

    Each turn starts as soon as all its qubits are free and reset, one after another in the given order and in
    round-robin order; whichever ends first is taken, the given order if both end together. A turn is rigid: it may
    start late, but never waits once it has started.

    Args:
        turns: What wants to run, in the order the circuit has them.
        device: The device: reset lengths, alignment and distances.
        options: ``resets``, ``assume_clean`` and ``buffer`` matter here.

    Returns:
        Indices of turns in the order taken, and the start of each turn by its index.
    """
    best: tuple[int, list[int], list[int]] | None = None
    for make_order in ORDERS:
        order = make_order(turns)
        starts = _starts(turns, order, device, options)
        end = max((s + t.length_dt for s, t in zip(starts, turns, strict=True)), default=0)
        if best is None or end < best[0]:
            best = (end, order, starts)
    return ([], []) if best is None else (best[1], best[2])


def _starts(turns: Sequence[Turn], order: Sequence[int], device: DeviceModel, options: HaloOptions) -> list[int]:
    handover = handover_dt(device, options.resets).tolist()
    free: dict[int, int] = {}
    surroundings = QuietTimes(device, options.buffer)
    starts = [0] * len(turns)
    for index in order:
        turn = turns[index]
        quiet = surroundings.ready_dt(turn.owners)
        start = max((int(quiet[qubit]) for qubit in turn.qubits), default=0)
        for qubit, (busy, _) in zip(turn.qubits, turn.busy_dt, strict=True):
            if qubit in free:
                start = max(start, free[qubit] + handover[qubit] - busy)
            elif not options.assume_clean:
                start = max(start, handover[qubit] - busy)
        start = round_up(start, device.alignment)
        for qubit, (_, stop) in zip(turn.qubits, turn.busy_dt, strict=True):
            free[qubit] = start + stop
        surroundings.add(turn.owners, turn.qubits, start + turn.length_dt)
        starts[index] = start
    return starts
