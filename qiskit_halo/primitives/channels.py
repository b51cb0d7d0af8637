"""The same channel, cheaper to sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Choi, Kraus

if TYPE_CHECKING:
    from qiskit_aer.noise import QuantumError

_TINY = 1e-9


def mixed_unitary_part(error: QuantumError) -> QuantumError:
    """Return the same error with the identity taken out of its one-qubit Kraus operators.

    To draw a Kraus operator, a simulator computes norms of the whole state; a circuit from a mixture costs nothing.
    Thermal relaxation with T2 > T1 has only Kraus operators, yet it is the identity nearly always: it is split into
    ``w * identity + (1 - w) * rest`` with the largest ``w`` that leaves ``rest`` a channel, where ``1 - w`` is of
    the order of (duration / T1). The channel is exactly the same.
    """
    from qiskit_aer.noise import QuantumError

    terms: list[tuple[QuantumCircuit, float]] = []
    changed = False
    for circuit, probability in zip(error.circuits, error.probabilities, strict=True):
        variants = _split_circuit(circuit, float(probability))
        changed = changed or len(variants) > 1
        terms.extend(variants)
    return QuantumError(terms) if changed else error


def _split_circuit(circuit: QuantumCircuit, probability: float) -> list[tuple[QuantumCircuit, float]]:
    variants = [(circuit.copy_empty_like(), probability)]
    for instruction in circuit.data:
        parts: list[tuple[Kraus | None, float]] = []
        if instruction.operation.name == "kraus" and len(instruction.qubits) == 1:
            parts = _split_kraus(Kraus(instruction.operation.params))
        if not parts:
            for variant, _ in variants:
                variant.append(instruction)
            continue
        grown = []
        for variant, weight in variants:
            for kraus, share in parts:
                copy = variant.copy()
                if kraus is not None:
                    copy.append(kraus.to_instruction(), instruction.qubits)
                grown.append((copy, weight * share))
        variants = grown
    return variants


def _split_kraus(kraus: Kraus) -> list[tuple[Kraus | None, float]]:
    """Return (``None`` for the identity, its weight) and (the rest, its weight); empty if there is nothing to take."""
    choi = Choi(kraus).data
    identity = np.eye(2).reshape(-1, order="F")
    # w * |I>><<I| <= choi holds up to w = 1 / <<I| choi^-1 |I>>, if |I>> lies in the range of choi.
    inverse = np.linalg.pinv(choi, rcond=_TINY, hermitian=True)
    if np.linalg.norm(choi @ inverse @ identity - identity) > 1e-6:
        return []
    weight = 1 / float(np.real(identity @ inverse @ identity))
    if not _TINY < weight < 1 - _TINY:
        return []
    rest = Choi((choi - weight * np.outer(identity, identity)) / (1 - weight))
    if not rest.is_cptp(atol=1e-7):
        return []
    return [(None, weight), (_trace_preserving(Kraus(rest)), 1 - weight)]


def _trace_preserving(kraus: Kraus) -> Kraus:
    """Return ``kraus`` without its rounding errors: dividing by a tiny weight makes them large enough to be refused."""
    operators = [np.asarray(operator) for operator in kraus.data] if isinstance(kraus.data, list) else kraus.data[0]
    total = sum(operator.conj().T @ operator for operator in operators)
    values, vectors = np.linalg.eigh(total)
    correction = vectors @ np.diag(values**-0.5) @ vectors.conj().T
    return Kraus([operator @ correction for operator in operators])
