"""Whatever the programs, noise-free shots of a merged, folded or compiled circuit follow each program's own distribution.

The exact distribution is that of brute force, which shares nothing with the package. A false alarm has a chance of
1e-9 for each program.
"""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import SamplerPubResult

from qiskit_halo import LocalSampler, MultiProgramCircuit, generate_halo_pass_manager
from tests.dense_oracle import TooManyBranchesError, brute_force
from tests.noisy_oracle import noisy_distribution
from tests.sampling import assert_follows, joint_counts, register_distribution
from tests.strategies import batches, shared_circuits
from tests.targets import TargetBackend, make_target, noisy_backend

SHOTS = 500
TARGET = make_target(6, [(a, b) for a in range(6) for b in range(a + 1, 6)])


def exact(program: QuantumCircuit) -> dict[str, float]:
    try:
        return register_distribution(program, brute_force(program))
    except TooManyBranchesError:
        assume(False)
        raise


def sample(merged: MultiProgramCircuit, circuit: QuantumCircuit) -> list[SamplerPubResult]:
    return merged.split(LocalSampler(None, noise=False, seed=9).run([circuit], shots=SHOTS).result())


@settings(max_examples=25)
@given(batches(), st.booleans())
def test_merged_and_folded_circuits(batch: list[QuantumCircuit], fold: bool) -> None:
    assume(all(program.cregs for program in batch))
    expected = [exact(program) for program in batch]
    merged = MultiProgramCircuit(batch, shots=SHOTS)
    circuit = merged.fold(max(program.num_qubits for program in batch)) if fold else merged.circuit
    for own, distribution in zip(sample(merged, circuit), expected, strict=True):
        assert_follows(joint_counts(own.data), distribution)


@settings(max_examples=8)
@given(batches(), st.integers(0, 3))
def test_compiled_circuits(batch: list[QuantumCircuit], level: int) -> None:
    assume(all(program.cregs for program in batch))
    expected = [exact(program) for program in batch]
    merged = MultiProgramCircuit(batch, shots=SHOTS)
    compiled = generate_halo_pass_manager(level, target=TARGET, seed_transpiler=2).run(merged.circuit)
    for own, distribution in zip(sample(merged, compiled), expected, strict=True):
        assert_follows(joint_counts(own.data), distribution)


@settings(max_examples=25)
@given(shared_circuits(max_qubits=3, max_programs=1, max_steps=14), st.sampled_from(["stays", "flips"]))
def test_noisy_circuits_of_one_program(circuit: QuantumCircuit, reset_model: str) -> None:
    """Resets of a program's own qubits included, as long as one component holds all of it: nothing is approximated."""
    backend = noisy_backend(3)
    exact_noisy = noisy_distribution(circuit, backend, reset_model=reset_model)
    sampler = LocalSampler(TargetBackend(backend.target), seed=9, reset_model=reset_model)
    counts = joint_counts(sampler.run([circuit], shots=SHOTS).result()[0].data)
    assert_follows(counts, register_distribution(circuit, exact_noisy))
