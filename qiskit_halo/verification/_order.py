"""In which order to simulate a component: only what its outcomes need, with few live wires at a time."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from qiskit.circuit.classical import expr

from qiskit_halo.verification._components import Component, CutCircuit, step_nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a simulation.

    Args:
        index: Index of the step in the cut circuit.
        read_later: Whether a later step reads the clbit that this one (a measurement) writes.
        ending: Segments that no later step needs.
        retired: Clbits that no later step reads.
        retired_variables: Variables that no later step uses.
    """

    index: int
    read_later: bool
    ending: tuple[int, ...]
    retired: tuple[int, ...]
    retired_variables: tuple[expr.Var, ...]


def plan_component(cut: CutCircuit, component: Component, kept: Sequence[bool]) -> list[PlannedStep]:
    """Order the steps that the kept clbits depend on.

    Steps on disjoint wires and bits commute, and a step after the last one that a kept clbit depends on
    changes no outcome. The order finishes one segment after the other, each time the one that brings the
    fewest new wires to life.
    """
    order = _order(cut, component, kept)
    last_segment: dict[int, int] = {}
    last_read: dict[int, int] = {}
    last_variable: dict[expr.Var, int] = {}
    for place, index in enumerate(order):
        step = cut.steps[index]
        last_segment.update((segment, place) for segment in cut.of_step[index])
        if step.kind != "measure":
            # A block both reads and writes its clbits while it runs, so they stay live until it is done.
            last_read.update((clbit, place) for clbit in (*step.reads, *step.writes))
        last_variable.update((var, place) for var in step.variables)
    plan = []
    for place, index in enumerate(order):
        step = cut.steps[index]
        clbits = dict.fromkeys((*step.reads, *step.writes))
        plan.append(
            PlannedStep(
                index=index,
                read_later=any(last_read.get(clbit, -1) > place for clbit in step.writes),
                ending=tuple(dict.fromkeys(s for s in cut.of_step[index] if last_segment[s] == place)),
                retired=tuple(c for c in clbits if last_read.get(c) == place),
                retired_variables=tuple(v for v in step.variables if last_variable[v] == place),
            )
        )
    return plan


def _order(cut: CutCircuit, component: Component, kept: Sequence[bool]) -> list[int]:
    steps = component.steps
    # Sets of steps are integers used as bit sets: bit i stands for steps[i].
    ancestors: list[int] = []
    latest: dict[Hashable, int] = {}
    needed = 0
    for place, index in enumerate(steps):
        mine = 1 << place
        for node in step_nodes(cut, index):
            if node in latest:
                mine |= ancestors[latest[node]]
            latest[node] = place
        ancestors.append(mine)
        if any(kept[clbit] for clbit in cut.steps[index].writes):
            needed |= mine
    starts = 0
    ends: dict[int, int] = {}
    for place in _members(needed):
        for segment in cut.of_step[steps[place]]:
            if segment not in ends:
                starts |= 1 << place
            ends[segment] = place
    order: list[int] = []
    done = 0
    while ends:
        chosen = min(
            (((ancestors[place] & ~done & starts).bit_count(), (ancestors[place] & ~done).bit_count(), place))
            for place in ends.values()
        )[2]
        missing = ancestors[chosen] & ~done
        order.extend(steps[place] for place in _members(missing))
        done |= missing
        ends = {segment: place for segment, place in ends.items() if not done >> place & 1}
    order.extend(steps[place] for place in _members(needed & ~done))
    return order


def _members(bits: int) -> Iterator[int]:
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low
