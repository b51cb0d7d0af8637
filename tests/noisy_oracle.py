"""Exact outcomes of a whole physical circuit under noise, by density matrices: slow and short, and draws no shot.

The errors of gates, readout and waiting are Aer's own; nothing here comes from the package.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Clbit, QuantumCircuit
from qiskit.quantum_info import DensityMatrix, Operator, SuperOp

from tests.dense_oracle import Branch, _value

PROJECTORS = [Operator(np.diag([1, 0])), Operator(np.diag([0, 1]))]
X = Operator(np.array([[0, 1], [1, 0]]))

Weighted = dict[tuple[int, ...], NDArray[np.complex128]]
"""Classical bits -> density matrix whose trace is their probability."""


def noisy_distribution(
    circuit: QuantumCircuit,
    backend: Any,
    model: Any = None,
    *,
    handovers: Iterable[int] = (),
    reset_model: str = "stays",
) -> dict[str, float]:
    """Return outcome -> probability, clbit 0 right-most.

    Args:
        circuit: A small circuit on the backend's first qubits, with ``if_else`` at most.
        backend: Its target gives T1 and T2 for delays, and the errors of resets.
        model: Aer's noise model of the backend.
        handovers: Positions of resets that act on a mixture of 0 and 1, whatever the state was.
        reset_model: ``"stays"`` or ``"flips"``: what a reset that fails does.
    """
    from qiskit_aer.noise import NoiseModel

    noise = NoiseModel.from_backend(backend) if model is None else model
    start = _start(circuit.num_qubits, circuit.num_clbits)
    resets = [_reset_channel(*reset_rates(backend, noise, q, reset_model)) for q in range(circuit.num_qubits)]
    return _as_keys(_run(circuit, start, circuit, noise, backend, resets, handovers))


def _start(num_qubits: int, num_bits: int) -> Weighted:
    return {(0,) * num_bits: DensityMatrix.from_int(0, 2**num_qubits).data}


def _evolve(rho: NDArray[np.complex128], channel: Any, qubits: list[int]) -> NDArray[np.complex128]:
    return DensityMatrix(rho).evolve(channel, qubits).data


def _add(total: Weighted, more: Weighted) -> None:
    for values, rho in more.items():
        if np.trace(rho).real > 1e-15:  # rounding would walk round a loop for ever
            total[values] = total[values] + rho if values in total else rho


def _as_keys(states: Weighted) -> dict[str, float]:
    found: dict[str, float] = {}
    for bits, rho in states.items():
        key = "".join(map(str, bits[::-1]))
        found[key] = found.get(key, 0.0) + float(np.trace(rho).real)
    assert abs(sum(found.values()) - 1) < 1e-9
    return {key: value for key, value in found.items() if value > 1e-15}


def _measure(states: Weighted, qubit: int, bit: int, flips: tuple[float, float]) -> Weighted:
    """Measure, and read with errors into ``bit``."""
    after: Weighted = {}
    for bits, rho in states.items():
        for outcome in (0, 1):
            projected = _evolve(rho, PROJECTORS[outcome], [qubit])
            for wrong, share in ((0, 1 - flips[outcome]), (1, flips[outcome])):
                _add(after, {(*bits[:bit], outcome ^ wrong, *bits[bit + 1 :]): share * projected})
    return after


def _reset_channel(flips_0: float, leaves_1: float) -> SuperOp:
    """Return a measurement that errs, and a flip where it read 1."""
    channel = np.zeros((4, 4))
    channel[:, 0] = [1 - flips_0, 0, 0, flips_0]
    channel[:, 3] = [1 - leaves_1, 0, 0, leaves_1]
    return SuperOp(channel)


def _on_all(states: Weighted, channel: Any, qubits: list[int]) -> Weighted:
    return {bits: _evolve(rho, channel, qubits) for bits, rho in states.items()}


def _run(
    block: QuantumCircuit,
    states: Weighted,
    circuit: QuantumCircuit,
    noise: Any,
    backend: Any,
    resets: list[SuperOp],
    handovers: Iterable[int] = (),
    places: tuple[dict[Any, int], dict[Any, int]] | None = None,
) -> Weighted:
    from qiskit_aer.noise import thermal_relaxation_error

    wires, bits = places or ({q: i for i, q in enumerate(block.qubits)}, {c: i for i, c in enumerate(block.clbits)})
    target = backend.target
    for position, instruction in enumerate(block.data):
        name, qubits = instruction.name, [wires[qubit] for qubit in instruction.qubits]
        if name == "barrier":
            continue
        if name == "measure":
            states = _measure(states, qubits[0], bits[instruction.clbits[0]], _readout(noise, qubits[0]))
        elif name == "reset":
            if position in handovers:
                mixed = SuperOp(np.eye(4)) * 0.5 + SuperOp(X) * 0.5
                states = _on_all(states, mixed, qubits)
            states = _on_all(states, resets[qubits[0]], qubits)
        elif name == "delay":
            operation = instruction.operation
            seconds = operation.duration * (target.dt if operation.unit == "dt" else {"ns": 1e-9}[operation.unit])
            properties = target.qubit_properties[qubits[0]]
            error = thermal_relaxation_error(properties.t1, min(properties.t2, 2 * properties.t1), seconds)
            states = _on_all(states, SuperOp(error), qubits)
        elif name == "if_else":
            states = _branch(instruction, states, circuit, noise, backend, resets, (wires, bits))
        else:
            states = _on_all(states, Operator(instruction.operation), qubits)
            error = noise._local_quantum_errors.get(name, {}).get(tuple(qubits))
            if error is not None:
                states = _on_all(states, SuperOp(error), qubits)
    return states


def _branch(
    instruction: Any,
    states: Weighted,
    circuit: QuantumCircuit,
    noise: Any,
    backend: Any,
    resets: list[SuperOp],
    places: Any,
) -> Weighted:
    wires, bits = places
    after: Weighted = {}
    for values, rho in states.items():
        branch = Branch(1.0, np.zeros(1), dict(zip(circuit.clbits, values, strict=True)), {})
        outer: dict[Clbit, Clbit] = {bit: circuit.clbits[index] for bit, index in bits.items()}
        holds = _value(instruction.operation.condition, branch, outer)
        blocks = instruction.operation.blocks
        body = blocks[0] if holds else (blocks[1] if len(blocks) > 1 else None)
        if body is None:
            _add(after, {values: rho})
            continue
        inner = (
            {inside: wires[outside] for inside, outside in zip(body.qubits, instruction.qubits, strict=True)},
            {**bits, **{i: bits[o] for i, o in zip(body.clbits, instruction.clbits, strict=True)}},
        )
        _add(after, _run(body, {values: rho}, circuit, noise, backend, resets, places=inner))
    return after


def _readout(noise: Any, qubit: int) -> tuple[float, float]:
    error = noise._local_readout_errors.get((qubit,))
    return (0.0, 0.0) if error is None else (float(error.probabilities[0][1]), float(error.probabilities[1][0]))


def reset_error(backend: Any, noise: Any, qubit: int) -> float:
    """Return how often a reset fails: the error stated for it, or else that of readout."""
    stated = _stated_reset_error(backend, qubit)
    return sum(_readout(noise, qubit)) / 2 if stated is None else stated


def reset_rates(backend: Any, noise: Any, qubit: int, reset_model: str) -> tuple[float, float]:
    """Return how often a reset flips 0, and leaves 1."""
    if reset_model == "stays":
        return 0.0, reset_error(backend, noise, qubit)
    stated = _stated_reset_error(backend, qubit)
    return _readout(noise, qubit) if stated is None else (stated, stated)


def _stated_reset_error(backend: Any, qubit: int) -> float | None:
    target = backend.target
    properties = target["reset"][(qubit,)] if "reset" in target.operation_names else None
    return None if properties is None else properties.error
