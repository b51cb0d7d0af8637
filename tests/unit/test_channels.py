"""Error channels in the form that is cheap to sample are the same channels."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit.quantum_info import Kraus, SuperOp
from qiskit_aer.noise import QuantumError, amplitude_damping_error, depolarizing_error, thermal_relaxation_error

from qiskit_halo.primitives.channels import mixed_unitary_part


def weight_of_identity(error: QuantumError) -> float:
    return sum(
        float(probability)
        for circuit, probability in zip(error.circuits, error.probabilities, strict=True)
        if all(instruction.name == "id" for instruction in circuit.data)
    )


@pytest.mark.parametrize("t2_over_t1", [0.5, 1.0, 1.3, 1.9, 1.999])
@pytest.mark.parametrize("duration_over_t1", [1e-6, 1e-4, 1e-2, 0.3, 2.0])
def test_relaxation_keeps_its_channel(t2_over_t1: float, duration_over_t1: float) -> None:
    error = thermal_relaxation_error(1e-4, t2_over_t1 * 1e-4, duration_over_t1 * 1e-4)
    assert np.allclose(SuperOp(mixed_unitary_part(error)).data, SuperOp(error).data, atol=1e-9)


def test_the_identity_is_taken_out_as_far_as_it_goes() -> None:
    error = thermal_relaxation_error(1e-4, 1.5e-4, 1e-7)
    assert weight_of_identity(error) == 0
    found = mixed_unitary_part(error)
    assert 1 - 1e-2 < weight_of_identity(found) < 1
    rest = SuperOp(error).data - weight_of_identity(found) * np.eye(4)
    # Column by column to the Choi matrix: what is left touches the border of the channels.
    choi = rest.reshape(2, 2, 2, 2).transpose(3, 1, 2, 0).reshape(4, 4)
    assert abs(np.linalg.eigvalsh(choi)).min() < 1e-9


def test_kraus_operators_behind_other_errors_are_split_too() -> None:
    relaxation = thermal_relaxation_error(1e-4, 1.5e-4, 1e-6)
    error = depolarizing_error(0.01, 2).compose(relaxation.tensor(relaxation))
    found = mixed_unitary_part(error)
    assert len(found.circuits) > len(error.circuits)
    assert np.allclose(SuperOp(found).data, SuperOp(error).data, atol=1e-9)


def test_what_has_no_identity_in_it_stays_as_it_is() -> None:
    for error in (depolarizing_error(0.1, 1), amplitude_damping_error(0.3), QuantumError(Kraus(np.diag([1, 1j])))):
        assert mixed_unitary_part(error) is error
