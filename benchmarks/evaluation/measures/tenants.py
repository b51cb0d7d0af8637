"""Whose state is on which wire, followed through SWAPs that routing put between programs.

A program's state begins where a wire is reset or first used. Gates between two wires are taken as one block as long as
neither wire meets a third. A block that is a SWAP, up to gates on each wire, exchanges what the wires carry, and entangles
nothing; one that is nothing but gates on each wire does neither; any other block joins what they carry. Owners come
from the measurements: what is read into a register ``p3_...`` is program 3's, and so is all that was joined with it.
So a program whose qubits were routed through another's is charged for its own gates and for the SWAPs, not for all
that the other does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Gate, QuantumCircuit
from qiskit.exceptions import QiskitError

from benchmarks.evaluation.measures.steps import Step

_OWNER = re.compile(r"p(\d+)_")
_TOLERANCE = 1e-6
_MATRICES: dict[tuple[Any, ...], NDArray[np.complex128]] = {}
_SWAP = np.eye(4)[[0, 2, 1, 3]].astype(complex)


def clbit_owners(circuit: QuantumCircuit) -> dict[int, int]:
    """Return clbit index -> member, for the registers ``p<k>_...``; everything is member 0's if there are none."""
    owners = {
        circuit.find_bit(bit).index: int(match[1])
        for register in circuit.cregs
        if (match := _OWNER.match(register.name))
        for bit in register
    }
    return owners or dict.fromkeys(range(circuit.num_clbits), 0)


@dataclass
class _Block:
    """Gates between two wires; ``matrix`` counts wire ``low`` as the least significant, ``None`` once joined."""

    low: int
    high: int
    tokens: tuple[int, int]
    matrix: NDArray[np.complex128] | None


@dataclass
class Tenants:
    """The tokens (pieces of state) that each step acts on, and the owner of each; it grows while it is read.

    Attributes:
        of_step: Tokens of each step by position, empty for barriers, delays and resets.
    """

    of_step: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _parent: list[int] = field(default_factory=list)
    _programs: dict[int, set[int]] = field(default_factory=dict)

    def programs(self, tokens: Iterable[int]) -> tuple[int, ...]:
        """Return the programs that own any of ``tokens``, ascending; none for states that nobody measures."""
        return tuple(sorted({p for token in tokens for p in self._programs.get(self.find(token), ())}))

    def find(self, token: int) -> int:
        while self._parent[token] != token:
            self._parent[token] = self._parent[self._parent[token]]
            token = self._parent[token]
        return token

    def new(self) -> int:
        self._parent.append(len(self._parent))
        return len(self._parent) - 1

    def join(self, tokens: Sequence[int]) -> None:
        first = self.find(tokens[0])
        for token in tokens[1:]:
            other = self.find(token)
            if other != first:
                self._parent[other] = first
                self._programs.setdefault(first, set()).update(self._programs.pop(other, ()))

    def own(self, token: int, program: int) -> None:
        self._programs.setdefault(self.find(token), set()).add(program)


def find_tenants(circuit: QuantumCircuit, steps: Sequence[Step]) -> Tenants:
    """Follow every state through ``steps`` of ``circuit``."""
    owners = clbit_owners(circuit)
    tenants = Tenants()
    token: dict[int, int] = {}
    blocks: dict[int, _Block] = {}

    def close(wire: int) -> None:
        block = blocks.pop(wire, None)
        if block is None:
            return
        del blocks[block.low if wire == block.high else block.high]
        if block.matrix is None or _is_product(block.matrix):
            return
        if _is_product(_SWAP @ block.matrix):
            token[block.low], token[block.high] = block.tokens[1], block.tokens[0]
        else:
            tenants.join(block.tokens)

    for step in steps:
        if step.passive:
            continue
        if step.name == "reset":
            close(step.qubits[0])
            token.pop(step.qubits[0], None)
            continue
        matrix = _matrix(step)
        if len(step.qubits) == 2 and matrix is not None:
            block = blocks.get(step.qubits[0])
            if block is None or block is not blocks.get(step.qubits[1]):
                for wire in step.qubits:
                    close(wire)
                block = _open(step.qubits, token, tenants)
                blocks[block.low] = blocks[block.high] = block
            _multiply(block, step.qubits, matrix)
            tenants.of_step[step.position] = block.tokens
        elif len(step.qubits) == 1 and matrix is not None and step.qubits[0] in blocks:
            block = blocks[step.qubits[0]]
            _multiply(block, step.qubits, matrix)
            tenants.of_step[step.position] = block.tokens
        else:
            for wire in step.qubits:
                if matrix is None or len(step.qubits) > 1:
                    close(wire)
                if wire not in token:
                    token[wire] = tenants.new()
            tokens = tuple(token[wire] for wire in step.qubits)
            if tokens:
                tenants.join(tokens)
                for clbit in step.clbits:
                    if clbit in owners:
                        tenants.own(tokens[0], owners[clbit])
            tenants.of_step[step.position] = tokens
    for wire in list(blocks):
        close(wire)
    return tenants


def _open(qubits: tuple[int, ...], token: dict[int, int], tenants: Tenants) -> _Block:
    for wire in qubits:
        if wire not in token:
            token[wire] = tenants.new()
    low, high = qubits
    tokens = (token[low], token[high])
    joined = tenants.find(tokens[0]) == tenants.find(tokens[1])
    return _Block(low, high, tokens, None if joined else np.eye(4, dtype=complex))


def _multiply(block: _Block, qubits: tuple[int, ...], matrix: NDArray[np.complex128]) -> None:
    if block.matrix is None:
        return
    if len(qubits) == 1:
        one = np.eye(2)
        matrix = np.kron(one, matrix) if qubits[0] == block.low else np.kron(matrix, one)
    elif qubits[0] == block.high:
        matrix = _SWAP @ matrix @ _SWAP
    block.matrix = matrix @ block.matrix


def _is_product(matrix: NDArray[np.complex128]) -> bool:
    """Return whether a two-qubit unitary is one gate on each qubit."""
    parts = matrix.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
    return bool(np.linalg.svd(parts, compute_uv=False)[1] < _TOLERANCE)


def _matrix(step: Step) -> NDArray[np.complex128] | None:
    """Return the matrix of a gate on one or two qubits, ``None`` for anything else, and for gates that have none."""
    operation: Any = step.instruction.operation
    if step.clbits or not isinstance(operation, Gate) or len(step.qubits) > 2:
        return None
    numbers = all(isinstance(param, int | float) for param in operation.params)
    key = (
        (operation.base_class, step.name, getattr(operation, "ctrl_state", None), *operation.params)
        if numbers
        else None
    )
    if key is not None and key in _MATRICES:
        return _MATRICES[key]
    try:
        matrix = np.asarray(operation.to_matrix(), dtype=complex)
    except QiskitError:
        return None
    if key is not None and type(operation) is not Gate:  # gates of that class are told apart by no name
        _MATRICES[key] = matrix
    return matrix
