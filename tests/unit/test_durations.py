from __future__ import annotations

from collections.abc import Callable

import pytest
from qiskit.circuit import Duration, Parameter, QuantumCircuit
from qiskit.circuit.classical import expr
from qiskit.transpiler import InstructionProperties

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.durations import LOOP_ROUNDS, Durations
from qiskit_halo.fragments.measure import sites_of
from qiskit_halo.options import FEED_FORWARD_S
from tests.targets import make_target

LATENCY = round(FEED_FORWARD_S / 2e-9)


def length(build: Callable[[QuantumCircuit], object], **target: object) -> int:
    """Ticks (of 2 ns) of the last operation that ``build`` adds to two qubits."""
    circuit = QuantumCircuit(2, 2)
    build(circuit)
    instruction = circuit.data[-1]
    durations = Durations(DeviceModel(make_target(2, **{"dt": 2e-9, **target})))
    return durations.of(instruction, [circuit.find_bit(q).index for q in instruction.qubits])


@pytest.mark.parametrize(
    ("build", "ticks"),
    [
        (lambda c: c.cz(1, 0), 150),
        (lambda c: c.measure(0, 0), 500),
        (lambda c: c.reset(0), 400),
        (lambda c: c.rz(0.1, 0), 0),
        (lambda c: c.barrier(), 0),
        (lambda c: c.h(0), 0),
        (lambda c: c.delay(7, 0), 7),
        (lambda c: c.delay(3, 0, "us"), 1500),
        (lambda c: c.delay(1e-6, 0, "s"), 500),
        (lambda c: c.delay(Parameter("t"), 0), 0),
        (lambda c: c.delay(c.add_stretch("s"), 0), 0),
        (lambda c: c.delay(expr.lift(Duration.dt(9)), 0), 9),
        (lambda c: c.delay(expr.add(c.add_stretch("s"), expr.mul(3, Duration.ns(40))), 0), 60),
        (lambda c: c.delay(expr.sub(expr.div(Duration.us(1), 2), Duration.ns(100)), 0), 200),
        (lambda c: c.delay(expr.sub(Duration.ns(10), Duration.ns(20)), 0), 0),
        (lambda c: c.store(c.add_var("v", False), True), 0),
    ],
)
def test_operations(build: Callable[[QuantumCircuit], object], ticks: int):
    assert length(build) == ticks


def branch(circuit: QuantumCircuit) -> None:
    with circuit.if_test((0, 1)) as otherwise:
        circuit.x(0)
        circuit.x(1)
    with otherwise:
        circuit.cz(0, 1)
        circuit.measure(0, 0)


def repeat(circuit: QuantumCircuit) -> None:
    with circuit.for_loop(range(3)):
        circuit.cz(0, 1)


def wait(circuit: QuantumCircuit) -> None:
    with circuit.while_loop((0, 0)):
        circuit.measure(0, 0)


def boxed(duration: object, unit: str | None = None) -> Callable[[QuantumCircuit], None]:
    def build(circuit: QuantumCircuit) -> None:
        with circuit.box(duration=duration, unit=unit):
            circuit.x(0)

    return build


@pytest.mark.parametrize(
    ("build", "ticks"),
    [
        (branch, LATENCY + 650),
        (repeat, LATENCY + 450),
        (wait, LATENCY + LOOP_ROUNDS * 500),
        (boxed(None), 20),
        (boxed(1, "us"), 500),
        (boxed(10, "ns"), 20),
        (boxed(expr.lift(Duration.us(2))), 1000),
    ],
)
def test_control_flow(build: Callable[[QuantumCircuit], object], ticks: int):
    assert length(build) == ticks


@pytest.mark.parametrize(
    ("build", "ticks"),
    [
        (lambda c: c.cz(0, 1), 1),
        (lambda c: c.delay(50, 0), 1),
        (lambda c: c.barrier(), 0),
        (branch, 1),
        (lambda c: c.store(c.add_var("v", False), True), 0),
    ],
)
def test_without_durations_operations_on_qubits_take_one_tick(build: Callable[[QuantumCircuit], object], ticks: int):
    assert length(build, durations=False) == ticks


def test_the_latency_is_the_users() -> None:
    circuit = QuantumCircuit(1, 1)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    device = DeviceModel(make_target(1), feed_forward_s=2e-6)
    assert Durations(device).of(circuit.data[0], [0]) == 2000 + 40


def test_a_whole_body_takes_what_each_operation_takes():
    target = make_target(3)
    target.update_instruction_properties("sx", (2,), InstructionProperties(duration=60e-9, error=0.0))
    circuit = QuantumCircuit(3, 1)
    circuit.sx([0, 1, 2, 1])
    circuit.delay(7, 0)
    circuit.delay(70, 0)
    circuit.measure(1, 0)
    with circuit.if_test((0, 1)):
        circuit.sx(0)
    with circuit.if_test((0, 1)):
        circuit.cz(0, 2)
    circuit.barrier()
    sites = sites_of(circuit)
    for device in (DeviceModel(target), DeviceModel(make_target(3, durations=False))):
        for physical in ((0, 1, 2), (2, 1, 0)):
            durations = Durations(device)
            assert durations.of_all(circuit.data, sites, physical) == [
                durations.of(instruction, [physical[site] for site in where])
                for instruction, where in zip(circuit.data, sites, strict=True)
            ]
