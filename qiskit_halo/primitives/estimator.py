"""An estimator in place of an estimator: every measurement basis of every parameter set is a program."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from qiskit.exceptions import QiskitError
from qiskit.primitives import (
    BaseEstimatorV2,
    BaseSamplerV2,
    DataBin,
    EstimatorPubLike,
    PubResult,
    SamplerPubResult,
)
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.bases import REGISTER, Basis, expectations, group_terms, measure_in
from qiskit_halo.primitives.job import HaloJob
from qiskit_halo.primitives.sampler import HaloSampler

DEFAULT_PRECISION = 0.015625
"""That of Qiskit's own estimator: 4096 shots."""

Moments = Mapping[str, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]


class HaloEstimator(BaseEstimatorV2):
    """Estimate observables on a fraction of the QPU time: ``HaloEstimator(sampler)`` in place of an estimator.

    Terms that commute qubit by qubit are measured together, as in Qiskit's
    :class:`~qiskit.primitives.BackendEstimatorV2`; each basis of each parameter set is a program of a
    :class:`HaloSampler`, so that all of them share merged circuits. Values, standard errors, shapes and the shots for
    a precision are those of ``BackendEstimatorV2``. Projectors (``0``, ``1``, ``+``, ``-``, ``r``, ``l``) in
    observables are measured too.

    Args:
        sampler: The sampler that does the work.
        backend: The device, if the sampler does not say.
        target: The device, in place of ``backend``.
        options: How to share it, and the limits of batches.
        default_precision: Precision of pubs that do not say; the shots are its inverse square.
        abelian_grouping: Whether terms that commute qubit by qubit are measured together.
        optimization_level: Level of Qiskit's preset pass manager for abstract circuits, 0 to 3.
        seed_transpiler: Seed of everything random in compiling; ``None`` counts as 0.

    Raises:
        HaloValueError: The device is not known, or options do not fit.

    Examples:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.providers.fake_provider import GenericBackendV2
        >>> from qiskit_halo import LocalSampler
        >>> flip = QuantumCircuit(1)
        >>> _ = flip.x(0)
        >>> estimator = HaloEstimator(LocalSampler(None, noise=False), backend=GenericBackendV2(7, seed=1))
        >>> result = estimator.run([(flip, ["Z", "I"])], precision=0.1).result()
        >>> result[0].data.evs.tolist()
        [-1.0, 1.0]
    """

    def __init__(
        self,
        sampler: BaseSamplerV2,
        *,
        backend: BackendV2 | None = None,
        target: Target | None = None,
        options: HaloOptions | None = None,
        default_precision: float = DEFAULT_PRECISION,
        abelian_grouping: bool = True,
        optimization_level: int = 2,
        seed_transpiler: int | None = None,
    ) -> None:
        self._sampler = HaloSampler(
            sampler,
            backend=backend,
            target=target,
            options=options,
            optimization_level=optimization_level,
            seed_transpiler=seed_transpiler,
        )
        self._default_precision = default_precision
        self._grouping = abelian_grouping

    @property
    def sampler(self) -> HaloSampler:
        """The sampler that runs the programs."""
        return self._sampler

    @property
    def options(self) -> HaloOptions:
        """How the device is shared."""
        return self._sampler.options

    def run(self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None) -> HaloJob[PubResult]:
        """Plan, compile and submit; return a job with one result for each pub, in order.

        Args:
            pubs: ``(circuit, observables[, parameter_values[, precision]])``.
            precision: Precision of pubs that do not say.

        Raises:
            HaloError: A pub is not valid, or its circuit cannot be compiled for the device; the message names it.
        """
        coerced = _coerce(pubs, self._default_precision if precision is None else precision)
        measurements = [self._measure(index, pub) for index, pub in enumerate(coerced)]
        flat = [measurement for own in measurements for measurement in own]
        job = self._sampler.run_labelled([m.pub for m in flat], [m.label for m in flat], None)

        def estimate(results: list[SamplerPubResult | None]) -> list[PubResult | None]:
            found = iter(results)
            return [
                _estimate(pub, own, [next(found) for _ in own]) for pub, own in zip(coerced, measurements, strict=True)
            ]

        return job.then(estimate)

    def _measure(self, index: int, pub: EstimatorPub) -> list[_Measurement]:
        """Return what has to be run for ``pub``: parameter sets that need the same terms share circuits."""
        needed: dict[int, dict[str, None]] = {}
        points, observables = _broadcast(pub)
        for point, observable in zip(points.ravel().tolist(), observables.ravel().tolist(), strict=True):
            needed.setdefault(point, {}).update(dict.fromkeys(observable))
        alike: dict[tuple[str, ...], list[int]] = {}
        for point in sorted(needed):
            alike.setdefault(tuple(sorted(needed[point])), []).append(point)
        shots = shots_for(pub.precision)
        names = tuple(parameter.name for parameter in pub.circuit.parameters)
        values = pub.parameter_values.as_array(pub.circuit.parameters).reshape(pub.parameter_values.size, len(names))
        measurements = []
        for terms, rows in alike.items():
            for basis in group_terms(terms, grouping=self._grouping):
                try:
                    circuit = measure_in(pub.circuit, basis, self._sampler.target)
                except HaloValueError as error:
                    raise HaloValueError(f"pub {index}: {error.message}") from error
                bindings = BindingsArray({names: values[rows]} if names else {}, shape=(len(rows),))
                measurements.append(
                    _Measurement(
                        pub=SamplerPub(circuit, bindings, shots),
                        label=f"pub {index}",
                        basis=basis,
                        points=tuple(rows),
                    )
                )
        return measurements


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measurement:
    """One basis of some parameter sets of a pub."""

    pub: SamplerPub
    label: str
    basis: Basis
    points: tuple[int, ...]


