"""Who owns each clbit and variable, read from names alone."""

from __future__ import annotations

from qiskit import QuantumCircuit
from qiskit.circuit.classical import expr

from qiskit_halo.errors import IsolationError
from qiskit_halo.ownership import owner_of_name

#: Owner of the clbits and variables whose names say nothing: a plain circuit is one program.
UNNAMED = -1


def clbit_owners(circuit: QuantumCircuit) -> list[int]:
    """Return the owner of every clbit, by clbit index.

    Raises:
        IsolationError: Registers of two programs share a clbit.
    """
    owners = [UNNAMED] * circuit.num_clbits
    named_by = [""] * circuit.num_clbits
    for register in circuit.cregs:
        owner = owner_of_name(register.name)
        if owner is None:
            continue
        for bit in register:
            index = circuit.find_bit(bit).index
            if owners[index] not in (UNNAMED, owner):
                raise IsolationError(
                    f"clbit {index} is in register {named_by[index]!r} of program {owners[index]} and in register "
                    f"{register.name!r} of program {owner}; give each program bits of its own"
                )
            owners[index], named_by[index] = owner, register.name
    return owners


def variable_owner(var: expr.Var) -> int:
    """Return the owner of a variable."""
    owner = owner_of_name(var.name)
    return UNNAMED if owner is None else owner
