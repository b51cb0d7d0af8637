from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.transpiler import InstructionProperties

from benchmarks.evaluation.measures.device import Calibration
from benchmarks.evaluation.measures.extract import Part, Ties
from benchmarks.evaluation.measures.isolation import judge_isolation
from benchmarks.evaluation.measures.ledger import read_ledger
from benchmarks.evaluation.measures.noisy import Simulator, shots_for
from benchmarks.evaluation.measures.steps import read_steps
from benchmarks.evaluation.measures.tenants import find_tenants
from benchmarks.evaluation.reference import Reference, fidelity, frequencies, hellinger, reference_of
from qiskit_halo import LocalSampler, MultiProgramCircuit, generate_halo_pass_manager, predict_success
from tests.targets import TargetBackend, make_target, noisy_backend

# Durations: sx and x 40 ns, cz 300, measure 1000, reset 800; errors 1e-3, 1e-2, 2e-2.


def merged(num_qubits: int, *sizes: int) -> QuantumCircuit:
    """An empty batch: program k has a register p<k>_c of the given size."""
    registers = [ClassicalRegister(size, f"p{index}_c") for index, size in enumerate(sizes)]
    return QuantumCircuit(QuantumRegister(num_qubits, "q"), *registers)


def shared_line() -> QuantumCircuit:
    """Program 0 on wires 0 and 1, then program 1 on wire 1 after two resets, with a wait of 60 ns."""
    circuit = merged(3, 1, 1)
    circuit.sx(0)  # 0 to 40
    circuit.cz(0, 1)  # 40 to 340
    circuit.measure(0, 0)  # 340 to 1340
    circuit.reset(1)  # to 1140
    circuit.reset(1)  # to 1940
    circuit.sx(1)  # to 1980
    circuit.delay(60, 1, unit="ns")
    circuit.measure(1, 1)  # 2040 to 3040
    return circuit


def test_ledger_by_hand() -> None:
    ledger = read_ledger(shared_line(), Calibration(make_target(3)))
    assert ledger.makespan_s == pytest.approx(3040e-9)
    assert ledger.reset_s == pytest.approx(800e-9)
    assert ledger.qubits == (0, 1)
    assert ledger.busy_s == pytest.approx((1340 + 300 + 1100) * 1e-9)
    assert ledger.resets_s == pytest.approx(1600e-9)
    assert (ledger.between, ledger.within, ledger.two_qubit, ledger.crossing, ledger.dead) == (1, 0, 1, 0, 0)
    assert ledger.success[0] == pytest.approx(0.999 * 0.99 * 0.98)
    assert ledger.success[1] == pytest.approx(0.999 * 0.98 * (1 - 0.5 * 0.02**2))  # no T1: waiting is free
    assert ledger.success_flips == pytest.approx({0: ledger.success[0], 1: 0.999 * 0.98 * (1 - 0.02)})


def test_waiting_costs_what_t1_and_t2_say() -> None:
    backend = noisy_backend(3)
    ledger = read_ledger(shared_line(), Calibration(backend.target))
    t1, t2, gap = 80e-6, 120e-6, 60e-9
    idle = (1 + math.exp(-gap / t1) + 2 * math.exp(-gap / t2)) / 4
    assert ledger.success[1] == pytest.approx(0.999 * 0.98 * (1 - 0.5 * 0.02**2) * idle, abs=1e-12)


def test_hand_over_within_a_program() -> None:
    circuit = merged(1, 2)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.measure(0, 1)
    ledger = read_ledger(circuit, Calibration(make_target(1)))
    assert (ledger.between, ledger.within) == (0, 1)


def swapped(circuit: QuantumCircuit, first: int, second: int) -> None:
    """A SWAP in the device's gates: three CX, each a CZ between two H."""
    for target, control in ((second, first), (first, second), (second, first)):
        for step in ("h", "cz", "h"):
            if step == "cz":
                circuit.cz(control, target)
            else:
                circuit.rz(math.pi / 2, target)
                circuit.sx(target)
                circuit.rz(math.pi / 2, target)