def shots_for(precision: float) -> int:
    """Return the shots whose standard error is at most ``precision`` for an observable with values -1 and 1."""
    return math.ceil(1.0 / precision**2)


def _coerce(pubs: Iterable[EstimatorPubLike], precision: float) -> list[EstimatorPub]:
    coerced = []
    for index, pub in enumerate(pubs):
        try:
            found = EstimatorPub.coerce(pub, precision)
        except TypeError as error:
            raise TypeError(f"pub {index}: {' '.join(str(error).split())}") from error
        except (ValueError, QiskitError) as error:
            text = error.message if isinstance(error, QiskitError) else str(error)
            raise HaloValueError(f"pub {index}: {' '.join(text.split())}") from error
        if not found.precision > 0:
            raise HaloValueError(f"pub {index}: precision must be larger than 0, not {found.precision}")
        coerced.append(found)
    return coerced


def _broadcast(pub: EstimatorPub) -> tuple[npt.NDArray[np.int64], npt.NDArray[Any]]:
    """Return the parameter set and the observable (term -> weight) of each entry of the result."""
    points = np.arange(pub.parameter_values.size).reshape(pub.parameter_values.shape)
    points, observables = np.broadcast_arrays(points, np.asarray(pub.observables))
    return points, observables


def _estimate(
    pub: EstimatorPub, measurements: Sequence[_Measurement], results: Sequence[SamplerPubResult | None]
) -> PubResult | None:
    """Return values and standard errors, ``None`` if a basis is missing."""
    known: dict[tuple[int, str], tuple[float, float]] = {}
    for measurement, result in zip(measurements, results, strict=True):
        if result is None:
            return None
        moments: Moments = expectations(result.data[REGISTER], measurement.basis)
        for term, (means, variances) in moments.items():
            for row, point in enumerate(measurement.points):
                known[point, term] = (float(means[row]), float(variances[row]))
    points, observables = _broadcast(pub)
    values, errors = np.zeros(points.shape), np.zeros(points.shape)
    for index, (point, observable) in enumerate(
        zip(points.ravel().tolist(), observables.ravel().tolist(), strict=True)
    ):
        for term, weight in observable.items():
            mean, variance = known.get((point, term), (1.0, 0.0))  # nothing but identities
            values.flat[index] += mean * weight
            errors.flat[index] += abs(weight) * math.sqrt(max(variance, 0.0))
    shots = shots_for(pub.precision)
    return PubResult(
        DataBin(evs=values, stds=errors / math.sqrt(shots), shape=values.shape),
        metadata={
            "target_precision": pub.precision,
            "shots": shots,
            "circuit_metadata": pub.circuit.metadata,
            "halo": {"bases": len(measurements)},
        },
    )
