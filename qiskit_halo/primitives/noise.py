"""The noise of a device, built only for the operations that a circuit uses."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from qiskit.circuit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.transpiler import InstructionProperties, QubitProperties, Target

from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import ResetModel
from qiskit_halo.primitives.channels import mixed_unitary_part

if TYPE_CHECKING:
    from qiskit_aer.noise import NoiseModel, QuantumError, ReadoutError


class DeviceNoise:
    """Errors of a device, each under a label of its own, made when first asked for and then kept.

    A label names a place, such as ``"halo cz 17 18"``. A gate that carries the label suffers that error wherever
    it is put in a simulated circuit, so components are simulated on a few qubits of their own. Places without error
    have no label: the methods then return ``None``.

    * **Gates** have the depolarizing and thermal relaxation errors of
      :func:`qiskit_aer.noise.device.basic_device_gate_errors`: together they match the error that the target states,
      with T2 cut to 2 T1. An error of 1 becomes the worst physical one; an unknown error leaves relaxation alone.
    * **Delays** relax with T1 and T2.
    * **Measurements** have the readout error of :func:`qiskit_aer.noise.device.basic_device_readout_errors`.
    * **Resets** fail with the error that the target states for them; where it states none, with that of a readout. By
      ``reset_model`` a reset that fails leaves the populations as they were (``"stays"``, as predicted success has
      it), or does the opposite of what it should (``"flips"``: a measurement that errs, and an X if it read 1, so that a qubit
      in 0 is flipped as well). ``"flips"`` tells the readout errors of 0 and 1 apart where the target does.

    Args:
        backend: The device.
        reset_model: How resets fail.
    """

    def __init__(self, backend: BackendV2, reset_model: ResetModel = "stays") -> None:
        self._backend = backend
        self._reset_model = reset_model
        self._errors: dict[str, QuantumError | None] = {}

    def with_reset_model(self, reset_model: ResetModel) -> DeviceNoise:
        """Return the same noise but for resets; errors that either has made serve both."""
        other = copy.copy(self)
        other._reset_model = reset_model
        return other

    @property
    def num_qubits(self) -> int | None:
        """Number of qubits of the device, ``None`` if it has no limit."""
        number: int | None = self._target.num_qubits
        return number

    @property
    def dt_s(self) -> float | None:
        """Seconds per tick of the device, ``None`` if it does not say."""
        dt_s: float | None = self._target.dt
        return dt_s

    def gate(self, name: str, wires: tuple[int, ...]) -> str | None:
        """Return the label of gate ``name`` on ``wires``, first wire first.

        Raises:
            HaloValueError: The device has no such gate there.
        """
        return self._label(f"halo {name} {' '.join(map(str, wires))}", lambda: self._gate_error(name, wires))

    def delay(self, wire: int, duration_s: float) -> str | None:
        """Return the label of waiting for ``duration_s`` on ``wire``."""
        return self._label(f"halo delay {wire} {duration_s!r}", lambda: self._relaxation(wire, duration_s))

    def reset(self, wire: int) -> str | None:
        """Return the label of one reset on ``wire``: the error stands for the whole reset."""
        flips_0, leaves_1 = self.reset_rates(wire)
        return self._label(f"halo reset {wire} {flips_0!r} {leaves_1!r}", lambda: _reset_error(flips_0, leaves_1))

    def handover(self, wire: int, rounds: int, *, reused: bool) -> str | None:
        """Return the label of the state that ``rounds`` resets leave on ``wire``.

        Args:
            wire: Index of the wire.
            rounds: Number of resets.
            reused: Whether the qubit was in an unknown state before; if not, it was in 0.
        """
        if not rounds:
            return None
        flips_0, leaves_1 = self.reset_rates(wire)
        excitation = 0.5 if reused else 0.0
        for _ in range(rounds):
            excitation = excitation * leaves_1 + (1 - excitation) * flips_0
        return self._label(f"halo handover {wire} {excitation!r}", lambda: _flip_error(excitation))

    def readout(self, wire: int) -> str | None:
        """Return the label to put right before the last measurement of ``wire``.

        The error acts on the qubit, which nobody looks at again, so that it is the same as one on the outcome.
        """
        return self._label(f"halo readout {wire}", lambda: _stochastic_error(*self._readout_rates(wire)))

    def readout_error(self, wire: int) -> ReadoutError | None:
        """Return the readout error of ``wire``, for a measurement whose qubit is used again."""
        from qiskit_aer.noise import ReadoutError

        read_1_of_0, read_0_of_1 = self._readout_rates(wire)
        if not read_1_of_0 and not read_0_of_1:
            return None
        return ReadoutError([[1 - read_1_of_0, read_1_of_0], [read_0_of_1, 1 - read_0_of_1]])

    def reset_error(self, wire: int) -> float:
        """Return the probability that a reset on ``wire`` fails: as stated, or that of a readout."""
        stated = self._stated_reset_error(wire)
        return sum(self._readout_rates(wire)) / 2 if stated is None else stated

    def reset_rates(self, wire: int) -> tuple[float, float]:
        """Return what one reset does wrong on ``wire``: (probability of flipping 0, probability of leaving 1)."""
        if self._reset_model == "stays":
            return 0.0, self.reset_error(wire)
        stated = self._stated_reset_error(wire)
        return self._readout_rates(wire) if stated is None else (stated, stated)

    def model(self, labels: Iterable[str], readouts: Mapping[int, int]) -> NoiseModel:
        """Return Aer's model of the errors under ``labels``.

        Args:
            labels: Labels that earlier calls returned.
            readouts: Qubit of the simulation -> wire whose readout error it has.
        """
        from qiskit_aer.noise import NoiseModel

        model = NoiseModel()
        for label in dict.fromkeys(labels):
            model.add_all_qubit_quantum_error(self._errors[label], label, warnings=False)
        for slot, wire in readouts.items():
            error = self.readout_error(wire)
            if error is not None:
                model.add_readout_error(error, [slot], warnings=False)
        return model

    @property
    def _target(self) -> Target:
        return self._backend.target

    def _label(self, label: str, make: Callable[[], QuantumError | None]) -> str | None:
        if label not in self._errors:
            error = make()
            # Kraus operators cost a norm of the whole state each time they are drawn.
            self._errors[label] = None if error is None or error.ideal() else mixed_unitary_part(error)
        return label if self._errors[label] is not None else None

    def _properties(self, name: str, wires: tuple[int, ...]) -> InstructionProperties | None:
        if not self._target.instruction_supported(name, wires):
            raise HaloValueError(
                f"the device has no {name!r} on qubit{'s' * (len(wires) > 1)} {', '.join(map(str, wires))}; "
                "compile the circuit for it, or simulate with noise=False"
            )
        known = self._target[name]
        return None if known is None else known.get(wires)

    def _one_gate_target(self, name: str, wires: tuple[int, ...]) -> Target:
        """Return a target that holds nothing but one operation, on qubits 0, 1 and so on."""
        properties = self._properties(name, wires)
        known = self._target.qubit_properties or []
        target = Target(
            num_qubits=len(wires),
            qubit_properties=[(known[wire] if wire < len(known) else None) or QubitProperties() for wire in wires],
        )
        target.add_instruction(
            self._target.operation_from_name(name), {tuple(range(len(wires))): properties}, name=name
        )
        return target

    def _stated_reset_error(self, wire: int) -> float | None:
        properties = self._properties("reset", (wire,)) if "reset" in self._target.operation_names else None
        stated = None if properties is None else properties.error
        return None if stated is None or math.isnan(stated) else float(min(stated, 1.0))

    def _gate_error(self, name: str, wires: tuple[int, ...]) -> QuantumError | None:
        from qiskit_aer.noise.device import basic_device_gate_errors

        errors = basic_device_gate_errors(target=self._one_gate_target(name, wires))
        return errors[0][2] if errors else None

    def _readout_rates(self, wire: int) -> tuple[float, float]:
        """Return (probability of reading 1 from 0, probability of reading 0 from 1)."""
        from qiskit_aer.noise.device import basic_device_readout_errors

        properties = self._properties("measure", (wire,))
        if properties is None or (properties.error is None and not hasattr(properties, "prob_meas1_prep0")):
            return 0.0, 0.0
        ((_, error),) = basic_device_readout_errors(target=self._one_gate_target("measure", (wire,)))
        return float(error.probabilities[0][1]), float(error.probabilities[1][0])

    def _relaxation(self, wire: int, duration_s: float) -> QuantumError | None:
        from qiskit_aer.noise import thermal_relaxation_error

        known = self._target.qubit_properties
        properties = known[wire] if known is not None and wire < len(known) else None
        t1_s = getattr(properties, "t1", None)
        t2_s = getattr(properties, "t2", None)
        if duration_s <= 0 or (t1_s is None and t2_s is None):
            return None
        t1_s = math.inf if t1_s is None else t1_s
        return thermal_relaxation_error(t1_s, min(2 * t1_s, math.inf if t2_s is None else t2_s), duration_s)


def _flip_error(probability: float) -> QuantumError | None:
    from qiskit_aer.noise import pauli_error

    return pauli_error([("X", probability), ("I", 1 - probability)]) if probability else None


def _reset_error(flips_0: float, leaves_1: float) -> QuantumError:
    """Return a whole reset as a mixture of circuits, so that no state-dependent operator needs to be drawn."""
    from qiskit_aer.noise import QuantumError

    common, rest = min(flips_0, leaves_1), abs(flips_0 - leaves_1) / 2
    # Half of the remainder with a Z: a measured qubit keeps no phase.
    others = (("id",), ("z",)) if leaves_1 > flips_0 else (("x",), ("y",))
    terms = [
        (_circuit("reset"), 1 - common - 2 * rest),
        (_circuit("reset", "x"), common),
        *((_circuit(*names), rest) for names in others),
    ]
    return QuantumError([(circuit, probability) for circuit, probability in terms if probability > 0])


def _stochastic_error(flips_0: float, flips_1: float) -> QuantumError | None:
    """Return the error of a bit that is measured next."""
    from qiskit_aer.noise import QuantumError

    if not flips_0 and not flips_1:
        return None
    common, rest = min(flips_0, flips_1), abs(flips_0 - flips_1)
    force = ("reset",) if flips_1 > flips_0 else ("reset", "x")
    terms = [(_circuit("id"), 1 - common - rest), (_circuit("x"), common), (_circuit(*force), rest)]
    return QuantumError([(circuit, probability) for circuit, probability in terms if probability > 0])


def _circuit(*names: str) -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    for name in names:
        getattr(circuit, name)(0)
    return circuit