def two_programs(between: Callable[[QuantumCircuit], None], *, exchanged: bool) -> dict[int, tuple[int, ...]]:
    """Who owns the states of each step: program 0 on wires 0 and 1, program 1 on wire 2, and something between."""
    circuit = merged(3, 2, 1)
    circuit.sx(0)
    circuit.cz(0, 1)
    circuit.sx(2)
    between(circuit)
    circuit.measure(0, 0)
    circuit.measure(2 if exchanged else 1, 1)
    circuit.measure(1 if exchanged else 2, 2)
    steps = read_steps(circuit, make_target(3))
    tenants = find_tenants(circuit, steps)
    return {step.position: tenants.programs(tenants.of_step[step.position]) for step in steps}


def test_a_swap_exchanges_owners_and_joins_nobody() -> None:
    owners = two_programs(lambda circuit: swapped(circuit, 1, 2), exchanged=True)
    assert [owners[position] for position in range(4)] == [(0,), (0,), (1,), (1,)]
    assert {owners[position] for position in range(6, len(owners) - 3)} == {(0, 1)}
    assert [owners[position] for position in range(len(owners) - 3, len(owners))] == [(0,), (0,), (1,)]


def test_gates_that_undo_each_other_join_nobody() -> None:
    def twice(circuit: QuantumCircuit) -> None:
        circuit.cz(1, 2)
        circuit.rz(0.3, 2)
        circuit.cz(2, 1)

    assert two_programs(twice, exchanged=False)[1] == (0,)


def test_an_entangling_gate_joins() -> None:
    owners = two_programs(lambda circuit: circuit.cz(1, 2), exchanged=False)
    assert set(owners.values()) == {(0, 1)}


def test_a_swap_between_programs_is_charged_to_both_and_counted() -> None:
    circuit = merged(2, 1, 1)
    circuit.sx(0)
    circuit.x(1)
    swapped(circuit, 0, 1)
    circuit.measure(1, 0)
    circuit.measure(0, 1)
    ledger = read_ledger(circuit, Calibration(make_target(2)))
    assert ledger.crossing == ledger.two_qubit == 3
    # One gate before the block, one gate of the block before its first CZ, which is still its owner's alone.
    own = 0.999 * 0.98
    assert ledger.success[0] == pytest.approx(own * 0.99**3 * 0.999**5)
    assert ledger.success[1] == pytest.approx(own * 0.99**3 * 0.999**6)
    assert judge_isolation(circuit, make_target(2)).joined == 2


def test_isolation_verdict() -> None:
    good = judge_isolation(shared_line(), make_target(3))
    assert (good.joined, good.violation) == (0, "")
    bad = shared_line()
    bad.cz(1, 2)
    bad.sx(2)
    far = judge_isolation(bad, make_target(3, couplers=[(0, 1)]))
    assert "the target does not have it there" in far.violation


def test_dead_operations_are_counted() -> None:
    target = make_target(3)
    target.update_instruction_properties("cz", (0, 1), InstructionProperties(duration=300e-9, error=1.0))
    ledger = read_ledger(shared_line(), Calibration(target))
    assert ledger.dead == 1
    assert ledger.success[0] < 1e-10


def test_ledger_agrees_with_the_package_where_no_wire_is_shared() -> None:
    target = noisy_backend(8).target
    circuit = QuantumCircuit(4, 4)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 3)
    circuit.cx(0, 2)
    circuit.measure(range(4), range(4))
    compiled = generate_halo_pass_manager(2, target=target, seed_transpiler=0).run(
        MultiProgramCircuit([circuit]).circuit
    )
    ledger = read_ledger(compiled, Calibration(target))
    assert ledger.success[0] == pytest.approx(predict_success(compiled, target)[0], rel=1e-9)


