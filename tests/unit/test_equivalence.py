"""Exact distributions: values, keys, matching to a merged circuit, limits and errors."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, Clbit, Instruction, Parameter, QuantumCircuit, QuantumRegister, Qubit
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import CRYGate, HGate, PauliEvolutionGate, PermutationGate, QFTGate
from qiskit.quantum_info import Operator, SparsePauliOp, Statevector

from qiskit_halo.errors import HaloValueError
from qiskit_halo.verification._ensemble import Ensemble
from qiskit_halo.verification._ledger import Ledger
from qiskit_halo.verification._merge import equal_branches, factor_out
from qiskit_halo.verification.equivalence import distribution_distance, outcome_distribution, outcome_factors


def ghz(num_qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, num_qubits)
    circuit.h(0)
    for qubit in range(num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def merged_pair() -> QuantumCircuit:
    """Program 0 tosses two fair coins, program 1 is certain; program 1 reuses a wire of program 0."""
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "p0_c"), ClassicalRegister(2, "p1_c"))
    circuit.h([0, 1])
    circuit.measure([0, 1], [0, 1])
    circuit.reset(0)
    circuit.x(0)
    circuit.measure(0, 3)
    return circuit


def test_clbit_zero_is_rightmost():
    circuit = QuantumCircuit(2, 3)
    circuit.x(0)
    circuit.measure(0, 1)
    assert outcome_distribution(circuit) == {"010": pytest.approx(1)}


def test_registers_come_in_the_order_asked_for_first_one_rightmost():
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(2, "a"), ClassicalRegister(1, "b"))
    circuit.x(0)
    circuit.measure(0, 2)
    assert list(outcome_distribution(circuit, registers=["a", "b"])) == ["100"]
    assert list(outcome_distribution(circuit, registers=["b", "a"])) == ["001"]


def test_registers_that_share_bits_repeat_them():
    bits = [Clbit(), Clbit()]
    circuit = QuantumCircuit([Qubit()], bits)
    circuit.add_register(ClassicalRegister(bits=bits, name="c"), ClassicalRegister(bits=bits[1:], name="alias"))
    circuit.x(0)
    circuit.measure(0, 0)
    assert list(outcome_distribution(circuit, registers=["c", "alias"])) == ["001"]


def test_a_program_has_only_its_own_clbits():
    circuit = merged_pair()
    assert outcome_distribution(circuit, program=0) == pytest.approx(dict.fromkeys(["00", "01", "10", "11"], 0.25))
    assert outcome_distribution(circuit, program=1) == pytest.approx({"10": 1.0})
    with pytest.raises(HaloValueError, match="no classical register of program 2"):
        outcome_distribution(circuit, program=2)


def test_clbits_in_no_named_register_are_the_unnamed_program():
    circuit = QuantumCircuit([Qubit(), Clbit()], ClassicalRegister(1, "p0_c"))
    circuit.x(0)
    circuit.measure(0, 0)
    assert list(outcome_distribution(circuit, program=-1)) == ["1"]


def test_a_register_that_does_not_exist_is_named():
    with pytest.raises(HaloValueError, match="no classical register 'd'; it has c"):
        outcome_distribution(QuantumCircuit(1, 1), registers=["d"])
    with pytest.raises(HaloValueError, match="not both"):
        outcome_distribution(QuantumCircuit(1, 1), registers=["c"], program=0)


def test_a_circuit_without_clbits_has_one_empty_outcome():
    circuit = QuantumCircuit(1)
    circuit.h(0)
    assert outcome_distribution(circuit) == {"": 1.0}


def test_probabilities_are_those_of_the_statevector():
    circuit = QuantumCircuit(3)
    circuit.append(QFTGate(3), [2, 0, 1])
    circuit.rzx(1.1, 1, 2)
    circuit.append(PermutationGate([2, 0, 1]), [0, 1, 2])
    circuit.ccx(0, 1, 2, ctrl_state=1)
    circuit.cp(0.4, 2, 0)
    expected = Statevector(circuit).probabilities_dict()
    circuit.measure_all()
    found = outcome_distribution(circuit)
    assert sum(abs(found.get(key, 0) - expected.get(key, 0)) for key in {**found, **expected}) < 1e-13


def test_a_pauli_evolution_is_what_its_synthesis_runs():
    """Terms that do not commute: the compiled circuit is a product formula, not the exact exponential."""
    gate = PauliEvolutionGate(SparsePauliOp(["XI", "ZZ", "YX"], [0.7, 0.9, 0.4]), time=1.1)
    circuit = QuantumCircuit(2, 2)
    circuit.append(gate, [0, 1])
    circuit.measure([0, 1], [0, 1])
    opened = QuantumCircuit(2, 2)
    opened.compose(gate.definition, inplace=True)
    opened.measure([0, 1], [0, 1])
    assert outcome_distribution(circuit) == pytest.approx(outcome_distribution(opened))


def test_a_wide_gate_is_opened():
    circuit = QuantumCircuit(9, 9)
    circuit.x(range(8))
    circuit.mcx(list(range(8)), 8)
    circuit.initialize([0, 1], 0)
    circuit.measure(range(9), range(9))
    assert list(outcome_distribution(circuit)) == ["1" * 9]


def test_seventy_entangled_wires_are_cheap_while_few_branches_differ():
    # One pass over the wires: each is measured before the next one is born.
    assert outcome_distribution(chain(70)) == pytest.approx({"0" * 70: 0.5, "1" * 70: 0.5})


def chain(length: int) -> QuantumCircuit:
    circuit = QuantumCircuit(length, length)
    circuit.h(0)
    for qubit in range(length - 1):
        circuit.cx(qubit, qubit + 1)
        circuit.measure(qubit, qubit)
    circuit.measure(length - 1, length - 1)
    return circuit


def test_wires_that_are_uncomputed_leave_their_group():
    """Thirty wires that all wait for the last operation, entangled with the counter one after the other and undone."""
    circuit = QuantumCircuit(31, 31)
    for qubit in range(30):
        circuit.h(qubit)
        circuit.cx(qubit, 30)
        circuit.cx(qubit, 30)
        circuit.h(qubit)
    for qubit in range(30):
        circuit.cx(30, qubit)
    circuit.measure(range(31), range(31))
    assert outcome_distribution(circuit, max_qubits=3) == {"0" * 31: pytest.approx(1)}


def test_operations_that_no_outcome_depends_on_are_skipped():
    circuit = QuantumCircuit(3, 1)
    circuit.rx(Parameter("free"), 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.cx(1, 2)
    assert outcome_distribution(circuit) == pytest.approx({"0": 0.5, "1": 0.5})


def test_an_overwritten_clbit_keeps_the_last_value():
    circuit = QuantumCircuit(2, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.measure(1, 0)
    assert outcome_distribution(circuit) == pytest.approx({"0": 1.0})


def test_a_clbit_that_is_overwritten_and_then_read_has_the_new_value():
    circuit = QuantumCircuit(3, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.measure(1, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(2)
    circuit.measure(2, 1)
    assert outcome_distribution(circuit) == pytest.approx({"00": 1.0})


def test_the_last_of_several_measurements_into_one_clbit_wins():
    circuit = QuantumCircuit(3, 1)
    circuit.h(0)
    circuit.cx(0, 2)
    circuit.measure([0, 1, 2], [0, 0, 0])
    assert outcome_distribution(circuit) == pytest.approx({"0": 0.5, "1": 0.5})


def test_a_read_clbit_that_is_overwritten_still_decides():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(1)
    circuit.reset(0)
    circuit.measure(0, 0)
    circuit.measure(1, 1)
    assert outcome_distribution(circuit) == pytest.approx({"00": 0.5, "10": 0.5})


def test_independent_components_are_factors():
    circuit = QuantumCircuit(3, 3)
    circuit.h([0, 1])
    circuit.cx(1, 2)
    circuit.measure(range(3), range(3))
    first, second = outcome_factors(circuit)
    assert (first.places, second.places) == ((0,), (1, 2))
    assert second.words.ravel().tolist() == [0b000, 0b110]
    np.testing.assert_allclose(second.probabilities, [0.5, 0.5])


def test_distance_between_a_program_and_its_place_in_a_merged_circuit():
    coins = QuantumCircuit(2, 2)
    coins.h([0, 1])
    coins.measure([0, 1], [0, 1])
    assert distribution_distance(coins, merged_pair(), 0) < 1e-15
    biased = QuantumCircuit(2, 2)
    biased.h(0)
    biased.measure([0, 1], [0, 1])
    assert distribution_distance(biased, merged_pair(), 0) == pytest.approx(0.5)


def test_distance_is_exact_where_one_circuit_correlates_what_the_other_does_not():
    coins = merged_pair()
    assert distribution_distance(ghz(2), coins, 0) == pytest.approx(0.5)
    correlated = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "p0_c"))
    correlated.compose(ghz(2), inplace=True)
    independent = QuantumCircuit(2, 2)
    independent.h([0, 1])
    independent.measure([0, 1], [0, 1])
    assert distribution_distance(independent, correlated, 0) == pytest.approx(0.5)


def test_distance_of_independent_groups_is_a_bound():
    circuit = QuantumCircuit(2, 2)
    circuit.rx(1.0, [0, 1])
    circuit.measure([0, 1], [0, 1])
    each = abs(np.cos(0.5) ** 2 - 0.5)
    assert distribution_distance(circuit, merged_pair(), 0) == pytest.approx(1 - (1 - each) ** 2)


def test_metadata_says_where_the_bits_are():
    user = QuantumCircuit([Qubit(), Clbit()], ClassicalRegister(2, "c"))
    user.x(0)
    user.measure(0, 2)
    user.measure(0, 0)
    merged = QuantumCircuit([Qubit()], ClassicalRegister(2, "p0_other"), ClassicalRegister(1, "p0_loose_1"))
    merged.x(0)
    merged.measure(0, 0)
    merged.measure(0, 2)
    entry = {
        "index": 0,
        "registers": [{"name": "c", "size": 2, "bits": [["p0_other", 1], ["p0_other", 0]]}],
        "merged_registers": [["p0_other", 2], ["p0_loose_1", 1]],
    }
    merged.metadata = {"halo": {"version": 1, "programs": [entry]}}
    assert distribution_distance(user, merged, 0) < 1e-15
    entry["registers"][0]["bits"].reverse()
    assert distribution_distance(user, merged, 0) == pytest.approx(1)


def test_a_missing_register_of_the_program_is_named():
    with pytest.raises(HaloValueError, match="program 3 needs bit 0 of register 'p3_c', which is missing"):
        distribution_distance(ghz(2), merged_pair(), 3)
    with pytest.raises(HaloValueError, match="bit 2 of register 'p0_c', which is 2 bits wide"):
        distribution_distance(ghz(3), merged_pair(), 0)


def test_twenty_four_uniform_outcomes_a_factor_need_no_product():
    circuit = QuantumCircuit(QuantumRegister(40), ClassicalRegister(40, "p0_c"))
    circuit.h(range(40))
    circuit.measure(range(40), range(40))
    own = QuantumCircuit(40, 40)
    own.h(range(40))
    own.measure(range(40), range(40))
    assert distribution_distance(own, circuit, 0) < 1e-12
    with pytest.raises(HaloValueError, match=f"has {2**40} outcomes where {2**24} are allowed"):
        outcome_distribution(circuit)


def test_an_unbound_parameter_is_named():
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.rx(Parameter("theta"), 0)
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match=r"operation 1 \(rx\) has the unbound parameter theta; assign a value"):
        outcome_distribution(circuit)


def test_an_opaque_instruction_is_named():
    circuit = QuantumCircuit(1, 1)
    circuit.append(Instruction("magic", 1, 0, []), [0])
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match=r"operation 0 \(magic\) has no matrix and no definition"):
        outcome_distribution(circuit)


def test_limits_are_named_with_the_qubits():
    circuit = QuantumCircuit(4, 4)
    circuit.h(range(4))
    for qubit in range(3):
        circuit.cry(0.4, qubit, qubit + 1)
    circuit.cry(0.4, 3, 0)
    circuit.measure(range(4), range(4))
    with pytest.raises(HaloValueError, match=r"needs 8 amplitudes .* component on qubits 0, 1, 2, 3"):
        outcome_distribution(circuit, max_qubits=2)
    with pytest.raises(HaloValueError, match="raise max_outcomes"):
        outcome_distribution(circuit, max_outcomes=7)


def test_a_loop_that_never_ends_is_named():
    circuit = QuantumCircuit(1, 1)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.h(0)
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match=r"operation 0 \(while_loop\) has not ended after 7 rounds"):
        outcome_distribution(circuit, max_iterations=7)


def test_a_loop_that_ends_almost_surely_is_summed_up():
    circuit = QuantumCircuit(1, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.h(0)
        circuit.measure(0, 0)
        circuit.measure(0, 1)
    assert outcome_distribution(circuit) == pytest.approx({"00": 1.0})


def test_such_a_loop_may_entangle_wires():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.reset([0, 1])
        circuit.h(0)
        circuit.cx(0, 1)
        circuit.measure(0, 0)
        circuit.measure(0, 0)
    circuit.measure([0, 1], [0, 1])
    assert outcome_distribution(circuit) == pytest.approx({"00": 1.0})


def test_a_variable_without_a_value_is_named():
    circuit = QuantumCircuit(1, 1)
    flag = expr.Var.new("flag", types.Bool())
    circuit.add_uninitialized_var(flag)
    with circuit.if_test(flag):
        circuit.x(0)
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match="reads the variable 'flag' before it has a value"):
        outcome_distribution(circuit)


def test_unsigned_arithmetic_wraps_and_bits_of_variables_can_be_set():
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(3, "c"))
    number = circuit.add_var("number", expr.lift(6, types.Uint(3)))
    circuit.store(number, expr.add(number, expr.lift(3, types.Uint(3))))  # 1
    circuit.store(expr.index(number, 2), expr.lift(True))  # 5
    circuit.store(expr.index(number, 0), expr.lift(False))  # 4
    circuit.store(circuit.cregs[0], expr.bit_xor(number, expr.lift(1, types.Uint(3))))
    assert outcome_distribution(circuit) == {"101": 1.0}


def test_boxes_and_composite_instructions_are_opened():
    inner = QuantumCircuit(2, 1)
    inner.x(0)
    inner.reset(1)
    inner.measure(0, 0)
    circuit = QuantumCircuit(3, 2)
    circuit.x(2)
    circuit.append(inner.to_instruction(), [1, 2], [1])
    with circuit.box():
        circuit.measure(2, 0)
    assert outcome_distribution(circuit) == {"10": pytest.approx(1)}


def test_long_repetition_with_equal_branches_stays_small():
    """Forty syndrome rounds: 2**40 paths, but two states."""
    circuit = QuantumCircuit(3, 1)
    circuit.h([0, 1])
    for _ in range(40):
        circuit.cx(0, 2)
        circuit.cx(1, 2)
        circuit.measure(2, 0)
        circuit.reset(2)
        circuit.h([0, 1])
    circuit.measure(0, 0)
    assert outcome_distribution(circuit, max_outcomes=64) == pytest.approx({"0": 0.5, "1": 0.5})


def test_repeated_measurement_of_one_wire_stays_small():
    circuit = QuantumCircuit(1, 1)
    for _ in range(40):
        circuit.h(0)
        circuit.measure(0, 0)
    assert outcome_distribution(circuit, max_outcomes=8) == pytest.approx({"0": 0.5, "1": 0.5})


def test_a_wire_is_factored_out_only_if_it_is_unentangled_in_every_branch():
    small, large = np.array([0.6, 0.8j]), np.array([0.8, 0.36 + 0.48j])
    other = np.array([0.5, 0.5j, -0.5, 0.5])
    product = np.stack([np.kron(single, other).reshape(2, 2, 2) for single in (small, large, small[::-1])])
    found = factor_out(product, 1)
    assert found is not None
    single, rest = found
    np.testing.assert_allclose(np.einsum("ba,bcd->bacd", single, rest), product, atol=1e-15)
    nearly = product.copy()
    nearly[1, 0, 0, 0] += 1e-10
    assert factor_out(nearly, 1) is None
    assert factor_out(product, 2) is None


def test_branches_are_joined_up_to_a_phase_and_no_further():
    state = np.array([0.6, 0.8j, 0, 0]).reshape(1, 2, 2)
    close = state + np.array([0, 0, 1e-10, 0]).reshape(1, 2, 2)
    states = np.concatenate([state, 1j * state, close, state])
    bits = np.array([[0], [0], [0], [1]], dtype=np.uint8)
    found = equal_branches([states], bits, {})
    assert found is not None
    chosen, classes = found
    assert classes[0] == classes[1]
    assert len(chosen) == 3
    assert len(set(classes.tolist())) == 3


def test_branches_count_with_what_each_of_them_holds():
    """Every outcome goes on with a copy of all that was not measured."""
    places = np.array([-1, -1])

    def measure_a_coin(max_amplitudes: int) -> Ensemble:
        ensemble = Ensemble(Ledger(places=places, max_amplitudes=max_amplitudes, max_histories=8))
        for wire in (0, 1):
            ensemble.apply(Operator(HGate()).data, [wire])
        ensemble.apply(Operator(CRYGate(0.3)).data, [0, 1])
        ensemble.apply(Operator(HGate()).data, [2])
        ensemble.measure([2], [0], live=[True], drop=[True])
        return ensemble

    assert measure_a_coin(8).size == 2
    with pytest.raises(HaloValueError, match=r"needs 8 amplitudes \(2 branches\) where 7 are allowed"):
        measure_a_coin(7)
