from __future__ import annotations

import itertools
import random

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit

from benchmarks.evaluation.families import arithmetic, codes, extras, ladders, mixed, suites, syndromes
from benchmarks.evaluation.families.boolean import Expression, draw_expression
from benchmarks.evaluation.families.suites import SuiteMissingError, programs_of
from qiskit_halo.verification.equivalence import outcome_distribution


def only_outcome(circuit: QuantumCircuit) -> list[int]:
    """The one outcome of a circuit that has one, bit 0 first."""
    ((key, probability),) = outcome_distribution(circuit).items()
    assert probability == pytest.approx(1)
    return [int(bit) for bit in reversed(key)]


def with_helpers_measured(circuit: QuantumCircuit) -> QuantumCircuit:
    wide = circuit.copy()
    register = ClassicalRegister(len(circuit.ancillas), "ancilla")
    wide.add_register(register)
    wide.measure(circuit.ancillas, register)
    return wide


@pytest.mark.parametrize("controls", [2, 3, 4])
def test_ladder_flips_its_target_if_all_controls_are_one(controls: int) -> None:
    for inputs in itertools.product((0, 1), repeat=controls):
        ones = tuple(index for index, value in enumerate(inputs) if value)
        bits = only_outcome(with_helpers_measured(ladders.ladder(controls, ones)))
        assert bits == [*inputs, int(all(inputs)), *[0] * (controls - 1)]


def test_ladders_have_the_paper_s_sizes() -> None:
    assert [c.num_qubits for c in ladders.ladders(ladders.SMALL, 0)[::2]] == [2 * n for n in range(2, 8)]
    assert [c.num_qubits for c in ladders.ladders(ladders.MEDIUM, 0)[::2]] == [2 * n for n in range(9, 15)]
    for circuit in ladders.ladders(ladders.SMALL, 3):
        assert only_outcome(circuit)[-1] == circuit.name.endswith("all")


@pytest.mark.parametrize("code", [*codes.SMALL, *codes.MEDIUM], ids=lambda code: code.name)
def test_syndrome_tells_the_injected_error(code: codes.Code) -> None:
    rng = random.Random(code.name)
    for pauli in "XYZ":
        qubit = rng.randrange(code.num_data)
        error = "I" * qubit + pauli + "I" * (code.num_data - 1 - qubit)
        found = outcome_distribution(syndromes.extraction(code, 2, error))
        count = len(code.stabilizers)
        expected = [codes.anticommute(error, stabilizer) for stabilizer in code.stabilizers]
        for key in found:
            bits = [int(bit) for bit in reversed(key)]
            assert [bits[i] != bits[count + i] for i in range(count)] == expected


def test_a_third_round_repeats_the_second() -> None:
    for key in outcome_distribution(syndromes.extraction(codes.STEANE, 3, "IIXIIII")):
        assert key[:6] == key[6:12]


def test_codes_are_what_they_are_called() -> None:
    """Stabilizers are independent and leave one logical qubit (two for the four-qubit code)."""
    logical = {"four_qubit": 2}
    for code in (*codes.SMALL, *codes.MEDIUM):
        rows = [
            sum((letter in "XY") << i | (letter in "YZ") << (i + code.num_data) for i, letter in enumerate(string))
            for string in code.stabilizers
        ]
        basis: list[int] = []
        for row in rows:
            for other in basis:
                row = min(row, row ^ other)
            if row:
                basis.append(row)
        assert code.num_data - len(basis) == logical.get(code.name, 1)


def test_surface_code_is_local() -> None:
    """Each stabilizer sits in a square of 2 x 2 data qubits, and each data qubit in stabilizers of both kinds."""
    for string in codes.SURFACE.stabilizers:
        places = [divmod(qubit, 3) for qubit, pauli in enumerate(string) if pauli != "I"]
        assert all(max(axis) - min(axis) <= 1 for axis in zip(*places, strict=True))
    for qubit in range(9):
        assert {string[qubit] for string in codes.SURFACE.stabilizers} == {"I", "X", "Z"}


@pytest.mark.parametrize("code", [codes.SHOR, codes.STEANE, codes.SURFACE], ids=lambda code: code.name)
def test_codes_of_distance_three(code: codes.Code) -> None:
    """An undetected error on one or two qubits is a product of stabilizers: it does no harm."""
    products = {(0, 0)}
    for string in code.stabilizers:
        own = tuple(sum((letter in kind) << i for i, letter in enumerate(string)) for kind in ("XY", "ZY"))
        products |= {(x ^ own[0], z ^ own[1]) for x, z in products}
    pairs = list(itertools.combinations(range(code.num_data), 2))
    for (first, second), (a, b) in itertools.product(pairs, itertools.product("IXYZ", repeat=2)):
        letters = ["I"] * code.num_data
        letters[first], letters[second] = a, b
        if not any(codes.anticommute("".join(letters), string) for string in code.stabilizers):
            x, z = (sum((letter in kind) << i for i, letter in enumerate(letters)) for kind in ("XY", "ZY"))
            assert (x, z) in products, letters