def test_part_of_a_member_has_its_resets_and_waits_and_nobody_s_else() -> None:
    circuit = merged(3, 1, 1)
    circuit.delay(500, 0, unit="ns")  # a late start: nobody is alive yet
    circuit.compose(shared_line(), inplace=True)
    program = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "c"))
    steps = read_steps(circuit, make_target(3))
    first, second = (Ties(circuit, steps).part(member, program) for member in (0, 1))
    assert [(i.name, first.circuit.find_bit(i.qubits[0]).index) for i in first.circuit.data] == [
        ("sx", 0),
        ("cz", 0),
        ("measure", 0),
    ]
    assert first.num_wires == 2
    assert [i.name for i in second.circuit.data] == ["reset", "x", "reset", "reset", "sx", "delay", "measure"]
    assert (second.num_wires, [register.name for register in second.circuit.cregs]) == (1, ["c"])
    assert first.key != second.key == Ties(circuit, steps).part(1, program).key


def test_part_of_joined_members_holds_both() -> None:
    circuit = merged(2, 1, 1)
    circuit.sx(0)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [0, 1])
    program = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "c"))
    part = Ties(circuit, read_steps(circuit, make_target(2))).part(1, program)
    assert part.num_wires == 2
    assert [register.name for register in part.circuit.cregs] == ["c", "everybody_else"]
    measured = {
        part.circuit.find_bit(i.qubits[0]).index: part.circuit.find_bit(i.clbits[0]).index
        for i in part.circuit.data
        if i.name == "measure"
    }
    assert measured == {0: 1, 1: 0}


def test_noisy_simulation_of_a_part() -> None:
    pytest.importorskip("qiskit_aer")
    circuit = merged(3, 2)
    circuit.x(0)
    circuit.measure([0, 2], [0, 1])
    program = QuantumCircuit(QuantumRegister(2), ClassicalRegister(2, "c"))
    backend = TargetBackend(make_target(3))
    part = Ties(circuit, read_steps(circuit, backend.target)).part(0, program)
    found, again = (Simulator(backend, 3).simulate(part, 20_000, "stays") for _ in range(2))
    assert found == again == Simulator(TargetBackend(make_target(3)), 3).simulate(part, 20_000, "flips"), "no resets"
    assert found != Simulator(backend, 4).simulate(part, 20_000, "stays")
    assert not isinstance(found, str)
    # The right outcome: two readouts of 2 % and one X whose depolarizing error of 2e-3 flips half of the time.
    assert abs(found["01"] - 0.98**2 * (1 - 1e-3)) < math.sqrt((4 * math.log(2) + math.log(1e9)) / (2 * 20_000))


def test_outcomes_of_several_registers_read_as_one_number() -> None:
    pytest.importorskip("qiskit_aer")
    registers = [ClassicalRegister(1, "p0_low"), ClassicalRegister(2, "p0_high")]
    circuit = QuantumCircuit(QuantumRegister(3, "q"), *registers)
    circuit.x([0, 1])
    circuit.measure(range(3), range(3))
    program = QuantumCircuit(QuantumRegister(3), ClassicalRegister(1, "low"), ClassicalRegister(2, "high"))
    backend = TargetBackend(make_target(3))
    part = Ties(circuit, read_steps(circuit, backend.target)).part(0, program)
    found = Simulator(backend, 0).simulate(part, 200, "stays")
    assert not isinstance(found, str)
    assert max(found, key=lambda key: found[key]) == "011"


def test_a_part_that_cannot_be_simulated_says_why_and_spares_the_others() -> None:
    pytest.importorskip("qiskit_aer")
    backend = TargetBackend(make_target(2))
    program = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "c"))
    parts = []
    for bad in (True, False):
        circuit = merged(2, 1)
        if bad:
            circuit.t(0)  # the device has no such gate
        circuit.measure(0, 0)
        parts.append((Ties(circuit, read_steps(circuit, backend.target)).part(0, program), 100))
    reason, found = (Simulator(backend, 0).simulate(*part, "stays") for part in parts)
    assert isinstance(reason, str)
    assert "the device has no 't'" in reason
    assert not isinstance(found, str)
    assert sum(found.values()) == pytest.approx(1)


