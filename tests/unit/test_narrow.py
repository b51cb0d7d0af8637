"""Reordering keeps what depends on each other in order, and few qubits alive."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import Clbit

from qiskit_halo.primitives.narrow import LifeKey, StepDraft, _most_open, narrow

LIVES = [LifeKey(wire=wire, rounds=0, reused=False, segment=wire) for wire in range(8)]
BITS = [Clbit() for _ in range(3)]


def step(position: int, *wires: int, bits: Sequence[int] = ()) -> StepDraft:
    lives, resources = tuple(LIVES[w] for w in wires), tuple(BITS[b] for b in bits)
    return StepDraft(position=position, lives=lives, rounds=0, resources=resources)


def keys(one: StepDraft) -> set[object]:
    return {*one.lives, *one.resources}


def test_a_chain_needs_two_at_a_time() -> None:
    """Seven gates in a row from a line, then all measurements: each qubit can end as soon as its last gate is done."""
    gates = [step(k, k, k + 1) for k in range(7)]
    measurements = [step(10 + k, k, bits=[k % 3]) for k in range(8)]
    steps = [*gates, *measurements]
    assert _most_open(steps) == 8
    assert _most_open(narrow(steps)) <= 3, "measurements that share a bit keep their order, which costs one"


def test_the_given_order_stays_where_nothing_is_gained() -> None:
    steps = [step(0, 0, 1), step(1, 0), step(2, 0, bits=[0]), step(3, 1, bits=[1])]
    assert [s.position for s in narrow(steps)] == [0, 1, 2, 3]


def test_steps_that_nothing_follows_are_kept() -> None:
    steps = [step(0, 0, 1), step(1, 1, bits=[0]), step(2, 0), step(3, 2)]
    assert sorted(s.position for s in narrow(steps)) == [0, 1, 2, 3]


@st.composite
def drafts(draw: st.DrawFn) -> list[StepDraft]:
    steps = []
    for position in range(draw(st.integers(1, 14))):
        wires = draw(st.lists(st.integers(0, 5), min_size=0, max_size=3, unique=True))
        bits = draw(st.lists(st.integers(0, 2), min_size=0 if wires else 1, max_size=1))
        steps.append(step(position, *wires, bits=bits))
    return steps


@settings(max_examples=100)
@given(drafts())
def test_what_touches_the_same_keeps_its_order(steps: list[StepDraft]) -> None:
    found = narrow(steps)
    assert sorted(s.position for s in found) == [s.position for s in steps]
    assert _most_open(found) <= _most_open(steps)
    place = {s.position: index for index, s in enumerate(found)}
    for early in steps:
        for late in steps[early.position + 1 :]:
            if keys(early) & keys(late):
                assert place[early.position] < place[late.position]


@settings(max_examples=20)
@given(drafts())
def test_equal_steps_give_equal_orders(steps: list[StepDraft]) -> None:
    assert narrow(steps) == narrow(list(steps))
