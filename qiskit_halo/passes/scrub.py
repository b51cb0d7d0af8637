"""Random X gates before the resets of a hand-over, so that what a faulty reset leaves says nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

from qiskit.circuit import Barrier, CircuitInstruction, Delay, Operation, QuantumCircuit
from qiskit.circuit.library import SXGate, XGate
from qiskit.transpiler import Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.units import round_up

SCRUB_LABEL = "halo_scrub"
"""Label of every operation that scrubs a qubit, and of the delay where the draw says not to."""


def _draw_bit() -> int:
    return secrets.randbits(1)


class Scrubber:
    """Draws what comes before the resets of a hand-over.

    The draw must be nobody's to guess or repeat, so it comes from the operating system and takes no seed.

    Args:
        device: The device.
        gate: ``"x"``, or ``"sx"`` which is then played twice.
        pad: Whether delays can be written.
        draw_bit: Where bits come from; for tests.
    """

    def __init__(self, device: DeviceModel, gate: str, *, pad: bool, draw_bit: Callable[[], int] = _draw_bit) -> None:
        self._device = device
        self._gate = gate
        self._pad = pad
        self._draw_bit = draw_bit

    def step_dt(self, length_dt: int) -> int:
        """Return the ticks from the start of an operation of that length to that of the next."""
        return round_up(length_dt, self._device.alignment)

    def draw(self, qubit: int) -> Iterator[tuple[Operation, int]]:
        """Yield the operations of one draw with their lengths: pulses, or a delay that is as long."""
        length = self._device.duration_dt(self._gate, (qubit,)) if self._device.has_durations else 1
        pulses = 1 if self._gate == "x" else 2
        if self._draw_bit():
            for _ in range(pulses):
                yield (XGate(label=SCRUB_LABEL) if self._gate == "x" else SXGate(label=SCRUB_LABEL)), length
            return
        total = pulses * self.step_dt(length)
        if self._pad:
            delay = Delay(total, "dt")
            delay.label = SCRUB_LABEL
            yield delay, total
        else:
            yield Barrier(1, label=SCRUB_LABEL), total


def redraw_scrubs(
    circuit: QuantumCircuit, target: Target, num_circuits: int, *, draw_bit: Callable[[], int] = _draw_bit
) -> list[QuantumCircuit]:
    """Return copies of a scheduled circuit with every random X of ``HaloOptions(scrub=True)`` drawn anew in each.

    One circuit has one draw for all its shots. Split the shots of a batch over several, so that what a failed reset
    leaves averages out within the batch. Times stay as they are.

    Args:
        circuit: A circuit that the ``halo`` scheduling stage has made; it is not changed.
        target: Its device.
        num_circuits: How many to return.
        draw_bit: Where bits come from; the operating system by default, which is what makes the draws secret.
    """
    device = DeviceModel(target)
    gate = "x" if "x" in device.gates else "sx"
    scrubber = Scrubber(device, gate, pad="delay" in target.operation_names, draw_bit=draw_bit)
    return [_redraw(circuit, scrubber) for _ in range(num_circuits)]


def _redraw(circuit: QuantumCircuit, scrubber: Scrubber) -> QuantumCircuit:
    index_of = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    out = circuit.copy_empty_like()
    drawn: dict[int, None] = {}
    for instruction in circuit.data:
        if instruction.label != SCRUB_LABEL:
            out._append(instruction)
            if instruction.name != "delay":
                for qubit in instruction.qubits:
                    drawn.pop(index_of[qubit], None)
            continue
        wire = index_of[instruction.qubits[0]]
        if wire in drawn:
            continue  # the second pulse of the draw before
        drawn[wire] = None
        for operation, _ in scrubber.draw(wire):
            out._append(CircuitInstruction(operation, instruction.qubits, ()))
    return out