def after_somebody(program: QuantumCircuit, backend: TargetBackend) -> Part:
    """One measurement on a wire that another state had before two resets."""
    circuit = merged(1, 1, 1)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.reset(0)
    circuit.measure(0, 1)
    return Ties(circuit, read_steps(circuit, backend.target)).part(1, program)


def test_either_model_of_resets_is_simulated_and_priced() -> None:
    pytest.importorskip("qiskit_aer")
    backend = TargetBackend(make_target(1))
    backend.target.update_instruction_properties("measure", (0,), InstructionProperties(duration=1e-6, error=0.2))
    program = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "c"))
    part = after_somebody(program, backend)
    calibration = Calibration(backend.target)
    simulator = Simulator(backend, 1)
    for model, excited in (("stays", 0.5 * 0.2**2), ("flips", 0.2)):
        assert calibration.log_handover(0, 2, flips=model == "flips") == pytest.approx(math.log(1 - excited))
        found = simulator.simulate(part, 20_000, model)
        assert not isinstance(found, str)
        expected = 0.8 * (1 - excited) + 0.2 * excited
        assert abs(found["0"] - expected) < math.sqrt((2 * math.log(2) + math.log(1e9)) / (2 * 20_000))


def test_a_part_is_simulated_once_for_everybody_who_uses_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("qiskit_aer")
    backend = TargetBackend(make_target(1))
    program = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "c"))
    part = after_somebody(program, backend)
    first = {model: Simulator(backend, 0, tmp_path).simulate(part, 50, model) for model in ("stays", "flips")}
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(LocalSampler, "run", None)
    for model in first:
        assert Simulator(backend, 0, tmp_path).simulate(part, 50, model) == first[model]
    with pytest.raises(TypeError):
        Simulator(backend, 1, tmp_path).simulate(part, 50, "stays")


def test_shots_depend_on_the_program_alone() -> None:
    assert [shots_for(QuantumCircuit(width)) for width in (4, 7, 8, 9, 10, 40)] == [512, 512, 256, 128, 64, 64]


def test_distances_by_hand() -> None:
    first, second = {"00": 0.5, "11": 0.5}, {"00": 0.25, "01": 0.75}
    assert fidelity(first, second) == pytest.approx(0.25)
    assert hellinger(first, second) == pytest.approx(0.125)
    assert fidelity(first, first) == hellinger(first, first) == pytest.approx(1)
    assert frequencies({"0": 1, "1": 3}) == {"0": 0.25, "1": 0.75}


def test_floor_and_ceiling() -> None:
    sure = Reference({"101": 1.0}, 3)
    assert sure.ceiling(1000, 0) == 1
    assert sure.floor(1000, 0) == pytest.approx(1 / 8, abs=0.03)
    assert sure.floor(1000, 0) == sure.floor(1000, 0) != sure.floor(1000, 1)
    flat = Reference({"0": 0.5, "1": 0.5}, 1)
    assert flat.floor(1000, 0) > 0.95
    assert 0.95 < flat.ceiling(1000, 0) < 1
    assert flat.ceiling(10, 0) < flat.ceiling(1000, 0)


def test_reference_of_a_program_with_too_many_outcomes() -> None:
    circuit = QuantumCircuit(17, 17)
    circuit.h(range(17))
    circuit.measure(range(17), range(17))
    assert reference_of(circuit) is None
    bell = QuantumCircuit(2, 2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure([0, 1], [0, 1])
    found = reference_of(bell)
    assert found is not None
    assert found.distribution == pytest.approx({"00": 0.5, "11": 0.5})
