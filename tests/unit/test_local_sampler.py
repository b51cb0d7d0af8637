"""LocalSampler as its users see it: bits follow the exact distribution, with and without noise."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qiskit.circuit import AncillaRegister, ClassicalRegister, Clbit, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr, types
from qiskit.primitives import PrimitiveResult
from qiskit.providers import JobStatus
from qiskit.transpiler import InstructionProperties, QubitProperties
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel
from qiskit_ibm_runtime.fake_provider import FakeManilaV2

import qiskit_halo
from qiskit_halo import HaloError, LocalSampler, MultiProgramCircuit, generate_halo_pass_manager
from qiskit_halo.errors import HaloValueError
from qiskit_halo.primitives import local
from tests.dense_oracle import brute_force
from tests.noisy_oracle import noisy_distribution
from tests.sampling import assert_follows, joint_counts, register_distribution, tolerance
from tests.targets import TargetBackend, make_target, noisy_backend

SHOTS = 4000


def sample(
    circuit: QuantumCircuit, backend: object = None, *, shots: int = SHOTS, seed: int = 11, **options: object
) -> dict[str, int]:
    """Return joint counts; without a backend, without noise."""
    sampler = LocalSampler(backend, noise=backend is not None, seed=seed, **options)
    return joint_counts(sampler.run([circuit], shots=shots).result()[0].data)


def assert_exact(circuit: QuantumCircuit) -> None:
    assert_follows(sample(circuit), register_distribution(circuit, brute_force(circuit)))


# --- without noise


def rotate(circuit: QuantumCircuit, *angles: float) -> None:
    for qubit, angle in enumerate(angles):
        circuit.ry(angle, qubit)


def mid_circuit() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 3)
    circuit.ry(1.1, 0)
    circuit.measure(0, 0)
    circuit.cx(0, 1)
    circuit.ry(0.7, 0)
    circuit.measure([0, 1], [1, 2])
    return circuit


def resets() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 3)
    circuit.ry(1.1, 0)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.reset([0, 0])
    circuit.ry(0.4, 0)
    circuit.cx(1, 0)
    circuit.measure([0, 1], [1, 2])
    circuit.reset(1)
    return circuit


def hidden_reset() -> QuantumCircuit:
    inner = QuantumCircuit(2, 1)
    inner.h(0)
    inner.cx(0, 1)
    inner.measure(0, 0)
    inner.reset(1)
    circuit = QuantumCircuit(2, 2)
    circuit.append(inner.to_instruction(), [1, 0], [1])
    circuit.measure(0, 0)
    return circuit


def branches() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "c"), ClassicalRegister(2, "d"))
    rotate(circuit, 1.1, 0.7, 0.4)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test((circuit.cregs[0], 2)) as otherwise:
        circuit.x(2)
        with circuit.if_test((circuit.clbits[1], 1)):
            circuit.reset(1)
    with otherwise:
        circuit.h(1)
    with circuit.switch(circuit.cregs[0]) as case:
        with case(0, 3):
            circuit.x(0)
        with case(case.DEFAULT):
            circuit.ry(0.3, 0)
    circuit.measure([0, 1], [2, 3])
    with circuit.if_test(expr.less(circuit.cregs[0], 2)):
        circuit.measure(2, 0)
    return circuit


def loops() -> QuantumCircuit:
    circuit = QuantumCircuit(2, 3)
    with circuit.for_loop(range(1, 4)) as angle:
        circuit.rx(0.3 * angle, 0)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.x(1)
            circuit.break_loop()
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.continue_loop()
        circuit.ry(0.2, 1)
    with circuit.while_loop((circuit.clbits[2], 0)):
        circuit.x(0)
        circuit.reset(0)
        circuit.x(0)
        circuit.measure(0, 2)
    circuit.measure(1, 1)
    return circuit


def variables() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    flag = circuit.add_var("flag", expr.lift(False))
    number = circuit.add_var("number", expr.lift(5, types.Uint(4)))
    rotate(circuit, 1.1, 0.7)
    circuit.measure([0, 1], [0, 1])
    circuit.store(flag, expr.lift(circuit.clbits[0]))
    with circuit.if_test(expr.logic_and(flag, expr.logic_not(circuit.clbits[1]))):
        circuit.store(number, expr.bit_xor(number, 3))
    with circuit.if_test(expr.equal(number, 6)):
        circuit.x(2)
    circuit.measure(2, 2)
    return circuit


def registers() -> QuantumCircuit:
    shared, loose = [Clbit() for _ in range(3)], Clbit()
    circuit = QuantumCircuit([loose], shared, QuantumRegister(3), ClassicalRegister(bits=shared[::-1], name="a"))
    circuit.add_register(ClassicalRegister(bits=[shared[1], shared[0]], name="size"))
    circuit.add_register(ClassicalRegister(2, "never"))
    rotate(circuit, 1.1, 0.7, 0.4)
    circuit.cx(0, 1)
    circuit.measure(0, loose)
    with circuit.if_test((loose, 1)):
        circuit.x(2)
    circuit.measure([1, 2], shared[:2])
    return circuit


def unmeasured() -> QuantumCircuit:
    circuit = QuantumCircuit(4, 1)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.ry(0.7, 2)
    circuit.cx(1, 2)
    circuit.cx(0, 3)
    circuit.measure(2, 0)
    circuit.x(0)
    circuit.delay(100, 1)
    circuit.barrier()
    return circuit


def own_gates() -> QuantumCircuit:
    inner = QuantumCircuit(1, name="h", global_phase=0.3)
    inner.rx(1.1, 0)
    circuit = QuantumCircuit(2, 2)
    circuit.append(inner.to_gate(), [0])
    circuit.append(inner.to_gate().control(1, ctrl_state=0), [0, 1])
    circuit.append(inner.to_gate().control(1), [1, 0])
    circuit.initialize([math.sqrt(0.3), math.sqrt(0.7)], 1)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [1, 0])
    return circuit


CIRCUITS = (
    mid_circuit, resets, hidden_reset, branches, loops, variables, registers, unmeasured, own_gates,
)  # fmt: skip


@pytest.mark.parametrize("make", CIRCUITS, ids=lambda make: make.__name__)
def test_bits_follow_the_exact_distribution(make: Callable[[], QuantumCircuit]) -> None:
    assert_exact(make())


def test_merged_and_folded_circuits_give_each_program_its_own_distribution() -> None:
    programs = [make() for make in CIRCUITS]
    merged = MultiProgramCircuit(programs, shots=SHOTS)
    for circuit in (merged.circuit, merged.fold(8)):
        result = LocalSampler(None, noise=False, seed=5).run([circuit], shots=SHOTS).result()
        for program, own in zip(programs, merged.split(result), strict=True):
            assert_follows(joint_counts(own.data), register_distribution(program, brute_force(program)))


@pytest.mark.parametrize("level", [0, 3])
def test_compiled_circuits_give_each_program_its_own_distribution(level: int) -> None:
    programs = [make() for make in CIRCUITS]
    target = make_target(6, [(a, b) for a in range(6) for b in range(a + 1, 6)])
    merged = MultiProgramCircuit(programs, shots=SHOTS)
    compiled = generate_halo_pass_manager(level, target=target, seed_transpiler=1).run(merged.circuit)
    result = LocalSampler(None, noise=False, seed=5).run([compiled], shots=SHOTS).result()
    for program, own in zip(programs, merged.split(result), strict=True):
        assert_follows(joint_counts(own.data), register_distribution(program, brute_force(program)))


def test_components_have_streams_of_their_own() -> None:
    program = QuantumCircuit(1, 1)
    program.h(0)
    program.measure(0, 0)
    merged = MultiProgramCircuit([program] * 3).circuit
    uniform = {f"{a} {b} {c}": 1 / 8 for a in "01" for b in "01" for c in "01"}
    assert_follows(sample(merged), uniform)


def test_what_aers_truncation_trips_over_runs() -> None:
    """Aer 0.18 fails to load this one as it is: "unordered_map::at"."""
    circuit = QuantumCircuit(3, 2)
    circuit.measure(0, 0)
    with circuit.if_test((0, 0)):
        circuit.x(1)
    with circuit.if_test((0, 0)):
        circuit.measure(2, 1)
    assert sample(circuit, shots=10) == {"00": 10}


def test_blocks_without_qubits_are_run_only_if_their_condition_holds() -> None:
    """Aer runs them always."""
    circuit = QuantumCircuit(1, 4)
    circuit.h(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)) as otherwise:
        circuit.store(circuit.clbits[1], expr.lift(True))
    with otherwise:
        circuit.store(circuit.clbits[2], expr.lift(True))
    with circuit.switch(circuit.clbits[0]) as case, case(0), circuit.if_test((2, 1)):
        circuit.store(circuit.clbits[3], expr.lift(True))
    assert_follows(sample(circuit), {"0011": 0.5, "1100": 0.5})
    classical = QuantumCircuit(0, 2)
    with classical.if_test((0, 1)):
        classical.store(classical.clbits[1], expr.lift(True))
    assert sample(classical, shots=3) == {"00": 3}


def test_a_chip_that_is_far_too_wide_to_be_simulated_whole() -> None:
    circuit = QuantumCircuit(QuantumRegister(300), ClassicalRegister(300, "c"))
    for qubit in range(0, 300, 3):
        circuit.x(qubit)
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(300), range(300))
    assert sample(circuit, shots=3) == {"011" * 100: 3}


def test_a_component_with_many_short_lived_helpers_is_folded() -> None:
    circuit = QuantumCircuit(QuantumRegister(1), AncillaRegister(40), ClassicalRegister(41, "c"))
    circuit.x(0)
    for helper in range(1, 41):
        circuit.cx(0, helper)
        circuit.measure(helper, helper)
    circuit.measure(0, 0)
    assert sample(circuit, shots=3) == {"1" * 41: 3}


def test_a_register_as_a_whole_may_be_wide_but_numbers_in_expressions_may_not() -> None:
    """Aer drops the higher bits of wide numbers without a word."""
    for condition, expected in ((lambda c: (c, 1 << 39), "1"), (lambda c: expr.index(c, 39), "1")):
        circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(40, "c"), ClassicalRegister(1, "d"))
        circuit.x(0)
        circuit.measure(0, 39)
        with circuit.if_test(condition(circuit.cregs[0])):
            circuit.x(1)
        circuit.measure(1, 40)
        assert sample(circuit, shots=5) == {f"1{'0' * 39} {expected}": 5}
    circuit = QuantumCircuit(1, 40)
    with circuit.if_test(expr.equal(circuit.cregs[0], 1 << 39)):
        circuit.x(0)
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match="a number of 40 bits, and more than 32 cannot be simulated locally"):
        sample(circuit)


# --- with noise


def with_bad_resets() -> TargetBackend:
    """A device that is perfect but for its resets, of which one in five fails."""
    backend = perfect(1)
    backend.target.update_instruction_properties("reset", (0,), InstructionProperties(error=0.2))
    return backend


def perfect(num_qubits: int, **times: float) -> TargetBackend:
    properties = [QubitProperties(**times)] * num_qubits if times else None
    return TargetBackend(make_target(num_qubits, errors=False, durations=False, qubit_properties=properties))


def one_bit(probability: float) -> dict[str, float]:
    return {"0": 1 - probability, "1": probability}


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("value", [0, 1])
def test_readout_errors_alone(value: int, again: bool) -> None:
    """Told apart by the bit, at the end of a life or in its middle, and without touching the qubit."""
    backend = perfect(1)
    properties = InstructionProperties(error=0.15)
    properties.prob_meas1_prep0, properties.prob_meas0_prep1 = 0.1, 0.3
    backend.target.update_instruction_properties("measure", (0,), properties)
    circuit = QuantumCircuit(1, 1 + again)
    if value:
        circuit.x(0)
    circuit.measure(0, 0)
    one = [0.1, 0.7][value]
    expected = one_bit(one)
    if again:
        circuit.measure(0, 1)
        expected = {a + b: one_bit(one)[a] * one_bit(one)[b] for a in "01" for b in "01"}
    assert_follows(sample(circuit, backend), expected)


def excited_after(rounds: int, before: float, reset_model: str) -> float:
    for _ in range(rounds):
        before = 0.2 * before if reset_model == "stays" else 0.2
    return before


@pytest.mark.parametrize("reset_model", ["stays", "flips"])
@pytest.mark.parametrize("rounds", [1, 2, 3])
def test_resets_at_a_handover_alone(rounds: int, reset_model: str) -> None:
    """The next owner finds 1 as often as so many resets leave it, whatever the owner before was in."""
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "p0_c"), ClassicalRegister(1, "p1_c"))
    circuit.x(0)
    circuit.measure(0, 0)
    for _ in range(rounds):
        circuit.reset(0)
    circuit.measure(0, 1)
    expected = {f"1 {bit}": share for bit, share in one_bit(excited_after(rounds, 0.5, reset_model)).items()}
    assert_follows(sample(circuit, with_bad_resets(), reset_model=reset_model), expected)


@pytest.mark.parametrize("reset_model", ["stays", "flips"])
@pytest.mark.parametrize("rounds", [1, 2])
@pytest.mark.parametrize("value", [0, 1])
def test_own_resets_alone(value: int, rounds: int, reset_model: str) -> None:
    """A program that resets its own qubit keeps what the reset leaves of it."""
    circuit = QuantumCircuit(1, 1)
    if value:
        circuit.x(0)
    circuit.measure(0, 0)
    for _ in range(rounds):
        circuit.reset(0)
    circuit.measure(0, 0)
    expected = one_bit(excited_after(rounds, value, reset_model))
    assert_follows(sample(circuit, with_bad_resets(), reset_model=reset_model), expected)


@pytest.mark.parametrize("t2_over_t1", [0.5, 1.5, 2.0, 5.0])
def test_waiting_alone(t2_over_t1: float) -> None:
    backend = perfect(2, t1=50e-6, t2=t2_over_t1 * 50e-6)
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.sx(1)
    circuit.delay(20, [0, 1], "us")
    circuit.delay(10_000, [0, 1], "dt")
    circuit.sx(1)
    circuit.measure([0, 1], [0, 1])
    excited = math.exp(-30 / 50)
    coherent = (1 + math.exp(-30 / (50 * min(t2_over_t1, 2)))) / 2
    expected = {a + b: one_bit(coherent)[a] * one_bit(excited)[b] for a in "01" for b in "01"}
    assert_follows(sample(circuit, backend, shots=20_000), expected)


def test_dead_gates_alone() -> None:
    """An error of 1 is the worst there is: any Pauli but the identity."""
    backend = perfect(2)
    backend.target.update_instruction_properties("x", (0,), InstructionProperties(error=1.0))
    backend.target.update_instruction_properties("cz", (0, 1), InstructionProperties(error=1.0))
    circuit = QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    assert_follows(sample(circuit, backend), one_bit(1 / 3))
    circuit = QuantumCircuit(2, 2)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [0, 1])
    assert_follows(sample(circuit, backend), {"00": 3 / 15, "01": 4 / 15, "10": 4 / 15, "11": 4 / 15})
    circuit = QuantumCircuit(2, 2)
    circuit.cz(1, 0)
    circuit.measure([0, 1], [0, 1])
    assert sample(circuit, backend) == {"00": SHOTS}, "the other direction is not dead"


def bell_with_waiting() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 4)
    for qubit in range(3):
        circuit.sx(qubit)
    circuit.cx(0, 1)
    circuit.delay(30_000, 1, "ns")
    circuit.measure(1, 3)
    circuit.cx(1, 2)
    circuit.delay(20_000, 0, "ns")
    circuit.sx(0)
    circuit.measure(range(3), range(3))
    return circuit


@pytest.mark.parametrize("fold_above", [6, 1])
def test_one_component_is_what_aer_makes_of_the_whole_circuit(fold_above: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_FOLD_ABOVE_NOISY", fold_above)
    backend = FakeManilaV2()
    circuit, model = bell_with_waiting(), NoiseModel.from_backend(backend)
    counts = sample(circuit, backend, shots=20_000)
    assert_follows(counts, register_distribution(circuit, noisy_distribution(circuit, backend, model)))
    simulator = AerSimulator(noise_model=model, method="density_matrix")
    reference = simulator.run(circuit, shots=20_000, seed_simulator=3).result().get_counts()
    distance = sum(abs(counts.get(key, 0) - reference.get(key, 0)) for key in {**counts, **reference}) / 40_000
    assert distance < 2 * tolerance(16, 20_000)


def dynamic() -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(3), ClassicalRegister(2, "c"), ClassicalRegister(2, "d"))
    circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)) as otherwise:
        circuit.x(1)
        circuit.delay(20_000, 1, "ns")
        circuit.reset(0)
    with otherwise:
        circuit.sx(2)
        circuit.measure(2, 1)
    circuit.cz(1, 2)
    circuit.reset(0)
    circuit.sx(0)
    circuit.measure([0, 1], [2, 3])
    with circuit.if_test((circuit.cregs[0], 3)):
        circuit.measure(1, 0)
    return circuit


def test_control_flow_has_the_noise_of_its_places() -> None:
    backend, circuit = noisy_backend(3), dynamic()
    model = NoiseModel.from_backend(backend)
    expected = register_distribution(circuit, noisy_distribution(circuit, backend, model))
    assert_follows(sample(circuit, backend, shots=20_000), expected)


def test_readout_errors_in_the_middle_are_those_of_every_shot() -> None:
    """Aer's shot branching loses them; that it is not asked for shows in no other way."""
    circuit = QuantumCircuit(3, 4)
    circuit.sx([0, 1])
    circuit.cz(0, 1)
    circuit.sx(1)
    circuit.measure([1, 1], [0, 1])
    circuit.sx(1)
    circuit.measure([0, 1], [2, 3])
    backend = noisy_backend(3)
    exact = register_distribution(circuit, noisy_distribution(circuit, backend))
    assert_follows(sample(circuit, backend, shots=20_000), exact)


