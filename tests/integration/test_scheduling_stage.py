"""The scheduling stage behind every way to get to it, on exact distributions."""

from __future__ import annotations

import warnings
from unittest.mock import patch

import pytest
from qiskit import transpile
from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.transpiler import Target

from qiskit_halo import (
    HaloOptions,
    HaloReport,
    HaloWarning,
    MultiProgramCircuit,
    generate_halo_pass_manager,
    verify_isolation,
)
from qiskit_halo.verification.equivalence import distribution_distance
from tests.schedule_checks import check_start_times, qpy_bytes
from tests.targets import make_target

OPTIONS = {
    "defaults": HaloOptions(),
    "round robin that waits": HaloOptions(policy="round_robin", max_wait_s=1.0, success_floor=0.0, weights=(2, 1, 1)),
    "packed, scrubbed, decoupled": HaloOptions(policy="packed", scrub=True, idle_fill="dd", resets=3),
    "no trust, helpers only": HaloOptions(assume_clean=False, sharing="helpers", resets=1),
}


def parity(rounds: int) -> QuantumCircuit:
    """Two data qubits whose parity one helper measures again and again."""
    circuit = QuantumCircuit(
        QuantumRegister(2, "q"),
        AncillaRegister(1, "anc"),
        ClassicalRegister(rounds, "s"),
        ClassicalRegister(2, "c"),
        name="parity",
    )
    circuit.h(0)
    for bit in range(rounds):
        circuit.cx([0, 1], 2)
        circuit.measure(2, bit)
        circuit.reset(2)
    circuit.measure([0, 1], circuit.cregs[1])
    return circuit


def programs() -> list[QuantumCircuit]:
    bell = QuantumCircuit(2, 2, name="bell")
    bell.h(0)
    bell.cx(0, 1)
    bell.delay(500, 0, "ns")
    bell.measure([0, 1], [0, 1])
    return [parity(3), bell, parity(2)]


def check(batch: MultiProgramCircuit, compiled: QuantumCircuit, target: Target, options: HaloOptions) -> HaloReport:
    verify_isolation(compiled, target=target, resets=options.resets)
    for index, program in enumerate(batch.programs):
        assert distribution_distance(program.circuit, compiled, index) < 1e-12
    check_start_times(compiled, target)
    return HaloReport.from_dict(compiled.metadata["halo"]["report"])


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_both_stages(level: int, options: HaloOptions) -> None:
    # Four qubits for eight: everybody waits for somebody. Data apart needs them all.
    target = make_target(9 if options.sharing == "helpers" else 4)
    batch = MultiProgramCircuit(programs(), options=options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HaloWarning)  # on so small a device no floor can be kept
        compiled = generate_halo_pass_manager(level, target=target, seed_transpiler=1).run(batch.circuit)
    report = check(batch, compiled, target, options)
    assert report.policy == options.policy
    assert all(program.wait_s <= options.max_wait_s for program in report.programs)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_scheduling_alone_over_a_layout_of_qiskits(options: HaloOptions) -> None:
    target = make_target(9)
    batch = MultiProgramCircuit(programs(), options=options)
    # Each program on qubits of its own: routing has no reason to join them.
    layout = [0, 2, 3, 4, 6, 8, 1, 7]
    with warnings.catch_warnings():
        warnings.simplefilter("error", HaloWarning)
        compiled = transpile(
            batch.circuit, target=target, initial_layout=layout, scheduling_method="halo", seed_transpiler=1
        )
    check(batch, compiled, target, options)


def test_the_same_circuit_comes_out_again_unless_it_is_scrubbed() -> None:
    target = make_target(4)

    def compiled(**options: object) -> bytes:
        batch = MultiProgramCircuit(programs(), options=HaloOptions(success_floor=0.0, **options))  # type: ignore[arg-type]
        return qpy_bytes(generate_halo_pass_manager(1, target=target, seed_transpiler=1).run(batch.circuit))

    assert compiled() == compiled()
    with patch("qiskit_halo.passes.scrub.secrets.randbits", lambda _: 0):
        zeros = compiled(scrub=True)
    with patch("qiskit_halo.passes.scrub.secrets.randbits", lambda _: 1):
        assert compiled(scrub=True) != zeros
