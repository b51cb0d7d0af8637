"""Which gates Aer takes by name, and what to give it for the others."""

from __future__ import annotations

from qiskit.circuit import ControlledGate, Gate, Instruction, Operation
from qiskit.quantum_info import Operator

from qiskit_halo.errors import HaloValueError

_AER_GATE_NAMES = """
ccx ccz cp cswap csx cu cu1 cu2 cu3 cx cy cz crx cry crz ecr h id mcp mcphase mcr mcrx mcry mcrz mcswap mcsx mcu mcu1
mcu2 mcu3 mcx mcx_gray mcy mcz p pauli r rx rxx ry ryy rz rzx rzz s sdg swap sx sxdg t tdg u u1 u2 u3 unitary x y z
diagonal
"""
AER_GATES = frozenset(_AER_GATE_NAMES.split())
"""Gates that Aer's circuit loader takes as they are."""

_UNNAMED_CLASSES = (Gate, ControlledGate, Instruction)
"""Classes of instructions made from a user's circuit: whatever their name, only their definition counts."""


def is_known_to_aer(operation: Operation) -> bool:
    """Return whether Aer takes ``operation`` as it is."""
    return operation.name in AER_GATES and operation.__class__ not in _UNNAMED_CLASSES


def matrix_of(operation: Operation) -> Operator:
    """Return the matrix of a gate.

    Raises:
        HaloValueError: It has none.
    """
    try:
        return Operator(operation)
    except Exception as error:  # whatever a foreign operation raises, the reason is the same
        raise HaloValueError(
            f"instruction {operation.name!r} has no definition that can be simulated; decompose it first"
        ) from error
