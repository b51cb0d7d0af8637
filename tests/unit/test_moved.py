from __future__ import annotations

from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import ECRGate
from qiskit.transpiler import InstructionProperties

from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.fixed import compact
from qiskit_halo.primitives.moved import find_places
from qiskit_halo.primitives.workload import Kind
from tests.targets import make_target


def kind_of(circuit: QuantumCircuit) -> Kind:
    return Kind(key=circuit.name, circuit=circuit, parameters=(), fixed=True, label=circuit.name)


def places(circuit: QuantumCircuit, count: int, target, **options: object) -> list[tuple[int, ...]]:
    kind = kind_of(circuit)
    return find_places([kind] * count, {kind.key: compact(circuit)}, target, HaloOptions(**options))


def pair(target, first: int, second: int, gate: str = "cz") -> QuantumCircuit:
    circuit = QuantumCircuit(target.num_qubits, 1)
    getattr(circuit, gate)(first, second)
    circuit.measure(first, 0)
    return circuit


def test_copies_go_side_by_side_first():
    target = make_target(6)
    found = places(pair(target, 0, 1), 3, target)
    assert sorted(q for place in found for q in place) == list(range(6))


def test_then_one_after_another_where_they_can_start_soonest():
    target = make_target(2)
    assert places(pair(target, 0, 1), 2, target, success_floor=0.0) in ([(0, 1), (0, 1)], [(0, 1), (1, 0)])


def test_directed_gates_keep_their_direction():
    target = make_target(5, gate=ECRGate, directed=True)
    found = places(pair(target, 2, 3, "ecr"), 2, target)
    assert all(second == first + 1 for first, second in found)


def test_places_below_the_floor_and_excluded_qubits_are_left_out():
    target = make_target(8)
    for pair_ in ((0, 1), (1, 0)):
        target.update_instruction_properties("cz", pair_, InstructionProperties(duration=300e-9, error=0.3))
    found = {tuple(sorted(place)) for place in places(pair(target, 2, 3), 9, target, exclude_qubits=(7,))}
    assert len(found) == 2
    assert found <= {(1, 2), (2, 3), (3, 4), (4, 5), (5, 6)}


def test_a_shape_that_fits_nowhere_else_stays_home():
    target = make_target(4)
    circuit = transpile(QuantumCircuit(4), target=target)
    for qubit in range(3):
        circuit.cz(qubit, qubit + 1)
    circuit.sx(0)  # else the line could be laid the other way round
    found = places(circuit, 2, target)
    assert set(found) <= {(0, 1, 2, 3), (3, 2, 1, 0)}
