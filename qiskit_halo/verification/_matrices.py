"""Matrices of gates, from Qiskit."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit.exceptions import CircuitError
from qiskit.circuit.library import PauliEvolutionGate

from qiskit_halo.errors import HaloValueError
from qiskit_halo.verification._steps import Step

#: Gates on more qubits than this are opened before they are asked for their matrix.
_SMALL = 6
#: Gates on more qubits than this are never asked: the matrix alone would fill the memory.
_LARGE = 12


class MatrixCache:
    """Looks up the matrix of a step; standard gates of equal angles are computed once."""

    def __init__(self) -> None:
        self._known: dict[Hashable, NDArray[np.complex128]] = {}

    def get(self, step: Step) -> NDArray[np.complex128] | None:
        """Return the matrix, or ``None`` if the definition of the gate has to be used instead.

        Raises:
            HaloValueError: The gate has an unbound parameter, or neither a matrix nor a definition.
        """
        source = step.source
        if source.is_parameterized():
            names = sorted({free.name for angle in source.params for free in getattr(angle, "parameters", ())})
            raise HaloValueError(
                f"{step.describe()} has the unbound parameter {', '.join(names)}; assign a value first"
            )
        if source.is_standard_gate():
            key = (step.name, *source.params)
            if key not in self._known:
                self._known[key] = np.asarray(source.matrix, dtype=np.complex128)
            return self._known[key]
        operation: Any = source.operation
        width = len(step.qubits)
        # The matrix of a Pauli evolution is exact, but what every compiler runs is its synthesis, a product formula.
        opened = width > _SMALL or isinstance(operation, PauliEvolutionGate)
        if opened and getattr(operation, "definition", None) is not None:
            return None
        if width <= _LARGE:
            matrix = source.matrix
            if matrix is None and hasattr(operation, "to_matrix"):
                matrix = _try_matrix(operation)
            if matrix is not None:
                return np.asarray(matrix, dtype=np.complex128)
        if getattr(operation, "definition", None) is None:
            raise HaloValueError(
                f"{step.describe()} on {width} qubits has no definition and no matrix that fits, "
                "so it cannot be simulated"
            )
        return None


def _try_matrix(operation: Any) -> Any:
    try:
        return operation.to_matrix()
    except CircuitError:
        return None  # Gate.to_matrix exists on every gate, but raises where the class does not define one
