"""One user's circuit, checked once."""

from __future__ import annotations

from dataclasses import dataclass

from qiskit.circuit import AncillaQubit, AncillaRegister, QuantumCircuit


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One user's circuit with its name and its shots, as the batch sees it.

    Made by :func:`~qiskit_halo.programs.load.load_programs`, which checks everything.

    Args:
        index: Position in the batch, from 0.
        name: The user's name for it, any text, different from every other in the batch.
        circuit: A private copy of the user's circuit; the values of a PUB are bound. Never changed.
        shots: Shots that the program asks for.
    """

    index: int
    name: str
    circuit: QuantumCircuit
    shots: int

    @property
    def num_qubits(self) -> int:
        """Qubits of the user's circuit, data and helpers, in use or not."""
        return int(self.circuit.num_qubits)

    @property
    def helpers(self) -> tuple[int, ...]:
        """Ascending indices, in the user's circuit, of the helpers that an ``AncillaRegister`` marks."""
        return marked_helpers(self.circuit)

    def __str__(self) -> str:
        return describe(self.index, self.name)


def describe(index: int, name: str | None) -> str:
    """Return how messages speak of a program.

    Examples:
        >>> describe(2, "ghz_5")
        "Program 2 ('ghz_5')"
    """
    return f"Program {index}" if name is None else f"Program {index} ({name!r})"


def marked_helpers(circuit: QuantumCircuit) -> tuple[int, ...]:
    """Return the ascending indices of the qubits of ``circuit`` that an ``AncillaRegister`` holds."""
    marked = {bit for register in circuit.qregs if isinstance(register, AncillaRegister) for bit in register}
    return tuple(index for index, bit in enumerate(circuit.qubits) if bit in marked or isinstance(bit, AncillaQubit))
