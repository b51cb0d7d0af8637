"""The judges judged: exact distributions against brute force and Aer, isolation against planted faults."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit import transpile
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types
from qiskit.circuit.random import random_circuit

from qiskit_halo.errors import IsolationError
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.verification.equivalence import distribution_distance, outcome_distribution, outcome_factors
from qiskit_halo.verification.isolation import find_joined_programs, verify_isolation
from tests.dense_oracle import TooManyBranchesError, brute_force, distance
from tests.strategies import batches, programs


@settings(max_examples=80)
@given(programs())
def test_the_distribution_is_that_of_brute_force(circuit: QuantumCircuit):
    try:
        expected = brute_force(circuit)
    except TooManyBranchesError:
        assume(False)
    assert distance(outcome_distribution(circuit), expected) < 1e-12


@pytest.mark.parametrize("seed", range(60))
def test_classical_control_is_that_of_brute_force(seed: int):
    circuit = dynamic_circuit(random.Random(seed))
    try:
        expected = brute_force(circuit)
    except TooManyBranchesError:
        pytest.skip("too many branches for brute force")
    assert distance(outcome_distribution(circuit), expected) < 1e-11


@pytest.mark.parametrize("seed", range(8))
def test_the_distribution_is_that_of_aer(seed: int):
    aer = pytest.importorskip("qiskit_aer")
    circuit = random_circuit(4, 6, max_operands=3, measure=True, conditional=True, reset=True, seed=seed)
    shots = 20_000
    backend = aer.AerSimulator(seed_simulator=seed)
    counts = backend.run(transpile(circuit, backend, seed_transpiler=1), shots=shots).result().get_counts()
    sampled = {key.replace(" ", ""): count / shots for key, count in counts.items()}
    exact = outcome_distribution(circuit)
    # Weissman et al. 2003: false alarm in one of 1e9 runs.
    tolerance = math.sqrt((len(exact) * math.log(2) + math.log(1e9)) / (2 * shots))
    assert distance(sampled, exact) < tolerance


@settings(max_examples=40)
@given(programs())
def test_the_factors_multiply_to_the_joint_distribution(circuit: QuantumCircuit):
    factors = outcome_factors(circuit)
    joint = outcome_distribution(circuit)
    assert math.isclose(sum(joint.values()), 1.0, abs_tol=1e-12)
    places = [place for factor in factors for place in factor.places]
    assert len(places) == len(set(places))
    assert len(joint) == math.prod(len(factor.probabilities) for factor in factors)


@settings(max_examples=40)
@given(batches(), st.data())
def test_a_changed_program_is_seen(batch: list[QuantumCircuit], data: st.DataObject):
    index = data.draw(st.integers(0, len(batch) - 1))
    mpc = MultiProgramCircuit(batch)
    changed = batch[index].copy()
    changed.x(0)
    changed.measure(0, 0)
    exact = distance(outcome_distribution(changed), outcome_distribution(batch[index]))
    bound = distribution_distance(changed, mpc.circuit, index)
    assert exact - 1e-12 <= bound
    assert (bound < 1e-12) == (exact < 1e-12)


@settings(max_examples=60)
@given(batches())
def test_merged_and_folded_circuits_are_isolated(batch: list[QuantumCircuit]):
    mpc = MultiProgramCircuit(batch)
    assert verify_isolation(mpc.circuit).joined == ()
    folded = mpc.fold(max(circuit.num_qubits for circuit in batch))
    report = verify_isolation(folded)
    assert set(report.programs) <= set(range(len(batch)))


@settings(max_examples=60)
@given(batches(), st.data())
def test_a_gate_between_two_programs_is_seen(batch: list[QuantumCircuit], data: st.DataObject):
    assume(len(batch) > 1)
    circuit = MultiProgramCircuit(batch).circuit.copy()
    one, two = data.draw(st.permutations(range(len(batch))))[:2]
    wires = {k: [q for r in circuit.qregs if r.name.startswith(f"p{k}_") for q in r] for k in (one, two)}
    qubits = [data.draw(st.sampled_from(wires[one])), data.draw(st.sampled_from(wires[two]))]
    clbits = [next(c for r in circuit.cregs if r.name.startswith(f"p{k}_") for c in r) for k in (one, two)]
    circuit.cx(*qubits)
    circuit.measure(qubits, clbits)
    with pytest.raises(IsolationError, match=r"\(cx\) on qubits"):
        verify_isolation(circuit)
    assert find_joined_programs(circuit) == ((min(one, two), max(one, two)),)


def dynamic_circuit(draw: random.Random) -> QuantumCircuit:
    """A random circuit full of classical control: nested branches, loops with jumps, expressions, variables."""
    num_qubits = draw.randint(1, 3)
    c, e = ClassicalRegister(2, "c"), ClassicalRegister(2, "e")
    circuit = QuantumCircuit(QuantumRegister(num_qubits, "q"), c, e)
    number = circuit.add_var("number", expr.lift(draw.randrange(4), types.Uint(3)))
    flag = circuit.add_var("flag", draw.random() < 0.5)

    def condition(depth: int = 0) -> Any:
        bit = draw.choice(circuit.clbits)
        choices = [
            lambda: expr.lift(bit),
            lambda: expr.equal(c, draw.randrange(4)),
            lambda: expr.less(number, draw.randrange(1, 8)),
            lambda: flag,
            lambda: expr.bit_xor(bit, draw.choice(circuit.clbits)),
            lambda: expr.not_equal(expr.bit_and(c, e), 0),
            lambda: expr.index(e, draw.randrange(2)),
            lambda: expr.greater(expr.shift_left(e, 1), c),
        ]
        if depth < 2:
            choices.append(lambda: expr.logic_and(condition(depth + 1), condition(depth + 1)))
            choices.append(lambda: expr.logic_not(condition(depth + 1)))
        return draw.choice(choices)()

    def plain() -> None:
        qubit, kind = draw.randrange(num_qubits), draw.randrange(8)
        if kind < 3:
            getattr(circuit, draw.choice(["h", "t", "sx"]))(qubit)
        elif kind == 3 and num_qubits > 1:
            getattr(circuit, draw.choice(["cx", "ecr", "swap"]))(*draw.sample(range(num_qubits), 2))
        elif kind < 6:
            circuit.measure(qubit, draw.choice(circuit.clbits))
        elif kind == 6:
            circuit.reset(qubit)
        elif draw.random() < 0.4:
            circuit.store(number, expr.add(number, expr.lift(draw.randrange(3), types.Uint(3))))
        elif draw.random() < 0.5:
            circuit.store(flag, condition())
        else:
            circuit.store(expr.index(e, draw.randrange(2)), expr.lift(draw.choice(circuit.clbits)))

    def block(depth: int, length: int) -> None:
        for _ in range(length):
            kind = draw.randrange(10) if depth < 2 else 0
            if kind < 6:
                plain()
            elif kind == 6:
                with circuit.if_test(condition()) as otherwise:
                    block(depth + 1, 3)
                if draw.random() < 0.5:
                    with otherwise:
                        block(depth + 1, 2)
            elif kind == 7:
                with circuit.switch(draw.choice([c, number, circuit.clbits[0]])) as case:
                    with case(0):
                        block(depth + 1, 2)
                    with case(1):
                        block(depth + 1, 2)
                    if draw.random() < 0.5:
                        with case(case.DEFAULT):
                            block(depth + 1, 2)
            elif kind == 8:
                with circuit.for_loop(range(draw.randint(1, 3))) as index:
                    circuit.rx(0.5 * index, 0)
                    block(depth + 1, 2)
                    if draw.random() < 0.5:
                        with circuit.if_test(condition()):
                            circuit.break_loop() if draw.random() < 0.5 else circuit.continue_loop()
                    block(depth + 1, 1)
            else:
                stop = draw.choice(circuit.clbits)
                circuit.reset(0)
                with circuit.while_loop((stop, 0)):
                    circuit.x(0)
                    block(depth + 1, 1)
                    circuit.reset(0)
                    circuit.x(0)
                    circuit.measure(0, stop)

    block(0, draw.randint(5, 14))
    for qubit in range(num_qubits):
        circuit.measure(qubit, draw.choice(circuit.clbits))
    return circuit