def test_a_bit_that_is_written_again_has_the_readout_error_of_the_last_time() -> None:
    """Aer adds up those of all measurements where nothing but measurements is left."""
    circuit = QuantumCircuit(1, 1)
    circuit.measure([0, 0, 0], [0, 0, 0])
    assert_follows(sample(circuit, noisy_backend(1), shots=20_000), one_bit(0.02))


def test_loops_have_noise_in_every_round() -> None:
    backend = perfect(1)
    backend.target.update_instruction_properties("x", (0,), InstructionProperties(error=0.1))
    circuit = QuantumCircuit(1, 1)
    with circuit.for_loop(range(4)):
        circuit.x(0)
    circuit.measure(0, 0)
    # Average gate error 0.1 is a Pauli other than the identity in 15 of 100 shots, two of three of which flip.
    assert_follows(sample(circuit, backend, shots=20_000), one_bit((1 - (1 - 2 * 0.1) ** 4) / 2))


def test_gates_that_aer_does_not_know_have_their_error_too() -> None:
    inner = QuantumCircuit(1, name="half")
    inner.sx(0)
    gate = inner.to_gate()
    backend = perfect(1)
    backend.target.add_instruction(gate, {(0,): InstructionProperties(error=0.1)})
    circuit = QuantumCircuit(1, 1)
    circuit.append(gate, [0])
    circuit.append(gate, [0])
    circuit.measure(0, 0)
    assert_follows(sample(circuit, backend, shots=20_000), one_bit(1 - (1 - (1 - 2 * 0.1) ** 2) / 2))


