from __future__ import annotations

from itertools import pairwise

import pytest
import rustworkx as rx
from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments import lines
from qiskit_halo.fragments.lines import in_line, line_starts, long_line
from qiskit_halo.fragments.parts import Parts
from tests.lattices import heavy_hex, square
from tests.targets import make_target


def graph(size: int, pairs: list[tuple[int, int]]) -> rx.PyGraph:
    made: rx.PyGraph = rx.PyGraph()
    made.add_nodes_from(range(size))
    made.add_edges_from_no_data(pairs)
    return made


@pytest.mark.parametrize(("lattice", "wanted"), [(heavy_hex(5, 11), 40), (square(6, 6), 30)])
def test_a_line_as_long_as_asked_for(lattice: tuple[int, list[tuple[int, int]]], wanted: int):
    size, pairs = lattice
    line = long_line(graph(size, list(pairs)), wanted)
    assert len(line) == len(set(line)) == wanted
    coupled = {frozenset(pair) for pair in pairs}
    assert all(frozenset(step) in coupled for step in pairwise(line))


def test_the_longest_there_is():
    # A comb: three teeth of two on a back of five.
    comb = graph(11, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 5), (5, 6), (2, 7), (7, 8), (4, 9), (9, 10)])
    line = long_line(comb, 11)
    assert line in ([6, 5, 0, 1, 2, 3, 4, 9, 10], [10, 9, 4, 3, 2, 1, 0, 5, 6])
    assert long_line(graph(3, []), 2) == [0]
    assert long_line(graph(0, []), 2) == []


def test_no_more_steps_than_set(monkeypatch: pytest.MonkeyPatch):
    # The first start is in the middle, with three nodes on the longest way from it.
    star = graph(5, [(1, 0), (2, 0), (0, 3), (3, 4)])
    assert len(long_line(star, 5)) == 4
    monkeypatch.setattr(lines, "MOST_STEPS", 0)
    assert len(long_line(star, 5)) == 3


def test_a_line_does_not_turn_where_little_is_left():
    # On from node 1 there is one node on the one side and three on the other.
    forked = graph(6, [(0, 1), (1, 2), (1, 3), (3, 4), (4, 5)])
    assert long_line(forked, 5) == [0, 1, 3, 4, 5]


def test_qubits_that_meet_are_near_each_other():
    circuit = QuantumCircuit(6)
    chain = [3, 0, 5, 1, 4, 2]
    for a, b in pairwise(chain):
        circuit.cx(a, b)
    found = [circuit.find_bit(qubit).index for qubit in in_line(circuit)]
    assert found in (chain, chain[::-1])


def test_meetings_inside_control_flow_count():
    circuit = QuantumCircuit(3, 1)
    circuit.cx(0, 2)
    with circuit.if_test((0, 1)):
        circuit.cx(1, 2)
    found = [circuit.find_bit(qubit).index for qubit in in_line(circuit)]
    assert found in ([0, 2, 1], [1, 2, 0])


def test_circuits_without_meetings():
    assert in_line(QuantumCircuit()) == []
    circuit = QuantumCircuit(2)
    assert set(in_line(circuit)) == set(circuit.qubits)


def test_starts_go_along_the_middle_of_the_line_both_ways():
    qubits = QuantumCircuit(3).qubits
    forth, back = line_starts(qubits, [10, 11, 12, 13, 14])
    assert [forth[qubit] for qubit in qubits] == [11, 12, 13]
    assert [back[qubit] for qubit in qubits] == [13, 12, 11]
    # On a line that is too short the qubits in the middle.
    short, _ = line_starts(qubits, [7])
    assert dict(short.get_virtual_bits()) == {qubits[1]: 7}


def test_the_line_of_a_part_is_told_in_numbers_of_the_part():
    device = DeviceModel(make_target(8, [(0, 7), (7, 2), (2, 5), (5, 6), (1, 3), (3, 4)]))
    part = (0, 2, 5, 7)
    line = Parts(device).line(part, 4)
    assert [part[number] for number in line] in ([0, 7, 2, 5], [5, 2, 7, 0])
