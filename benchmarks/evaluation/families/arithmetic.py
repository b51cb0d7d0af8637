"""Circuits that evaluate a Boolean expression on helpers, and clean up behind themselves."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from qiskit.circuit import AncillaRegister, ClassicalRegister, QuantumCircuit, QuantumRegister, Qubit

from benchmarks.evaluation.families.boolean import Expression, draw_expression

Gate = tuple[str, tuple[int, ...]]


@dataclass(frozen=True)
class Size:
    """Variables, depth of the expression, and most Toffoli gates of its circuit."""

    num_variables: int
    depth: int
    max_toffolis: int


SMALL = tuple(Size(variables, depth, 48) for variables in (3, 4) for depth in (2, 3, 4))
MEDIUM = tuple(Size(variables, depth, 95) for variables, depth in ((7, 5), (8, 4), (9, 4), (10, 4), (11, 4), (12, 4)))


@dataclass
class _Compiler:
    """Wires below ``num_variables`` are variables, the others helpers, in order of first use."""

    num_variables: int
    num_helpers: int = 0
    gates: list[Gate] = field(default_factory=list)

    def compute(self, node: Expression) -> int:
        """Append gates that put the value of ``node`` on a fresh helper, all other helpers back in |0>."""
        if node.kind == "variable":
            return node.variable
        start = len(self.gates)
        operands = [self.compute(child) for child in node.children]
        stop = len(self.gates)
        result = self.num_variables + self.num_helpers
        self.num_helpers += 1
        if node.kind in ("not", "xor"):
            self.gates += [("cx", (operand, result)) for operand in operands]
            if node.kind == "not":
                self.gates.append(("x", (result,)))
        elif operands[0] == operands[1]:
            self.gates.append(("cx", (operands[0], result)))
        else:
            flips = [("x", (operand,)) for operand in operands] if node.kind == "or" else []
            self.gates += [*flips, ("ccx", (*operands, result)), *flips]
            if node.kind == "or":
                self.gates.append(("x", (result,)))
        self.gates += reversed(self.gates[start:stop])  # every gate here is its own inverse
        return result


def arithmetic(expression: Expression, inputs: Sequence[int]) -> QuantumCircuit:
    """Return a circuit that measures the variables (clbits 0 and up), then the value of ``expression``, the last clbit.

    Every operator has a helper of its own. A helper is uncomputed as soon as the operator above it is done, the topmost
    one after its value is copied, so that all end in |0>. HALO's files measure one bit, which a dead device often
    gets right; the variables are measured here too.
    """
    compiler = _Compiler(len(inputs))
    result = compiler.compute(expression)
    data = QuantumRegister(len(inputs) + 1, "q")
    helper = AncillaRegister(compiler.num_helpers, "helper")
    wires: list[Qubit] = [*data[:-1], *helper]
    circuit = QuantumCircuit(data, helper, ClassicalRegister(len(inputs) + 1, "c"))
    for variable, value in enumerate(inputs):
        if value:
            circuit.x(data[variable])
    _append(circuit, compiler.gates, wires)
    circuit.cx(wires[result], data[-1])
    _append(circuit, compiler.gates[::-1], wires)
    circuit.measure(data, range(len(inputs) + 1))
    return circuit


def _append(circuit: QuantumCircuit, gates: Sequence[Gate], wires: Sequence[Qubit]) -> None:
    for name, places in gates:
        getattr(circuit, name)(*(wires[place] for place in places))


def draw_arithmetic(size: Size, index: int, seed: int) -> QuantumCircuit:
    """Return a random expression on random inputs; expressions whose circuits are larger than HALO's are drawn again."""
    rng = random.Random(f"arithmetic {size} {index} {seed}")
    while True:
        expression = draw_expression(size.num_variables, size.depth, rng)
        circuit = arithmetic(expression, [rng.randrange(2) for _ in range(size.num_variables)])
        if 0 < circuit.count_ops().get("ccx", 0) <= size.max_toffolis:
            circuit.name = f"vars_{size.num_variables}_depth_{size.depth}_{index}"
            circuit.metadata = {"expression": str(expression)}
            return circuit
