"""Exact outcomes by brute force: the whole register dense, one Python object a branch. Slow, short, and shares nothing
with the package, so that the two can judge each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CASE_DEFAULT, ClassicalRegister, Clbit, Parameter, QuantumCircuit, Store
from qiskit.circuit.classical import expr, types
from qiskit.quantum_info import Operator

BRANCH_LIMIT = 5000


class TooManyBranchesError(Exception):
    """The circuit is too large for brute force."""


@dataclass(frozen=True)
class Branch:
    """One line of history: probability, state (axis i is qubit i), classical values, and a pending jump."""

    weight: float
    state: NDArray[np.complex128]
    bits: dict[Clbit, int]
    values: dict[expr.Var, Any]
    jump: str | None = None


def brute_force(circuit: QuantumCircuit) -> dict[str, float]:
    """Return outcome -> probability, all clbits, clbit 0 right-most."""
    state = np.zeros((2,) * circuit.num_qubits, dtype=complex)
    state[(0,) * circuit.num_qubits] = 1
    start = Branch(1.0, state, dict.fromkeys(circuit.clbits, 0), {})
    wires = {bit: index for index, bit in enumerate(circuit.qubits)}
    bits = {bit: bit for bit in circuit.clbits}
    result: dict[str, float] = {}
    for branch in _run(circuit, [start], wires, bits):
        key = "".join(str(branch.bits[bit]) for bit in reversed(circuit.clbits))
        result[key] = result.get(key, 0.0) + branch.weight
    return result


def distance(first: dict[str, float], second: dict[str, float]) -> float:
    """Return the total variation distance."""
    return 0.5 * sum(abs(first.get(key, 0.0) - second.get(key, 0.0)) for key in {**first, **second})


def _run(block: QuantumCircuit, branches: Sequence[Branch], wires: dict, bits: dict) -> list[Branch]:
    now = list(branches)
    for instruction in block.data:
        qubits = [wires[bit] for bit in instruction.qubits]
        clbits = [bits[bit] for bit in instruction.clbits]
        now = [
            after
            for branch in now
            for after in ([branch] if branch.jump else _step(instruction.operation, branch, qubits, clbits, bits))
        ]
        if len(now) > BRANCH_LIMIT:
            raise TooManyBranchesError
    return now


def _inner(block: QuantumCircuit, branches: Sequence[Branch], qubits: list, clbits: list, bits: dict) -> list[Branch]:
    inner_bits = {**bits, **dict(zip(block.clbits, clbits, strict=True))}
    return _run(block, branches, dict(zip(block.qubits, qubits, strict=True)), inner_bits)


def _step(operation: Any, branch: Branch, qubits: list, clbits: list, bits: dict) -> list[Branch]:
    name = operation.name
    if name in ("barrier", "delay"):
        return [branch]
    if name == "measure":
        return [replace(b, bits={**b.bits, clbits[0]: value}) for value, b in _project(branch, qubits[0])]
    if name == "reset":
        return [
            replace(b, state=np.flip(b.state, qubits[0])) if value else b for value, b in _project(branch, qubits[0])
        ]
    if isinstance(operation, Store):
        return [_store(operation, branch, bits)]
    if name in ("break_loop", "continue_loop"):
        return [replace(branch, jump=name)]
    if name == "if_else":
        yes, no = operation.params
        body = yes if _value(operation.condition, branch, bits) else no
        return [branch] if body is None else _inner(body, [branch], qubits, clbits, bits)
    if name == "box":
        return _inner(operation.blocks[0], [branch], qubits, clbits, bits)
    if name == "switch_case":
        value = _value(operation.target, branch, bits)
        for labels, body in operation.cases_specifier():
            if any(label is CASE_DEFAULT or label == value for label in labels):
                return _inner(body, [branch], qubits, clbits, bits)
        return [branch]
    if name == "for_loop":
        indices, parameter, body = operation.params
        rounds = (
            body.assign_parameters({parameter: index})
            if isinstance(parameter, Parameter) and parameter in body.parameters
            else body
            for index in indices
        )
        return _loop(rounds, lambda _: True, branch, (qubits, clbits, bits))
    if name == "while_loop":
        forever = iter(lambda: operation.params[0], None)
        return _loop(forever, lambda b: _value(operation.condition, b, bits), branch, (qubits, clbits, bits))
    definition = getattr(operation, "definition", None)  # an annotated operation has none
    # A Pauli evolution is what its synthesis runs: a product formula, not the exact exponential.
    opened = operation.num_clbits or name == "PauliEvolution"
    if opened or (definition is not None and "reset" in definition.count_ops()):
        return _inner(definition, [branch], qubits, clbits, bits)
    return [_gate(Operator(operation).data, branch, qubits)]


def _loop(rounds: Iterator[QuantumCircuit], goes_on: Any, branch: Branch, place: tuple) -> list[Branch]:
    running, done = [branch], []
    for body in rounds:
        done.extend(b for b in running if not goes_on(b))
        running = [b for b in running if goes_on(b)]
        if not running:
            break
        after = _inner(body, running, *place)
        done.extend(replace(b, jump=None) for b in after if b.jump == "break_loop")
        running = [replace(b, jump=None) for b in after if b.jump != "break_loop"]
    return done + running


def _project(branch: Branch, qubit: int) -> Iterator[tuple[int, Branch]]:
    for value in (0, 1):
        state = np.zeros_like(branch.state)
        place = (slice(None),) * qubit + (value,)
        state[place] = branch.state[place]
        probability = float(np.linalg.norm(state) ** 2)
        if branch.weight * probability > 1e-16:
            yield value, replace(branch, weight=branch.weight * probability, state=state / np.sqrt(probability))


def _gate(matrix: NDArray, branch: Branch, qubits: list) -> Branch:
    if not qubits:
        return branch
    count = len(qubits)
    # Qiskit's first qubit is the least significant of the matrix.
    tensor = matrix.reshape((2,) * (2 * count))
    axes = qubits[::-1]
    moved = np.tensordot(tensor, branch.state, axes=(range(count, 2 * count), axes))
    return replace(branch, state=np.moveaxis(moved, range(count), axes))


def _store(operation: Store, branch: Branch, bits: dict) -> Branch:
    value, target = _value(operation.rvalue, branch, bits), operation.lvalue
    if isinstance(target, expr.Index):
        place = _value(target.index, branch, bits)
        if target.target.standalone:
            old = branch.values[target.target]
            new = old & ~(1 << place) | int(value) << place
            return replace(branch, values={**branch.values, target.target: new})
        return replace(branch, bits={**branch.bits, bits[target.target.var[place]]: int(value)})
    if target.standalone:
        return replace(branch, values={**branch.values, target: value})
    where = [target.var] if isinstance(target.var, Clbit) else list(target.var)
    changed = {bits[bit]: int(value) >> place & 1 for place, bit in enumerate(where)}
    return replace(branch, bits={**branch.bits, **changed})


def _value(node: Any, branch: Branch, bits: dict) -> Any:
    if isinstance(node, tuple):
        return _value(node[0], branch, bits) == int(node[1])
    if isinstance(node, Clbit):
        return branch.bits[bits[node]]
    if isinstance(node, ClassicalRegister):
        return sum(branch.bits[bits[bit]] << place for place, bit in enumerate(node))
    if isinstance(node, expr.Value):
        return node.value
    if isinstance(node, expr.Var):
        return branch.values[node] if node.standalone else _value(node.var, branch, bits)
    if isinstance(node, expr.Index):
        return _value(node.target, branch, bits) >> _value(node.index, branch, bits) & 1
    if isinstance(node, expr.Cast):
        value = _value(node.operand, branch, bits)
        return bool(value) if isinstance(node.type, types.Bool) else int(value)
    if isinstance(node, expr.Unary):
        value = _value(node.operand, branch, bits)
        return not value if isinstance(node.type, types.Bool) else ~value % 2**node.type.width
    left, right = (_value(side, branch, bits) for side in (node.left, node.right))
    table = {
        "BIT_AND": lambda: left & right,
        "BIT_OR": lambda: left | right,
        "BIT_XOR": lambda: left ^ right,
        "LOGIC_AND": lambda: left and right,
        "LOGIC_OR": lambda: left or right,
        "EQUAL": lambda: left == right,
        "NOT_EQUAL": lambda: left != right,
        "LESS": lambda: left < right,
        "GREATER": lambda: left > right,
        "ADD": lambda: (left + right) % 2**node.type.width,
        "SUB": lambda: (left - right) % 2**node.type.width,
        "SHIFT_LEFT": lambda: (left << right) % 2**node.type.width,
    }
    return table[node.op.name]()