def test_a_compiled_batch_has_the_noise_of_the_device() -> None:
    """Every program of a merged circuit is as noisy as its own component, simulated whole by brute force."""
    backend = noisy_backend(4)
    programs = [QuantumCircuit(2, 2) for _ in range(2)]
    for program in programs:
        program.sx(0)
        program.cx(0, 1)
        program.measure([0, 1], [0, 1])
    merged = MultiProgramCircuit(programs, shots=20_000)
    compiled = generate_halo_pass_manager(1, backend, seed_transpiler=0).run(merged.circuit)
    exact = register_distribution(compiled, noisy_distribution(compiled, backend))
    assert_follows(sample(compiled, backend, shots=20_000), exact)


# --- seeds

_SCRIPT = """
from tests.unit.test_local_sampler import branches, dynamic
from tests.targets import noisy_backend
from qiskit_halo import LocalSampler, MultiProgramCircuit
merged = MultiProgramCircuit([branches(), branches()]).circuit
for circuit, sampler in (
    (merged, LocalSampler(None, noise=False, seed=7)), (dynamic(), LocalSampler(noisy_backend(3), seed=7))
):
    data = sampler.run([circuit], shots=50).result()[0].data
    print([(name, data[name].get_bitstrings()) for name in data])
"""


def test_the_same_seed_gives_the_same_bits_in_any_process() -> None:
    root = Path(qiskit_halo.__file__).parents[1]
    found = []
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT], env=environment, cwd=root, capture_output=True, text=True, check=True
        )
        found.append(done.stdout)
    assert found[0] == found[1]
    assert len(found[0]) > 1000


