"""Which qubits a piece holds from when to when."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import Barrier, CircuitInstruction

from qiskit_halo.fragments.timing import Timing
from qiskit_halo.units import round_down


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One qubit held by one piece for an interval.

    Args:
        qubit: Physical qubit.
        start_dt: First tick, from the start of the piece; resets of the piece's own that open it included.
        stop_dt: End of its last operation (half-open).
        resets: How many resets of the piece's own open it; 0 for the first lease that a piece has of a qubit.
    """

    qubit: int
    start_dt: int
    stop_dt: int
    resets: int


def find_leases(
    instructions: Sequence[CircuitInstruction],
    sites: Sequence[tuple[int, ...]],
    timing: Timing,
    physical: Sequence[int],
    *,
    lend: bool,
) -> tuple[Lease, ...]:
    """Return the leases of a piece, by site, then by time.

    A qubit is released by its last operation before a reset of the program's own, or before the end: a measurement or
    anything else. It is taken again by that reset.

    Args:
        instructions: The piece, in order.
        sites: Sites of each instruction.
        timing: When they run.
        physical: Physical qubit of each site.
        lend: Whether the piece gives a qubit away between two of its segments there; if not, it holds it throughout.
    """
    spans: list[list[list[int]]] = [[] for _ in physical]  # per site: [start, stop, resets, whether operations follow]
    for instruction, where, start, duration in zip(
        instructions, sites, timing.start_dt, timing.duration_dt, strict=True
    ):
        is_reset = lend and instruction.name == "reset"
        for site in where:
            own = spans[site]
            if not own or (is_reset and own[-1][3]):
                own.append([start, start + duration, int(is_reset), not is_reset])
                continue
            span = own[-1]
            span[1] = start + duration
            if is_reset:
                span[2] += 1
            else:
                span[3] = True
    return tuple(
        Lease(qubit=physical[site], start_dt=start, stop_dt=stop, resets=resets)
        for site, own in enumerate(spans)
        for start, stop, resets, _ in own
    )


def delay_resets(
    instructions: Sequence[CircuitInstruction], sites: Sequence[tuple[int, ...]], timing: Timing, alignment: int
) -> Timing:
    """Return times in which each reset comes right before what its qubit is reset for.

    Nobody decays meanwhile, and the qubit can be lent in between.
    """
    starts = list(timing.start_dt)
    next_start: dict[int, int] = {}
    for index in range(len(starts) - 1, -1, -1):
        if instructions[index].name == "reset" and sites[index][0] in next_start:
            latest = round_down(next_start[sites[index][0]] - timing.duration_dt[index], alignment)
            starts[index] = max(starts[index], latest)
        next_start.update(dict.fromkeys(sites[index], starts[index]))
    return dataclasses.replace(timing, start_dt=tuple(starts))


def trim_barriers(
    instructions: Sequence[CircuitInstruction],
    sites: Sequence[tuple[int, ...]],
    timing: Timing,
    *,
    front: bool,
) -> tuple[tuple[CircuitInstruction, ...], tuple[tuple[int, ...], ...], Timing]:
    """Return a piece whose barriers hold no qubit that it has released or not taken yet.

    A barrier after a qubit's last operation has nothing to hold there. One before the first has done its work once start
    times are set, if these are sure to be kept (``front``). Barriers left without qubits are dropped.
    """
    if all(instruction.name != "barrier" for instruction in instructions):
        return tuple(instructions), tuple(sites), timing
    live: list[dict[int, None]] = [dict.fromkeys(where) for where in sites]
    _release(instructions, sites, live, range(len(sites) - 1, -1, -1))
    if front:
        _release(instructions, sites, live, range(len(sites)))
    kept = [i for i, instruction in enumerate(instructions) if instruction.name != "barrier" or live[i]]
    trimmed = [_restrict(instructions[i], sites[i], live[i]) for i in kept]
    return (
        tuple(instruction for instruction, _ in trimmed),
        tuple(where for _, where in trimmed),
        Timing(
            start_dt=tuple(timing.start_dt[i] for i in kept),
            duration_dt=tuple(timing.duration_dt[i] for i in kept),
            length_dt=timing.length_dt,
            busy_dt=timing.busy_dt,
        ),
    )


def _release(
    instructions: Sequence[CircuitInstruction],
    sites: Sequence[tuple[int, ...]],
    live: list[dict[int, None]],
    order: range,
) -> None:
    """Take out of each barrier, in place, the sites that no operation of the same segment has come to, in ``order``."""
    held: dict[int, bool] = {}
    for index in order:
        name = instructions[index].name
        for site in sites[index]:
            if name == "barrier":
                if not held.get(site):
                    live[index].pop(site, None)
            else:
                held[site] = name != "reset"


def _restrict(
    instruction: CircuitInstruction, where: tuple[int, ...], live: dict[int, None]
) -> tuple[CircuitInstruction, tuple[int, ...]]:
    if len(live) == len(where):
        return instruction, where
    qubits = [qubit for qubit, site in zip(instruction.qubits, where, strict=True) if site in live]
    return CircuitInstruction(Barrier(len(live), label=instruction.label), qubits, ()), tuple(live)
