"""Multi-controlled X by a ladder of Toffoli gates."""

from __future__ import annotations

import random

from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister

SMALL = range(2, 8)
MEDIUM = range(9, 15)


def ladder(num_controls: int, ones: tuple[int, ...]) -> QuantumCircuit:
    """Return an X on the last data qubit, controlled by all others, which are prepared and measured too.

    Helper ``i`` holds the AND of controls 0 to ``i + 1``; all helpers are back in |0> at the end. Unlike in HALO's
    files the target is measured, so that a device that drops every Toffoli gate does not pass.

    Args:
        num_controls: Controls, at least 2; there is one helper fewer.
        ones: Controls that start in |1>.
    """
    controls = range(num_controls)
    data = QuantumRegister(num_controls + 1, "q")
    helper = AncillaRegister(num_controls - 1, "helper")
    circuit = QuantumCircuit(data, helper, ClassicalRegister(num_controls + 1, "c"))
    for control in ones:
        circuit.x(data[control])
    steps = [(data[0], data[1], helper[0])]
    steps += [(data[i + 1], helper[i - 1], helper[i]) for i in range(1, num_controls - 1)]
    for step in steps:
        circuit.ccx(*step)
    circuit.cx(helper[-1], data[num_controls])
    for step in reversed(steps):
        circuit.ccx(*step)
    circuit.measure(data, range(num_controls + 1))
    zeros = [control for control in controls if control not in ones]
    circuit.name = f"mcx_{num_controls}_" + ("all" if not zeros else "not_" + "_".join(map(str, zeros)))
    return circuit


def ladders(sizes: range, seed: int) -> list[QuantumCircuit]:
    """Return two ladders a size: one with every control in |1>, one with a random non-empty part of them in |0>."""
    rng = random.Random(f"ladders {seed}")
    circuits = []
    for size in sizes:
        zeros = rng.sample(range(size), rng.randint(1, size - 1))
        circuits.append(ladder(size, tuple(range(size))))
        circuits.append(ladder(size, tuple(control for control in range(size) if control not in zeros)))
    return circuits