def test_seeds_differ_and_no_seed_differs_each_time() -> None:
    circuit = QuantumCircuit(QuantumRegister(40), ClassicalRegister(40, "c"))
    circuit.h(range(40))
    circuit.measure(range(40), range(40))
    seeded = LocalSampler(None, noise=False, seed=3)
    first, second = (seeded.run([circuit, circuit], shots=2).result() for _ in range(2))
    for pub in range(2):
        assert np.array_equal(first[pub].data.c.array, second[pub].data.c.array)
    assert not np.array_equal(first[0].data.c.array, first[1].data.c.array), "each pub has its own stream"
    assert sample(circuit, shots=2, seed=4) != sample(circuit, shots=2, seed=5)
    unseeded = LocalSampler(None, noise=False)
    once, twice = (unseeded.run([circuit], shots=2).result()[0].data.c.array for _ in range(2))
    assert not np.array_equal(once, twice)


def test_another_seed_for_the_same_device() -> None:
    backend, circuit = noisy_backend(3), dynamic()
    first = LocalSampler(backend, seed=4)
    other = first.with_seed(5)
    bits = [joint_counts(sampler.run([circuit], shots=200).result()[0].data) for sampler in (first, other)]
    assert bits == [sample(circuit, backend, shots=200, seed=seed) for seed in (4, 5)]
    assert other._noise is first._noise, "errors are built once"
    with pytest.raises(HaloValueError, match="seed must be at least 0"):
        first.with_seed(-1)


