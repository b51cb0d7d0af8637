"""How to simulate one component alone: which of its operations matter, in which order, on how few qubits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import QuantumCircuit

from qiskit_halo.primitives.narrow import LifeKey, StepDraft, narrow
from qiskit_halo.segments.find import Segmentation
from qiskit_halo.segments.resources import classical_resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What happens on a wire before a segment.

    Args:
        rounds: Resets since the last operation other than a delay.
        previous: Component of the last segment whose component does more than wait, or ``None`` if there is none.
    """

    rounds: int
    previous: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A stretch of a wire with a state of its own, which nothing of its component's past can reach.

    Args:
        wire: Index of the wire in the circuit.
        slot: Qubit of the simulation that carries it; several lives may follow each other on one slot.
        rounds: Resets before it.
        reused: Whether somebody else's qubit state went before those resets.
    """

    wire: int
    slot: int
    rounds: int
    reused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do in the simulation.

    Args:
        position: Position of the operation in the circuit, or ``None`` for ``rounds`` resets of one life.
        lives: Indices of the lives it acts on, in the order of the operation's qubits.
        rounds: Number of resets; 0 for an operation.
        first: Those of ``lives`` that it begins.
        last: Whether it ends every one of them.
    """

    position: int | None
    lives: tuple[int, ...]
    rounds: int
    first: tuple[int, ...]
    last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPlan:
    """A component, ready to be written as a circuit of its own.

    Args:
        steps: In the order of the simulation.
        lives: Every life, by first step.
        num_slots: Qubits of the simulation.
        exclusive: Slot -> wire for the lives that are measured and used again; no other life shares their slot.
    """

    steps: tuple[Step, ...]
    lives: tuple[Life, ...]
    num_slots: int
    exclusive: dict[int, int]


def find_openings(circuit: QuantumCircuit, segmentation: Segmentation) -> tuple[Opening, ...]:
    """Return the opening of each segment.

    A segment of a component that only waits (a delay between two resets) belongs to nobody: it is passed over, and
    the resets on both of its sides count together. A component may share a stretch with its own delays between
    resets; such a segment is part of it like any other.
    """
    waits = [
        all(circuit.data[position].name == "delay" for position in component.operations)
        for component in segmentation.components
    ]
    openings: list[Opening] = []
    wire, rounds, previous = -1, 0, None
    for segment in segmentation.segments:
        if segment.wire != wire:
            wire, rounds, previous = segment.wire, 0, None
        rounds += len(segment.resets)
        openings.append(Opening(rounds=rounds, previous=previous))
        if not waits[segment.component]:
            rounds, previous = 0, segment.component
    return tuple(openings)


def plan_component(
    circuit: QuantumCircuit,
    segmentation: Segmentation,
    openings: Sequence[Opening],
    index: int,
    *,
    noisy: bool,
    fold_above: int,
) -> ComponentPlan:
    """Plan the simulation of component ``index`` by itself.

    Operations that reach no classical bit are left out: leaving them out is a partial trace, which changes no
    measured bit. If more than ``fold_above`` qubits remain, operations are reordered, within what their order on
    wires and classical bits allows, so that few qubits are alive at a time, and qubits that have ended are used
    again: a simulation costs memory and time exponential in the qubits it holds, and helper qubits live shortly.

    Args:
        circuit: The whole circuit.
        segmentation: Its segments and components.
        openings: What :func:`find_openings` found.
        index: Index of the component.
        noisy: Whether resets fail. If they do not, every reset begins a new life.
        fold_above: Most qubits to simulate without reordering.
    """
    draft = _draft_steps(circuit, segmentation, openings, index, noisy=noisy)
    draft = _drop_unmeasured(draft)
    kept = dict.fromkeys(life for step in draft for life in step.lives)
    if len(kept) > fold_above:
        draft = narrow(draft)
    exclusive = _measured_and_used_again(circuit, draft) if noisy else {}
    return _assign_slots(draft, share=len(kept) > fold_above, exclusive=exclusive)


