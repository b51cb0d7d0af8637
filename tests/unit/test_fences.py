from __future__ import annotations

from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.transpiler import InstructionProperties, Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.fences import find_fences
from qiskit_halo.timeline.timeline import make_timeline
from tests.targets import make_target


def circuit_on(*qubits: int, num_qubits: int = 4, dynamic: bool = True) -> QuantumCircuit:
    """Program k on the k-th of ``qubits``; the first has a branch."""
    circuit = QuantumCircuit(
        QuantumRegister(num_qubits, "q"), *(ClassicalRegister(1, f"p{k}_c") for k in range(len(qubits)))
    )
    seen: dict[int, None] = {}
    for k, qubit in enumerate(qubits):
        if qubit in seen:
            circuit.reset(qubit)
        seen[qubit] = None
        circuit.measure(qubit, k)
        if dynamic and k == 0:
            with circuit.if_test((circuit.clbits[0], 1)):
                circuit.x(qubit)
    return circuit


def fences(circuit: QuantumCircuit, buffer: int, target: Target | None = None) -> dict[int, tuple[int, ...]]:
    device = DeviceModel(target or make_target(circuit.num_qubits))
    timeline = make_timeline(circuit, device, HaloOptions(buffer=buffer))
    return find_fences(timeline, device, buffer)


def test_neighbours_are_fenced_where_times_are_a_bound() -> None:
    assert fences(circuit_on(0, 1, 3), 1) == {2: (0, 1)}
    assert fences(circuit_on(0, 1, 3), 2) == {2: (0, 1, 3)}
    assert fences(circuit_on(0, 1, 3), 0) == {}


def test_delays_do_where_times_hold() -> None:
    assert fences(circuit_on(0, 1, 3, dynamic=False), 2) == {}


def test_the_wire_that_passes_on_is_fenced_to_the_others_of_its_taker() -> None:
    circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(1, "p0_c"), ClassicalRegister(2, "p1_c"))
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    circuit.reset(0)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [1, 2])
    assert fences(circuit, 1) == {1: (0, 1)}


def test_a_program_is_not_fenced_off_itself() -> None:
    circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(2, "p0_c"))
    for qubit in range(2):
        circuit.measure(qubit, qubit)
        with circuit.if_test((circuit.clbits[qubit], 1)):
            circuit.x(qubit)
    assert fences(circuit, 1) == {}


def test_devices_that_cannot_hold_times() -> None:
    circuit = circuit_on(0, 1, num_qubits=2, dynamic=False)
    assert fences(circuit, 1, make_target(2)) == {}
    assert fences(circuit, 1, make_target(2, durations=False)) == {1: (0, 1)}
    unknown = make_target(2)
    unknown.update_instruction_properties("measure", (0,), InstructionProperties(error=0.01))
    assert fences(circuit, 1, unknown) == {1: (0, 1)}
    source = make_target(2)
    without_delay = Target(num_qubits=2, dt=source.dt)
    for name in ("measure", "reset", "cz"):
        without_delay.add_instruction(source.operation_from_name(name), dict(source[name]), name=name)
    assert fences(circuit, 1, without_delay) == {1: (0, 1)}