def test_other_resets_for_the_same_device() -> None:
    backend, circuit = noisy_backend(1), QuantumCircuit(1, 1)
    circuit.x(0)
    circuit.reset(0)
    circuit.measure(0, 0)
    stays = LocalSampler(backend, seed=4)
    flips = stays.with_reset_model("flips")
    # Each after the other has made its errors.
    for sampler, model in ((stays, "stays"), (flips, "flips"), (stays, "stays")):
        alone = LocalSampler(backend, seed=4, reset_model=model)
        bits = [joint_counts(one.run([circuit], shots=5000).result()[0].data) for one in (sampler, alone)]
        assert bits[0] == bits[1]
    assert flips._noise is not None
    assert stays._noise is not None
    assert flips._noise._errors is stays._noise._errors, "errors are built once"
    with pytest.raises(HaloValueError, match="reset_model must be one of stays, flips, not 'fails'"):
        stays.with_reset_model("fails")


@pytest.mark.parametrize("fuse_above", [1, 99])
@pytest.mark.parametrize("branch_from", [0, 99])
def test_branches_and_fusion_change_no_distribution(
    branch_from: int, fuse_above: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_BRANCH_FROM", branch_from)
    monkeypatch.setattr(local, "_FUSE_ABOVE", fuse_above)
    circuit = QuantumCircuit(3, 3)
    for _ in range(4):
        circuit.sx(range(3))
        circuit.cz(0, 1)
        circuit.cz(1, 2)
        circuit.delay(2000, range(3), "ns")
    circuit.measure(range(3), range(3))
    backend = noisy_backend(3)
    assert_follows(sample(circuit, backend), register_distribution(circuit, noisy_distribution(circuit, backend)))


def test_seeds_are_checked() -> None:
    with pytest.raises(HaloValueError, match="seed must be at least 0, or None for a new one each time, not -1"):
        LocalSampler(None, noise=False, seed=-1)


# --- as a sampler


def sweep() -> QuantumCircuit:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "c"), ClassicalRegister(9, "d"))
    circuit.rx(a, 0)
    circuit.rx(b, 1)
    circuit.measure(0, 0)
    circuit.measure(1, 9)
    return circuit


