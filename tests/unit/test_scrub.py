from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.transpiler import InstructionProperties, PassManager, Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.options import HaloOptions
from qiskit_halo.passes import scrub
from qiskit_halo.passes.halo_scheduling import HaloScheduling
from qiskit_halo.passes.scrub import SCRUB_LABEL, Scrubber, redraw_scrubs
from tests.policies import AsGiven
from tests.schedule_checks import check_start_times, reload
from tests.targets import make_target


def passing_on(num_programs: int = 3) -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(1, "q"), *(ClassicalRegister(1, f"p{k}_c") for k in range(num_programs)))
    for k in range(num_programs):
        if k:
            circuit.reset(0)
        circuit.sx(0)
        circuit.measure(0, k)
    return circuit


def without_x(target: Target) -> Target:
    """The same device with ``sx`` only."""
    fewer = Target(num_qubits=target.num_qubits, dt=target.dt, pulse_alignment=target.pulse_alignment)
    for name in target.operation_names:
        if name != "x":
            operation = target.operation_from_name(name)
            fewer.add_instruction(operation, None if isinstance(operation, type) else target[name], name=name)
    return fewer


def drawing(*bits: int) -> Callable[[], int]:
    rest: Iterator[int] = iter(bits)
    return lambda: next(rest)


def scheduled(target: Target, monkeypatch: pytest.MonkeyPatch, *bits: int, **options: object) -> QuantumCircuit:
    draws = drawing(*bits)
    monkeypatch.setattr(scrub.secrets, "randbits", lambda _: draws())
    passes = PassManager([HaloScheduling(target, HaloOptions(scrub=True, resets=1, **options), policy=AsGiven())])  # type: ignore[arg-type]
    return passes.run(passing_on())


def row(circuit: QuantumCircuit) -> list[str]:
    return [i.name + ("*" if i.label == SCRUB_LABEL else "") for i in circuit.data]


ONE = ["sx", "measure"]


def test_a_draw_is_an_x_or_a_delay_that_is_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    target = make_target(1)
    circuit = scheduled(target, monkeypatch, 1, 0)
    assert row(circuit) == [*ONE, "x*", "reset", *ONE, "delay*", "reset", *ONE]
    check_start_times(circuit, target)
    starts = [start for i, start in zip(circuit.data, circuit.op_start_times, strict=True) if i.name == "reset"]
    assert starts == [1080, 1080 + 800 + 1040 + 40]


def test_without_an_x_there_are_two_sx(monkeypatch: pytest.MonkeyPatch) -> None:
    target = without_x(make_target(1, pulse_alignment=16))
    circuit = scheduled(target, monkeypatch, 1, 0)
    labelled = [name for name in row(circuit) if name.endswith("*")]
    assert labelled == ["sx*", "sx*", "delay*"]
    check_start_times(circuit, target)
    (again,) = redraw_scrubs(circuit, target, 1, draw_bit=drawing(0, 1))
    assert [name for name in row(again) if name.endswith("*")] == ["delay*", "sx*", "sx*"]


def test_without_delays_a_barrier_marks_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    full = make_target(1)
    target = Target(num_qubits=1)
    for name in ("sx", "x", "measure", "reset"):
        target.add_instruction(full.operation_from_name(name), {(0,): InstructionProperties()})
    with pytest.warns(match="states no durations"):
        circuit = scheduled(target, monkeypatch, 1, 0)
    assert row(circuit) == [*ONE, "x*", "reset", *ONE, "barrier*", "reset", *ONE]
    (again,) = redraw_scrubs(circuit, target, 1, draw_bit=drawing(0, 1))
    assert row(again) == [*ONE, "barrier*", "reset", *ONE, "x*", "reset", *ONE]


def test_a_device_without_either_gate_cannot_scrub() -> None:
    target = Target(num_qubits=1)
    for name in ("rz", "measure", "reset", "delay"):
        target.add_instruction(make_target(1).operation_from_name(name), {(0,): InstructionProperties()})
    with pytest.raises(HaloTranspilerError, match="scrub=True needs a gate x or sx, and the device has neither"):
        PassManager([HaloScheduling(target, HaloOptions(scrub=True))]).run(QuantumCircuit(1))


def test_draws_can_be_made_anew_after_saving(monkeypatch: pytest.MonkeyPatch) -> None:
    target = make_target(1)
    circuit = scheduled(target, monkeypatch, 1, 0)
    monkeypatch.undo()
    again, other = redraw_scrubs(reload(circuit), target, 2, draw_bit=drawing(0, 1, 1, 1))
    assert row(other).count("x*") == 2
    assert row(again) == [*ONE, "delay*", "reset", *ONE, "x*", "reset", *ONE]
    lengths = [i.operation.duration for i in again.data if i.label == SCRUB_LABEL and i.name == "delay"]
    assert lengths == [40]
    assert row(circuit) == [*ONE, "x*", "reset", *ONE, "delay*", "reset", *ONE]


def test_the_operating_system_draws_by_default() -> None:
    scrubber = Scrubber(DeviceModel(make_target(1)), "x", pad=True)
    names = [next(scrubber.draw(0))[0].name for _ in range(200)]
    # Both occur, but for a chance of 2 in 2**200.
    assert set(names) == {"x", "delay"}


def test_nothing_says_what_was_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    ones = scheduled(make_target(1), monkeypatch, 1, 1)
    zeros = scheduled(make_target(1), monkeypatch, 0, 0)
    assert ones.metadata == zeros.metadata
    assert [register.name for register in ones.cregs] == ["p0_c", "p1_c", "p2_c"]


def chance_of_1(circuit: QuantumCircuit, epsilon: float) -> float:
    """What the second program reads on a qubit whose resets do nothing with probability ``epsilon``."""
    chance = 0.0
    for instruction in circuit.data:
        if instruction.name == "x":
            chance = 1 - chance
        elif instruction.name == "reset":
            chance *= epsilon
    return chance


@pytest.mark.parametrize("resets", [1, 2, 3])
@pytest.mark.parametrize("epsilon", [0.005, 0.1])
def test_what_failing_resets_leave_tells_nothing_of_who_was_there(resets: int, epsilon: float) -> None:
    target = make_target(1)

    def read(left: int, draw: int | None) -> float:
        circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(1, "p0_c"), ClassicalRegister(1, "p1_c"))
        if left:
            circuit.x(0)
        circuit.measure(0, 0)
        circuit.reset(0)
        circuit.measure(0, 1)
        options = HaloOptions(scrub=draw is not None, resets=resets)
        scheduled = PassManager([HaloScheduling(target, options, policy=AsGiven())]).run(circuit)
        if draw is not None:
            (scheduled,) = redraw_scrubs(scheduled, target, 1, draw_bit=lambda: draw)
        return chance_of_1(scheduled, epsilon)

    assert read(1, None) - read(0, None) == pytest.approx(epsilon**resets)
    # Over a fair coin the two cases are the same.
    assert read(1, 0) + read(1, 1) == pytest.approx(read(0, 0) + read(0, 1), abs=1e-15)
