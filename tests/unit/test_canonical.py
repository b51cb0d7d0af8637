from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import Barrier, ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr

from qiskit_halo.fragments.canonical import canonical_order
from qiskit_halo.fragments.compact import BLOCK_NAME
from qiskit_halo.fragments.key import structure_key
from qiskit_halo.fragments.renumber import renumber


def canonical(circuit: QuantumCircuit) -> QuantumCircuit:
    order = canonical_order(circuit.data, circuit.qubits, circuit.clbits)
    return renumber(order.instructions, order.qubits, order.clbits, order.variables)[0]


def rings(place: np.ndarray, *sizes: int) -> QuantumCircuit:
    """Rings of pairs, held together by a barrier: each qubit sees the same in all of them, however far it looks."""
    circuit = QuantumCircuit(2 * sum(sizes))
    first = 0
    for size in sizes:
        own = place[first : first + 2 * size].tolist()
        first += 2 * size
        for pair in range(size):
            circuit.cx(own[2 * pair], own[2 * pair + 1])
        for pair in range(size):
            circuit.cx(own[2 * pair + 1], own[(2 * pair + 2) % (2 * size)])
    circuit.append(Barrier(circuit.num_qubits), range(circuit.num_qubits))
    return circuit


def test_where_colours_cannot_tell_bits_apart_walks_do(rng: np.random.Generator):
    keys = {structure_key(canonical(rings(rng.permutation(14), 3, 4))) for _ in range(8)}
    assert len(keys) == 1
    assert keys != {structure_key(canonical(rings(np.arange(14), 2, 5)))}


def test_symmetric_programs_are_one(rng: np.random.Generator):
    keys = set()
    for _ in range(5):
        order = rng.permutation(6).tolist()
        circuit = QuantumCircuit(6, 6)
        for qubit in rng.permutation(6).tolist():
            circuit.h(qubit)
        for place in rng.permutation(5).tolist():
            circuit.cz(order[place], order[place + 1])
        circuit.measure(range(6), rng.permutation(6).tolist())
        keys.add(structure_key(canonical(circuit)))
    # The couplings of a line can be listed in different orders of time: as many keys as there are of those.
    assert len(keys) <= 5


def test_a_number_of_bits_says_nothing():
    one, other = QuantumCircuit(3, 2), QuantumCircuit(3, 2)
    for circuit, (a, b, c), (x, y) in ((one, (0, 1, 2), (0, 1)), (other, (2, 0, 1), (1, 0))):
        circuit.h(a)
        circuit.cx(a, b)
        circuit.barrier()
        circuit.ccx(b, c, a)
        circuit.measure([b, c], [x, y])
        with circuit.if_test((circuit.clbits[x], 1)):
            circuit.cx(c, a)
    assert structure_key(canonical(one)) == structure_key(canonical(other))
    # Which control, and which bit of a register, is not a matter of numbers.
    for change in (lambda c: c.cx(0, 1), lambda c: c.cx(1, 0)):
        changed = one.copy()
        change(changed)
        assert structure_key(canonical(changed)) != structure_key(canonical(one))


def test_nested_blocks_tell_bits_apart_and_come_in_order():
    keys = set()
    for a, b in ((0, 1), (1, 0)):
        circuit = QuantumCircuit(2, 1)
        circuit.h([0, 1])
        circuit.measure(a, 0)
        body = QuantumCircuit(QuantumRegister(2, "secret"), ClassicalRegister(1, "hidden"), name="mine")
        body.x(a)
        body.z(b)
        circuit.if_test((circuit.clbits[0], 1), body, [0, 1], [0])
        out = canonical(circuit)
        keys.add(structure_key(out))
        (block,) = out.data[-1].operation.blocks
        assert (block.name, block.qregs, [register.name for register in block.cregs]) == (BLOCK_NAME, [], [])
    assert len(keys) == 1


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_names_of_parameters_and_variables_do_not_count(names: tuple[str, str]):
    def build(first: str, second: str) -> QuantumCircuit:
        circuit = QuantumCircuit(2, 2)
        flags = [circuit.add_var(f"{name}_flag", False) for name in (first, second)]
        circuit.rx(2 * Parameter(first), 0)
        circuit.rx(3 * Parameter(second), 1)
        circuit.measure([0, 1], [0, 1])
        circuit.store(flags[0], circuit.clbits[0])
        circuit.store(flags[1], expr.bit_or(flags[0], circuit.clbits[1]))
        return circuit

    wanted = canonical_order(*(lambda c: (c.data, c.qubits, c.clbits))(build("x", "y")))
    found = canonical_order(*(lambda c: (c.data, c.qubits, c.clbits))(build(*names)))
    assert [i.name for i in found.instructions] == [i.name for i in wanted.instructions]
    renamed = dict(zip("xy", names, strict=True))
    assert [v.name for v in found.variables] == [f"{renamed[v.name[0]]}_flag" for v in wanted.variables]


def test_nothing_at_all():
    assert canonical_order([], [], []).instructions == ()
