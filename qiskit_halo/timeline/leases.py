"""Which qubits a piece holds from when to when."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from qiskit.circuit import Barrier, CircuitInstruction

from qiskit_halo.fragments.timing import Timing
from qiskit_halo.segments.resources import classical_resources
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
    held: Sequence[tuple[int, ...]],
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
        held: Sites that each instruction holds: its own, barriers trimmed.
        timing: When they run.
        physical: Physical qubit of each site.
        lend: Whether the piece gives a qubit away between two of its segments there; if not, it holds it throughout.
    """
    spans: list[list[list[int]]] = [[] for _ in physical]  # per site: [start, stop, resets, whether operations follow]
    for instruction, where, start, duration in zip(
        instructions, held, timing.start_dt, timing.duration_dt, strict=True
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


def find_needs(
    instructions: Sequence[CircuitInstruction], sites: Sequence[tuple[int, ...]], held: Sequence[tuple[int, ...]]
) -> list[int]:
    """Return for each lease, in the order of :func:`find_leases` with ``lend``, the leases that its end depends on.

    Sets are bit sets: bit i stands for lease i, and each lease is in its own.
    """
    num_sites = 1 + max((site for where in sites for site in where), default=-1)
    keys: list[list[int]] = [[] for _ in range(num_sites)]  # per site: its leases, numbered as they come
    begun = [False] * num_sites
    known: dict[Hashable, int] = {}
    needs: list[int] = []
    for instruction, where, holds in zip(instructions, sites, held, strict=True):
        is_reset = instruction.name == "reset"
        together = 0
        resources = (*where, *classical_resources(instruction))
        for site in holds:
            if not keys[site] or (is_reset and begun[site]):
                keys[site].append(len(needs))
                needs.append(0)
                begun[site] = False
            begun[site] |= not is_reset
            together |= 1 << keys[site][-1]
        for resource in resources:
            together |= known.get(resource, 0)
        for resource in resources:
            known[resource] = together
        for site in holds:
            needs[keys[site][-1]] = together
    number = {key: index for index, key in enumerate(key for own in keys for key in own)}
    return [
        sum(1 << number[other] for other in range(len(needs)) if needs[key] >> other & 1) for own in keys for key in own
    ]


def delay_resets(
    instructions: Sequence[CircuitInstruction], held: Sequence[tuple[int, ...]], timing: Timing, alignment: int
) -> Timing:
    """Return times in which each reset comes right before what its qubit is reset for.

    Nobody decays meanwhile, and the qubit can be lent in between.
    """
    if all(instruction.name != "reset" for instruction in instructions):
        return timing
    starts = list(timing.start_dt)
    next_start: dict[int, int] = {}
    for index in range(len(starts) - 1, -1, -1):
        if instructions[index].name == "reset" and held[index][0] in next_start:
            latest = round_down(next_start[held[index][0]] - timing.duration_dt[index], alignment)
            starts[index] = max(starts[index], latest)
        next_start.update(dict.fromkeys(held[index], starts[index]))
    return dataclasses.replace(timing, start_dt=tuple(starts))


def trim_barriers(
    instructions: Sequence[CircuitInstruction], sites: Sequence[tuple[int, ...]], *, front: bool
) -> list[tuple[int, ...]]:
    """Return the sites that each instruction holds: all of its own, but of a barrier only those that are in use.

    A barrier after a qubit's last operation has nothing to hold there. One before the first has done its work once start
    times are set, if these are sure to be kept (``front``).
    """
    if all(instruction.name != "barrier" for instruction in instructions):
        return list(sites)
    live: list[dict[int, None]] = [dict.fromkeys(where) for where in sites]
    _release(instructions, sites, live, range(len(sites) - 1, -1, -1))
    if front:
        _release(instructions, sites, live, range(len(sites)))
    return [tuple(own) for own in live]


def restrict_barrier(
    instruction: CircuitInstruction, where: tuple[int, ...], held: tuple[int, ...]
) -> CircuitInstruction:
    """Return a barrier on those of its sites that it holds; anything else as it is."""
    if len(held) == len(where):
        return instruction
    qubits = [qubit for qubit, site in zip(instruction.qubits, where, strict=True) if site in held]
    return CircuitInstruction(Barrier(len(held), label=instruction.label), qubits, ())


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