def test_sweeps_keep_their_shape() -> None:
    values = np.array([[[0, 0], [math.pi, 0], [0, math.pi]], [[math.pi, math.pi], [0, 0], [math.pi, 0]]])
    result = LocalSampler(None, noise=False, seed=1).run([(sweep(), values)], shots=6).result()[0]
    assert result.data.shape == (2, 3)
    assert (result.data.c.array.shape, result.data.d.array.shape) == ((2, 3, 6, 1), (2, 3, 6, 2))
    for place in np.ndindex(2, 3):
        one, two = (int(value > 3) for value in values[place])
        assert result.data.c[place].get_counts() == {str(one): 6}
        assert result.data.d[place].get_counts() == {f"{two}00000000": 6}


def test_points_of_a_sweep_have_streams_of_their_own() -> None:
    result = LocalSampler(None, noise=False, seed=1).run([(sweep(), [[1.5, 1.5]] * 2)], shots=60).result()[0]
    assert result.data.c[0].get_bitstrings() != result.data.c[1].get_bitstrings()


def test_shots_of_the_pub_come_before_those_of_the_run_and_the_default() -> None:
    circuit = sweep().assign_parameters([0, 0])
    sampler = LocalSampler(None, noise=False, seed=1, default_shots=7)
    result = sampler.run([(circuit, None, 3), circuit], shots=5).result()
    assert [pub.data.c.num_shots for pub in result] == [3, 5]
    assert [pub.metadata["shots"] for pub in result] == [3, 5]
    assert sampler.run([circuit]).result()[0].data.c.num_shots == 7
    assert LocalSampler(None, noise=False).run([circuit]).result()[0].data.c.num_shots == 1024


