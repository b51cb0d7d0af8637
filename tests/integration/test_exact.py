"""The whole way, on devices as they are: isolated, made of what the device has, and exact for every program."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Sequence

import pytest
from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import ECRGate
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import CouplingMap, PassManager, Target
from qiskit_ibm_runtime import fake_provider

from qiskit_halo import (
    CheckIsolation,
    HaloError,
    HaloLayout,
    HaloOptions,
    HaloScheduling,
    HaloWarning,
    MultiProgramCircuit,
    generate_halo_pass_manager,
    verify_isolation,
)
from qiskit_halo.verification.equivalence import distribution_distance
from tests.finished_circuit import check_isolated, check_supported, dense_distance, read_finished
from tests.programs import all_programs
from tests.targets import CONTROL_FLOW, make_target

TOLERANCE = 1e-9
LEVELS = [0, 1, 2, 3]


@functools.cache
def device(name: str) -> Target:
    if name == "grid":
        coupling = CouplingMap.from_grid(4, 4)
        return GenericBackendV2(16, coupling_map=coupling, control_flow=True, seed=1).target
    if name == "line":
        return make_target(9)
    if name == "directed line":
        return make_target(9, gate=ECRGate, directed=True)
    with warnings.catch_warnings():
        # FakeNighthawk says that its error values are not typical.
        warnings.simplefilter("ignore")
        return getattr(fake_provider, name)().target


def bound(batch: MultiProgramCircuit, programs: Sequence[QuantumCircuit], compiled: QuantumCircuit):
    """The compiled circuit and the programs with values of their own for their parameters."""
    values, originals = {}, []
    for k, program in enumerate(programs):
        own = {p: 0.1 + 0.37 * i + 0.2 * k for i, p in enumerate(program.parameters)}
        values |= {batch.parameters[k][p]: value for p, value in own.items()}
        originals.append(program.assign_parameters(own))
    return compiled.assign_parameters(values, strict=False), originals


def judge(
    batch: MultiProgramCircuit, programs: Sequence[QuantumCircuit], compiled: QuantumCircuit, target: Target
) -> None:
    compiled, originals = bound(batch, programs, compiled)
    finished = read_finished(compiled)
    check_isolated(finished, resets=HaloOptions().resets)
    check_supported(compiled, target)
    verify_isolation(compiled, target=target, resets=HaloOptions().resets)
    for k, program in enumerate(originals):
        assert distribution_distance(program, compiled, k) < TOLERANCE, f"program {k}"
        assert dense_distance(program, finished, k) < TOLERANCE, f"program {k}, by brute force"


def programs_for(target: Target) -> list[QuantumCircuit]:
    return all_programs([name for name in CONTROL_FLOW if name in target.operation_names])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "name", ["FakeTorino", "FakeSherbrooke", "FakeFez", "FakeNighthawk", "grid", "line", "directed line"]
)
def test_both_stages(name: str, level: int) -> None:
    target = device(name)
    programs = programs_for(target)
    batch = MultiProgramCircuit(programs)
    compiled = transpile(
        batch.fold(target.num_qubits),
        target=target,
        layout_method="halo",
        scheduling_method="halo",
        optimization_level=level,
        seed_transpiler=5,
    )
    judge(batch, programs, compiled, target)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["grid", "directed line"])
def test_layout_alone(name: str, level: int) -> None:
    target = device(name)
    programs = programs_for(target)
    batch = MultiProgramCircuit(programs)
    compiled = transpile(
        batch.fold(target.num_qubits),
        target=target,
        layout_method="halo",
        optimization_level=level,
        seed_transpiler=5,
    )
    judge(batch, programs, compiled, target)


@pytest.mark.parametrize("scheduling", ["alap", "asap"])
def test_layout_alone_before_qiskits_scheduling(scheduling: str) -> None:
    target = device("directed line")
    programs = all_programs([])
    batch = MultiProgramCircuit(programs)
    compiled = transpile(
        batch.fold(target.num_qubits),
        target=target,
        layout_method="halo",
        scheduling_method=scheduling,
        seed_transpiler=5,
    )
    judge(batch, programs, compiled, target)


@pytest.mark.parametrize("level", LEVELS)
def test_scheduling_alone_is_exact_and_names_who_is_joined(level: int) -> None:
    target = device("grid")
    programs = programs_for(target)[:5]
    batch = MultiProgramCircuit(programs)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        compiled = transpile(
            batch.fold(target.num_qubits),
            target=target,
            scheduling_method="halo",
            layout_method="sabre",
            optimization_level=level,
            seed_transpiler=5,
        )
    joined = [str(w.message) for w in caught if issubclass(w.category, HaloWarning)]
    compiled, originals = bound(batch, programs, compiled)
    for k, program in enumerate(originals):
        assert distribution_distance(program, compiled, k) < TOLERANCE, f"program {k}"
    owners = [part.owners for part in read_finished(compiled).parts]
    for group in (group for group in owners if len(group) > 1):
        assert any(all(f"{k} (" in text for k in group) for text in joined), f"{group} joined without a word"


@pytest.mark.parametrize("level", LEVELS)
def test_pass_manager_takes_circuits_wider_than_the_device(level: int) -> None:
    target = device("line")
    programs = programs_for(target)
    batch = MultiProgramCircuit(programs)
    assert batch.circuit.num_qubits > target.num_qubits
    compiled = generate_halo_pass_manager(level, target=target, seed_transpiler=5).run(batch.circuit)
    assert compiled.num_qubits == target.num_qubits
    judge(batch, programs, compiled, target)


def test_passes_in_a_pass_manager_of_ones_own() -> None:
    target = device("grid")
    programs = programs_for(target)
    batch = MultiProgramCircuit(programs)
    passes = PassManager([HaloLayout(target, seed=5), HaloScheduling(target), CheckIsolation(target)])
    judge(batch, programs, passes.run(batch.circuit), target)


def left_early(jump: str) -> QuantumCircuit:
    """A loop that ends or goes on early, with gates between three qubits before and after it."""
    circuit = QuantumCircuit(4, 4)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.cx(0, 2)
    circuit.cx(2, 3)
    circuit.measure(0, 0)
    with circuit.for_loop(range(3)):
        circuit.ry(0.8, 1)
        circuit.cx(1, 2)
        circuit.measure(1, 1)
        with circuit.if_test((circuit.clbits[1], 1)):
            getattr(circuit, jump)()
        circuit.ry(0.3, 2)
    circuit.cx(0, 3)
    circuit.measure([2, 3], [2, 3])
    return circuit


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("jump", ["break_loop", "continue_loop"])
def test_loops_that_are_left_early(jump: str, level: int) -> None:
    target = device("line")
    programs = [left_early(jump), *programs_for(target)[:2]]
    batch = MultiProgramCircuit(programs)
    compiled = generate_halo_pass_manager(level, target=target, seed_transpiler=5).run(batch.circuit)
    judge(batch, programs, compiled, target)


def test_a_loop_that_would_have_to_be_routed_is_an_error() -> None:
    circuit = QuantumCircuit(4, 4, name="crowded")
    circuit.h(range(4))
    with circuit.for_loop(range(3)):
        for a in range(4):
            for b in range(a):
                circuit.cx(a, b)
        circuit.measure(1, 1)
        with circuit.if_test((circuit.clbits[1], 1)):
            circuit.break_loop()
    circuit.measure(range(4), range(4))
    batch = MultiProgramCircuit([circuit])
    with pytest.raises(HaloError, match=r"Program 0 \('crowded'\) has a loop with break_loop or continue_loop"):
        generate_halo_pass_manager(2, target=device("line")).run(batch.circuit)


def test_five_hundred_programs() -> None:
    target = device("grid")
    bell = QuantumCircuit(2, 2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure([0, 1], [0, 1])
    flip = QuantumCircuit(1, 1)
    flip.x(0)
    flip.measure(0, 0)
    programs = [bell, flip] * 250
    compiled = generate_halo_pass_manager(1, target=target).run(MultiProgramCircuit(programs).circuit)
    check_isolated(read_finished(compiled), resets=HaloOptions().resets)
    for k in range(0, 500, 41):
        assert distribution_distance(programs[k], compiled, k) < TOLERANCE
