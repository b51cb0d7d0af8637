"""Random circuits whose helpers join in the middle: interact, are measured, and are done."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister


@dataclass(frozen=True)
class Shape:
    """How large a random circuit is: data qubits, helpers, gates on data qubits, data qubits measured."""

    num_data: int
    num_helpers: int
    num_gates: int
    num_measured: int


SMALL = (
    *(Shape(4, 4, 10, 1), Shape(4, 4, 15, 2), Shape(5, 4, 15, 2), Shape(5, 5, 15, 1), Shape(5, 5, 20, 2)),
    *(Shape(6, 6, 15, 1), Shape(6, 6, 18, 2), Shape(7, 7, 10, 1), Shape(7, 7, 25, 2), Shape(8, 8, 22, 1)),
    Shape(9, 8, 20, 2),
)
MEDIUM = (
    *(Shape(10, 20, 45, 2), Shape(10, 20, 55, 2), Shape(11, 19, 48, 2), Shape(12, 18, 58, 2), Shape(13, 17, 52, 2)),
    *(Shape(14, 15, 45, 2), Shape(15, 12, 40, 2), Shape(15, 15, 30, 2), Shape(15, 15, 40, 2), Shape(17, 13, 50, 2)),
    Shape(20, 10, 50, 2),
)

_SINGLE = ("x", "y", "z", "s", "sdg", "t", "tdg")
TWO_QUBIT_SHARE = 0.2


def mixed(shape: Shape, seed: int) -> QuantumCircuit:
    """Return a random circuit of the given size.

    A fifth of the gates on data act on two qubits. Each helper copies (CX) one data qubit, or the parity of two, at a
    random time and is measured at once, which may collapse the data. Superpositions are few (a third of the data
    qubits pass one H or rotation), so that the outcomes are few enough for a thousand shots to tell.
    """
    rng = random.Random(f"mixed {shape} {seed}")
    data = QuantumRegister(shape.num_data, "q")
    helper = AncillaRegister(shape.num_helpers, "helper")
    circuit = QuantumCircuit(
        data,
        helper,
        ClassicalRegister(shape.num_helpers + shape.num_measured, "c"),
        name=f"data_{shape.num_data}_helpers_{shape.num_helpers}_gates_{shape.num_gates}_{seed}",
    )
    spread = iter(rng.sample(range(shape.num_data), -(-shape.num_data // 3)))
    events = ["gate"] * shape.num_gates + ["helper"] * shape.num_helpers
    rng.shuffle(events)
    used = 0
    for event in events:
        if event == "helper":
            for source in rng.sample(range(shape.num_data), rng.randint(1, 2)):
                circuit.cx(data[source], helper[used])
            circuit.measure(helper[used], used)
            used += 1
        elif rng.random() < TWO_QUBIT_SHARE:
            first, second = rng.sample(range(shape.num_data), 2)
            if rng.random() < 0.5:
                circuit.cx(data[first], data[second])
            else:
                circuit.cp(rng.uniform(0, 2 * math.pi), data[first], data[second])
        elif (qubit := next(spread, None)) is not None:
            if rng.random() < 0.5:
                circuit.h(data[qubit])
            else:
                circuit.ry(rng.uniform(0, math.pi), data[qubit])
        else:
            getattr(circuit, rng.choice(_SINGLE))(data[rng.randrange(shape.num_data)])
    for place, qubit in enumerate(rng.sample(range(shape.num_data), shape.num_measured)):
        circuit.measure(data[qubit], shape.num_helpers + place)
    return circuit