def test_the_job_is_that_of_qiskits_samplers() -> None:
    circuit = sweep().assign_parameters([0, math.pi])
    circuit.metadata = {"mine": 1}
    job = LocalSampler(None, noise=False, seed=1).run([circuit], shots=2)
    result = job.result()
    assert isinstance(result, PrimitiveResult)
    assert job.status() == JobStatus.DONE
    assert (job.done(), job.running(), job.cancelled()) == (True, False, False)
    assert list(result[0].data) == ["c", "d"]
    assert result[0].metadata["circuit_metadata"] == {"mine": 1}
    assert LocalSampler(None, noise=False).run([]).result()._pub_results == []


def test_progress_counts_components() -> None:
    seen: list[tuple[int, int]] = []
    sampler = LocalSampler(None, noise=False, seed=1, progress=lambda done, total: seen.append((done, total)))
    sampler.run([(sweep(), [[0, 0]] * 2), sweep().assign_parameters([0, 0])], shots=2).result()
    assert seen == [(number, 6) for number in range(1, 7)]


def test_a_circuit_without_registers_is_warned_of() -> None:
    circuit = QuantumCircuit(QuantumRegister(1), [Clbit()])
    circuit.measure(0, 0)
    with pytest.warns(UserWarning, match="The circuit of pub 0 has no classical registers"):
        job = LocalSampler(None, noise=False).run([circuit])
    assert list(job.result()[0].data) == []


def test_the_circuit_is_not_changed() -> None:
    circuit = dynamic()
    before = circuit.copy()
    sample(circuit, noisy_backend(3), shots=2)
    assert circuit == before
    assert all(instruction.label is None for instruction in circuit.data)


# --- errors


def test_noise_needs_a_backend() -> None:
    with pytest.raises(HaloValueError, match="noise needs a backend to take it from; pass one, or noise=False"):
        LocalSampler(None)


