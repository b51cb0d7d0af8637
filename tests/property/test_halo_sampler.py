"""HaloSampler on random pubs: every cell of every batch runs its program exactly, and counts have the right spread."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import SamplerPubResult

from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.sampler import HaloSampler
from qiskit_halo.verification.equivalence import distribution_distance, outcome_distribution
from qiskit_halo.verification.isolation import verify_isolation
from tests.samplers import ExactSampler, tolerance
from tests.strategies import CONSTRUCTS, plain_circuits, programs, sampler_pubs
from tests.targets import make_target

TARGET = make_target(6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (1, 4)])


@settings(max_examples=40)
@given(
    # Loops that are left early are refused where they do not fit the couplers: tests/integration/test_exact.py.
    st.lists(
        sampler_pubs(programs(max_qubits=4, constructs=[c for c in CONSTRUCTS if c != "break_loop"]), max_shots=60),
        min_size=1,
        max_size=4,
    ),
    st.data(),
)
def test_every_cell_runs_its_own_program_exactly(pubs, data):
    compiled = data.draw(st.lists(st.booleans(), min_size=len(pubs), max_size=len(pubs)))
    given_pubs = [
        (transpile(c, target=TARGET, optimization_level=1, seed_transpiler=1), v, n)
        if flag and is_plain(c)
        else (c, v, n)
        for flag, (c, v, n) in zip(compiled, pubs, strict=True)
    ]
    options = HaloOptions(
        success_floor=0.0,
        max_batch_programs=data.draw(st.integers(1, 10)),
        max_copies=data.draw(st.sampled_from([None, 1, 2])),
        max_executions=data.draw(st.sampled_from([None, 60])),
        resets=data.draw(st.integers(1, 2)),
        move_isa=data.draw(st.booleans()),
        assume_clean=data.draw(st.booleans()),
    )
    inner = ExactSampler()
    job = HaloSampler(inner, target=TARGET, options=options, optimization_level=1).run(given_pubs)
    result = job.result()
    own = [
        (circuit, values[place], number, place)
        for circuit, values, number in pubs
        if circuit.cregs  # else there is nothing to show, and it is not run
        for place in np.ndindex(values.shape[:-1])
    ]
    sent = [pub for call in inner.calls for pub in call]
    for batch, pub in zip(job.plan.batches, sent, strict=True):
        verify_isolation(pub.circuit, target=TARGET, resets=options.resets)
        for row, cells in enumerate(batch.cells):
            bound = pub.parameter_values.bind(pub.circuit, (row,)) if pub.shape else pub.circuit
            for slot, program in enumerate(cells):
                if program is not None:
                    circuit, values, _, _ = own[program]
                    assert distribution_distance(bind(circuit, values), bound, slot) < 1e-9
    for (circuit, values, number), found in zip(pubs, result, strict=True):
        check_form(circuit, values.shape[:-1], number, found)


@settings(max_examples=200)
@given(st.lists(sampler_pubs(plain_circuits()), min_size=1, max_size=4), st.integers(0, 2**32))
def test_over_the_noise_free_local_sampler_counts_are_those_of_the_exact_distribution(pubs, seed):
    pytest.importorskip("qiskit_aer")
    from qiskit_halo.primitives.local import LocalSampler

    inner = LocalSampler(None, noise=False, seed=seed)
    options = HaloOptions(success_floor=0.0, max_batch_programs=8)
    result = HaloSampler(inner, target=TARGET, options=options, optimization_level=1).run(pubs).result()
    for (circuit, values, number), found in zip(pubs, result, strict=True):
        check_form(circuit, values.shape[:-1], number, found)
        for place in np.ndindex(values.shape[:-1]):
            bound = bind(circuit, values[place])
            for name, bits in found.data.items():
                if not bits.num_bits:
                    continue
                exact = outcome_distribution(bound, registers=[name])
                counts = bits[place].get_counts() if place else bits.get_counts()
                assert all(exact.get(key, 0.0) > 0 for key in counts)
                distance = sum(abs(counts.get(key, 0) / number - exact[key]) for key in exact) / 2
                assert distance < tolerance(len(exact), number)


def test_repeated_counts_of_a_program_have_binomial_spread():
    """Shots that were drawn twice, or thinned from a pool, would spread too much or too little."""
    circuit = QuantumCircuit(1)
    circuit.ry(2 * np.arcsin(np.sqrt(0.3)), 0)
    circuit.measure_all()
    sampler = HaloSampler(ExactSampler(seed=20), target=TARGET, options=HaloOptions(success_floor=0.0))
    shots, runs = 500, 400
    pubs = [(circuit, None, shots)] * runs
    ones = np.array([pub.data.meas.get_counts().get("1", 0) for pub in sampler.run(pubs).result()])
    chi_square = float(((ones - 0.3 * shots) ** 2).sum() / (shots * 0.3 * 0.7))
    # Normal limit of chi-square with 400 degrees: 6.1 standard deviations either way is 1e-9.
    assert abs(chi_square - runs) < 6.1 * np.sqrt(2 * runs)


def test_copies_of_a_program_are_independent():
    """Two copies in one merged circuit never show the same shots."""
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    options = HaloOptions(success_floor=0.0, max_batch_programs=6)
    sampler = HaloSampler(ExactSampler(seed=2), target=TARGET, options=options)
    job = sampler.run([circuit], shots=3000)
    (batch,) = job.plan.batches
    bits = job.result()[0].data.meas.array[..., 0].reshape(-1)[: batch.shots * (len(batch.slots) - 1)]
    copies = bits.reshape(-1, batch.shots).astype(float)
    correlation = np.corrcoef(copies)[np.triu_indices(len(copies), 1)]
    assert np.abs(correlation).max() < 6.1 / np.sqrt(batch.shots)


def check_form(circuit: QuantumCircuit, shape: tuple[int, ...], shots: int, found: SamplerPubResult) -> None:
    assert list(found.data) == [register.name for register in circuit.cregs]
    assert found.metadata["shots"] == shots
    for register in circuit.cregs:
        bits = found.data[register.name]
        assert (bits.shape, bits.num_shots, bits.num_bits) == (shape, shots, register.size)


def bind(circuit: QuantumCircuit, values: np.ndarray) -> QuantumCircuit:
    return circuit.assign_parameters(values) if circuit.num_parameters else circuit


def is_plain(circuit: QuantumCircuit) -> bool:
    """Whether Qiskit's own transpiler can be trusted with it: names and control flow are our own business."""
    names = Counter(instruction.name for instruction in circuit.data)
    return not circuit.has_control_flow_op() and not circuit.num_vars and "store" not in names


@pytest.fixture(autouse=True)
def quiet_about_registers():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The circuit of pub")
        yield