def test_stabilizers_that_do_not_commute_are_refused() -> None:
    with pytest.raises(ValueError, match="stabilizers XX and ZI of bad do not commute"):
        codes.Code("bad", ("XX", "ZI"))


@pytest.mark.parametrize("shape", mixed.SMALL)
def test_helpers_of_a_random_circuit_join_data_and_are_measured(shape: mixed.Shape) -> None:
    circuit = mixed.mixed(shape, 5)
    assert (circuit.num_qubits, len(circuit.ancillas)) == (shape.num_data + shape.num_helpers, shape.num_helpers)
    assert circuit.num_clbits == shape.num_helpers + shape.num_measured
    for helper in circuit.ancillas:
        names = [instruction.name for instruction in circuit.data if helper in instruction.qubits]
        assert names in (["cx", "measure"], ["cx", "cx", "measure"])
    assert len(outcome_distribution(circuit)) <= 64


@pytest.mark.parametrize("seed", range(6))
def test_arithmetic_computes_the_expression_and_cleans_up(seed: int) -> None:
    expression = draw_expression(3, 3, random.Random(seed))
    for inputs in itertools.product((0, 1), repeat=3):
        circuit = arithmetic.arithmetic(expression, inputs)
        bits = only_outcome(with_helpers_measured(circuit))
        assert bits == [*inputs, expression.value(inputs), *[0] * len(circuit.ancillas)]


def test_helpers_are_cleared_as_soon_as_the_operator_above_is_done() -> None:
    rng = random.Random(7)
    for _ in range(5):
        expression, inputs = draw_expression(4, 4, rng), [rng.randrange(2) for _ in range(4)]
        compiler = arithmetic._Compiler(4)
        result = compiler.compute(expression)
        wires = [*inputs, *[0] * compiler.num_helpers]
        for name, (*controls, target) in compiler.gates:
            assert name == ("x", "cx", "ccx")[len(controls)]
            wires[target] ^= all(wires[control] for control in controls)
        expected = [*inputs, *[0] * compiler.num_helpers]
        expected[result] = expression.value(inputs)
        assert wires == expected


def test_an_operator_on_one_variable_twice() -> None:
    x = Expression("variable", variable=0)
    for kind, value in (("and", 1), ("or", 1), ("xor", 0)):
        expression = Expression(kind, (x, x))
        assert only_outcome(arithmetic.arithmetic(expression, [1])) == [1, value] == [1, expression.value([1])]


@pytest.mark.parametrize("suite", [*suites.SMALL, *suites.MEDIUM])
def test_suites_are_the_same_for_the_same_seed(suite: str) -> None:
    first, again, other = (programs_of(suite, seed) for seed in (1, 1, 2))
    assert first == again
    assert [c.name for _, c in first] != [c.name for _, c in other] or first != other
    names = [circuit.name for _, circuit in first]
    assert len(set(names)) == len(names)
    assert all(own == suite and circuit.ancillas for own, circuit in first)


def test_mixes_hold_all_their_suites() -> None:
    assert {suite for suite, _ in programs_of("small", 0)} == set(suites.SMALL)


def test_a_folder_of_files_is_another_source(tmp_path) -> None:
    (tmp_path / "qecsmall").mkdir()
    text = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\nqreg helper[1];\ncreg c[1];\nmeasure q[0] -> c[0];\n'
    for name in ("a.qasm", "surface_d3_x.qasm"):
        (tmp_path / "qecsmall" / name).write_text(text)
    ((suite, circuit),) = programs_of("qecsmall", 0, tmp_path)
    assert (suite, circuit.name, len(circuit.ancillas)) == ("qecsmall", "a", 1)
    with pytest.raises(SuiteMissingError, match="no OpenQASM 2 files of suite 'arithsmall'"):
        programs_of("arithsmall", 0, tmp_path)


def test_a_missing_package_is_named(monkeypatch) -> None:
    def missing(seed: int) -> list[QuantumCircuit]:
        raise ImportError("no", name="mqt.bench")

    monkeypatch.setitem(suites.GENERATORS, "mqt", missing)
    with pytest.raises(SuiteMissingError, match=r"suite 'mqt' needs a package that is not installed: mqt\.bench"):
        programs_of("mqt", 0)


def test_cut_subexperiments() -> None:
    pytest.importorskip("qiskit_addon_cutting")
    programs = extras.cut_programs(0)
    assert programs
    assert all(circuit.num_qubits == 4 for circuit in programs)