@pytest.mark.parametrize("backend", [None, noisy_backend(1)])
def test_models_of_resets_are_checked(backend: object) -> None:
    with pytest.raises(HaloValueError, match="reset_model must be one of stays, flips, not 'leaks'"):
        LocalSampler(backend, noise=backend is not None, reset_model="leaks")


def test_unbound_parameters_and_no_shots_are_refused_by_qiskit() -> None:
    with pytest.raises(ValueError, match="does not match the number of parameters"):
        LocalSampler(None, noise=False).run([sweep()])
    with pytest.raises(ValueError, match="shots must be positive"):
        LocalSampler(None, noise=False).run([sweep().assign_parameters([0, 0])], shots=0)


def test_a_circuit_wider_than_the_device() -> None:
    circuit = QuantumCircuit(4, 1)
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match="circuit of pub 1 has 4 qubits, but the device has 3; compile it"):
        LocalSampler(noisy_backend(3)).run([QuantumCircuit(1, 1), circuit])


def merged_with(instruction: Callable[[QuantumCircuit], object]) -> QuantumCircuit:
    fine, bad = QuantumCircuit(1, 1), QuantumCircuit(1, 1)
    fine.measure(0, 0)
    instruction(bad)
    bad.measure(0, 0)
    return MultiProgramCircuit([fine, bad], names=["fine", "bad"]).circuit


def test_an_operation_that_the_device_does_not_have_names_the_program() -> None:
    circuit = merged_with(lambda bad: bad.h(0))
    with pytest.raises(HaloValueError, match=r"Program 1 \('bad'\): the device has no 'h' on qubit 1; compile"):
        sample(circuit, noisy_backend(2))


def test_a_delay_in_ticks_needs_the_length_of_a_tick() -> None:
    circuit = merged_with(lambda bad: bad.delay(10, 0, "dt"))
    backend = TargetBackend(make_target(2, dt=None, qubit_properties=[QubitProperties(t1=1e-4, t2=1e-4)] * 2))
    with pytest.raises(HaloValueError, match=r"Program 1 \('bad'\): a delay is in dt, but the device states no dt"):
        sample(circuit, backend)


def test_an_operation_without_definition_names_the_program() -> None:
    from qiskit.circuit import Instruction

    circuit = merged_with(lambda bad: bad.append(Instruction("magic", 1, 0, []), [0]))
    with pytest.raises(HaloValueError, match=r"Program 1 \('bad'\): instruction 'magic' has no definition"):
        sample(circuit)


def test_other_metadata_does_not_hide_the_reason() -> None:
    circuit = merged_with(lambda bad: bad.h(0))
    circuit.metadata = {"halo": "mine"}
    with pytest.raises(HaloValueError, match="Program 1: the device has no 'h' on qubit 1"):
        sample(circuit, noisy_backend(2))
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError, match=r"Circuit '.*': the device has no 'h' on qubit 0"):
        sample(circuit, noisy_backend(2))


class _FailingSimulator(AerSimulator):
    def run(self, circuits: object, **options: object) -> object:
        # With truncation, as Aer would do by itself.
        return super().run(circuits, **{**options, "enable_truncation": True})


class _RaisingSimulator(AerSimulator):
    def run(self, circuits: object, **options: object) -> object:
        raise KeyError("unordered_map::at")


@pytest.mark.parametrize("simulator", [_FailingSimulator, _RaisingSimulator])
def test_what_aer_trips_over_names_the_program(
    simulator: type[AerSimulator], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fine, bad = QuantumCircuit(1, 1), QuantumCircuit(3, 2)
    fine.measure(0, 0)
    bad.measure(0, 0)
    with bad.if_test((0, 0)):
        bad.x(1)
    with bad.if_test((0, 0)):
        bad.measure(2, 1)
    circuit = MultiProgramCircuit([bad, fine], names=["bad", "fine"]).circuit
    monkeypatch.setattr(local, "_aer_simulator", simulator)
    caplog.set_level(logging.CRITICAL)
    with pytest.raises(HaloError, match=r"^\"Program 0 \('bad'\) cannot be simulated.*Aer says: .*unordered_map::at"):
        sample(circuit)
