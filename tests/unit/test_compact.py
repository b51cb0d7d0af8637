from __future__ import annotations

from qiskit.circuit import Instruction, Parameter, QuantumCircuit

from qiskit_halo.fragments.compact import BLOCK_NAME, compact, control_flow_names, num_pairs, two_qubit_pairs
from qiskit_halo.fragments.key import structure_key
from qiskit_halo.fragments.measure import sites_of


def test_pairs_in_nested_blocks():
    circuit = QuantumCircuit(4, 1)
    circuit.cx(3, 1)
    circuit.barrier()
    with circuit.while_loop((0, 0)):
        with circuit.if_test((0, 1)):
            circuit.cx(2, 0)
        with circuit.if_test((0, 1)):
            circuit.break_loop()
        circuit.h([0, 1, 2, 3])
    assert list(two_qubit_pairs(circuit)) == [(3, 1), (2, 0)]
    assert num_pairs(circuit) == 2


def test_the_number_of_pairs():
    circuit = QuantumCircuit(3, 1)
    circuit.cx(0, 1)
    circuit.swap(1, 2)
    circuit.barrier()
    circuit.ccx(0, 1, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.append(Instruction("pulse", 2, 0, []), [0, 1])
    assert num_pairs(circuit) == len(list(two_qubit_pairs(circuit))) == 4


def test_names_in_nested_blocks():
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(2)):
        circuit.x(0)
        with circuit.if_test((0, 1)):
            circuit.break_loop()
    assert list(control_flow_names(circuit)) == ["for_loop", "if_else", "break_loop"]


def test_unused_qubits_go_and_everything_else_stays():
    circuit = QuantumCircuit(5, 2, global_phase=0.5)
    flag = circuit.add_var("flag", False)
    circuit.rx(Parameter("angle"), 3)
    circuit.barrier(0, 1, 3)
    circuit.barrier(0, 2)
    circuit.cz(3, 1)
    with circuit.if_test((circuit.clbits[1], 1)):
        circuit.x(1)
    circuit.store(flag, True)
    found = compact(circuit)
    small = found.circuit
    assert found.used == [1, 3]
    assert found.instructions == list(small.data)
    assert found.sites == sites_of(small)
    assert [(i.name, [small.find_bit(q).index for q in i.qubits]) for i in small.data] == [
        ("store", []),
        ("rx", [1]),
        ("barrier", [0, 1]),  # in the order of the original; the one on unused qubits alone has gone
        ("cz", [1, 0]),
        ("if_else", [0]),
        ("store", []),
    ]
    assert (small.global_phase, small.clbits, small.cregs) == (0.5, circuit.clbits, circuit.cregs)
    assert list(small.iter_vars()) == [flag]
    assert small.parameters == circuit.parameters


def test_blocks_have_one_name_however_deep():
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(2)), circuit.if_test((0, 1)):
        circuit.x(0)
    small = compact(circuit).circuit
    (outer,) = small.data[0].operation.blocks
    (inner,) = outer.data[0].operation.blocks
    assert (outer.name, inner.name) == (BLOCK_NAME, BLOCK_NAME)
    assert structure_key(small) == structure_key(circuit)
