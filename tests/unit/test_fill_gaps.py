from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Operator

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.passes.fill_gaps import GapFiller
from tests.targets import make_target

X = 40


def filled(start: int, length: int, *, alive: bool = True, decouple: bool = True, **target: object) -> list[tuple]:
    filler = GapFiller(DeviceModel(make_target(1, **target)), decouple=decouple)
    return [
        (operation.name, begin, operation.duration if operation.name == "delay" else X)
        for operation, begin in filler.fill(0, start, length, alive=alive)
    ]


def test_pulses_stand_a_quarter_from_either_end() -> None:
    assert filled(100, 1080) == [
        ("delay", 100, 250),
        ("x", 350, X),
        ("delay", 390, 500),
        ("x", 890, X),
        ("delay", 930, 250),
    ]


@pytest.mark.parametrize(
    "keywords", [{"alive": False}, {"decouple": False}, {"durations": False}], ids=["in |0>", "off", "no durations"]
)
def test_a_delay_is_enough(keywords: dict[str, object]) -> None:
    assert filled(100, 1080, **keywords) == [("delay", 100, 1080)]


def test_short_gaps_have_no_pulses() -> None:
    assert [name for name, _, _ in filled(0, 6 * X)] == ["delay", "x", "delay", "x", "delay"]
    assert filled(0, 6 * X - 1) == [("delay", 0, 6 * X - 1)]


@given(st.integers(0, 500), st.integers(1, 2000), st.sampled_from([1, 8, 16, 48]))
def test_gaps_are_filled_to_the_tick_on_aligned_pulses_that_cancel(start: int, length: int, alignment: int) -> None:
    at, circuit = start, QuantumCircuit(1)
    for name, begin, duration in filled(start, length, pulse_alignment=alignment):
        assert begin == at
        assert duration > 0
        if name == "x":
            assert begin % alignment == 0
            circuit.x(0)
        at += duration
    assert at == start + length
    assert np.array_equal(Operator(circuit).data, np.eye(2))