def _draft_steps(
    circuit: QuantumCircuit,
    segmentation: Segmentation,
    openings: Sequence[Opening],
    index: int,
    *,
    noisy: bool,
) -> list[StepDraft]:
    """Return the component's steps in the order of the circuit, with resets where its own state runs into them."""
    component = segmentation.components[index]
    opened_at: dict[tuple[int, int], int] = {}
    for number in component.segments:
        segment = segmentation.segments[number]
        opened_at[segment.wire, segment.operations[0]] = number
    wire_of = {qubit: wire for wire, qubit in enumerate(circuit.qubits)}
    current: dict[int, LifeKey] = {}
    steps: list[StepDraft] = []
    for position in component.operations:
        instruction = circuit.data[position]
        wires = [wire_of[qubit] for qubit in instruction.qubits]
        for wire in wires:
            number = opened_at.get((wire, position), -1)
            if number < 0:
                continue
            opening = openings[number]
            if noisy and wire in current and opening.previous == index:
                resets = StepDraft(position=None, lives=(current[wire],), rounds=opening.rounds, resources=())
                steps.append(resets)
                continue
            reused = opening.previous is not None
            current[wire] = LifeKey(wire=wire, rounds=opening.rounds, reused=reused, segment=number)
        resources = () if instruction.operation.name == "delay" else tuple(classical_resources(instruction))
        lives = tuple(current[wire] for wire in wires)
        steps.append(StepDraft(position=position, lives=lives, rounds=0, resources=resources))
    return steps


def _drop_unmeasured(steps: list[StepDraft]) -> list[StepDraft]:
    """Return the steps that some classical bit can depend on."""
    live: set[LifeKey] = set()
    kept: list[StepDraft] = []
    for step in reversed(steps):
        if step.resources or any(life in live for life in step.lives):
            live.update(step.lives)
            kept.append(step)
    return kept[::-1]


def _measured_and_used_again(circuit: QuantumCircuit, steps: list[StepDraft]) -> dict[LifeKey, None]:
    """Return the lives that go on after a measurement, or are measured inside control flow."""
    measured: dict[LifeKey, None] = {}
    found: dict[LifeKey, None] = {}
    for step in steps:
        found.update(dict.fromkeys(life for life in step.lives if life in measured))
        if step.position is None:
            continue
        instruction = circuit.data[step.position]
        if instruction.operation.name == "measure":
            measured.update(dict.fromkeys(step.lives))
        elif instruction.clbits:
            found.update(dict.fromkeys(step.lives))
    return found


def _assign_slots(steps: list[StepDraft], *, share: bool, exclusive: dict[LifeKey, None]) -> ComponentPlan:
    last_step = {life: number for number, step in enumerate(steps) for life in step.lives}
    index_of: dict[LifeKey, int] = {}
    slot_of: dict[LifeKey, int] = {}
    free: list[int] = []
    num_slots = 0
    planned: list[Step] = []
    for number, step in enumerate(steps):
        first = [life for life in step.lives if life not in index_of]
        for life in first:
            index_of[life] = len(index_of)
            if free and life not in exclusive:
                slot_of[life] = free.pop()
            else:
                slot_of[life] = num_slots
                num_slots += 1
        ended = [life for life in step.lives if last_step[life] == number]
        if share:
            free.extend(slot_of[life] for life in ended if life not in exclusive)
        planned.append(
            Step(
                position=step.position,
                lives=tuple(index_of[life] for life in step.lives),
                rounds=step.rounds,
                first=tuple(index_of[life] for life in first),
                last=len(ended) == len(step.lives),
            )
        )
    lives = tuple(Life(wire=life.wire, slot=slot_of[life], rounds=life.rounds, reused=life.reused) for life in index_of)
    return ComponentPlan(
        steps=tuple(planned),
        lives=lives,
        num_slots=num_slots,
        exclusive={slot_of[life]: life.wire for life in index_of if life in exclusive},
    )
