"""A sampler in place of a sampler: many programs in one merged circuit, each result as if it had run alone."""

from __future__ import annotations

import dataclasses
import logging
import warnings
from collections.abc import Iterable, Sequence

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2, SamplerPubLike, SamplerPubResult
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from qiskit_halo.batch_plan import BatchPlan, PlannedBatch
from qiskit_halo.errors import HaloValueError, HaloWarning
from qiskit_halo.options import HaloOptions
from qiskit_halo.passes.scrub import redraw_scrubs
from qiskit_halo.primitives.compiled import BatchCompiler, CompiledBatch
from qiskit_halo.primitives.fitting import BatchFitter
from qiskit_halo.primitives.gather import assemble, shots_of_runs, split_batch
from qiskit_halo.primitives.job import HaloJob, SubmittedRun
from qiskit_halo.primitives.workload import FloatArray, Workload, coerce_pubs, gather_workload
from qiskit_halo.primitives.wrapped import check_options, default_shots, find_backend, find_target, fixed_seed
from qiskit_halo.primitives.wrapped import rep_delay_s as rep_delay_of

logger = logging.getLogger(__name__)

SCRUB_DRAWS = 16
"""Circuits that the shots of a batch are spread over where hand-overs are scrubbed: each has a draw of its own."""


class HaloSampler(BaseSamplerV2):
    """Run pubs on a fraction of the QPU time: ``HaloSampler(sampler)`` in place of ``sampler``.

    Every point of every pub is a program. :func:`~qiskit_halo.primitives.batching.plan_batches` decides which share a
    merged circuit and how many copies each has there; each different circuit is compiled once, with its parameters
    unbound; the wrapped sampler runs the merged circuits; and every pub gets a result of its own, with the fields,
    shapes, types, bit order and exactly the shots that the wrapped sampler would have given it.

    Circuits may be abstract or compiled. Abstract ones are compiled here. A compiled (ISA) circuit, one whose every
    operation the device has on the very qubits it names, is kept as it is, on its own qubits; with
    ``HaloOptions(move_isa=True)`` its gates are kept but may go to other qubits of the device.

    Args:
        sampler: The sampler that does the work.
        backend: The device, if the sampler does not say.
        target: The device, in place of ``backend``.
        options: How to share it, and the limits of batches.
        optimization_level: Level of Qiskit's preset pass manager for abstract circuits, 0 to 3.
        seed_transpiler: Seed of everything random in compiling; ``None`` counts as 0.

    Raises:
        HaloValueError: The device is not known, or options do not fit.

    Examples:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.providers.fake_provider import GenericBackendV2
        >>> from qiskit_halo import LocalSampler
        >>> flip = QuantumCircuit(1)
        >>> flip.x(0), flip.measure_all()
        (...)
        >>> sampler = HaloSampler(LocalSampler(None, noise=False), backend=GenericBackendV2(7, seed=1))
        >>> job = sampler.run([flip, (flip, None, 50)], shots=100)
        >>> [pub.data.meas.get_counts() for pub in job.result()]
        [{'1': 100}, {'1': 50}]
    """

    def __init__(
        self,
        sampler: BaseSamplerV2,
        *,
        backend: BackendV2 | None = None,
        target: Target | None = None,
        options: HaloOptions | None = None,
        optimization_level: int = 2,
        seed_transpiler: int | None = None,
    ) -> None:
        if options is not None and not isinstance(options, HaloOptions):
            raise HaloValueError(f"options must be HaloOptions or None, not {type(options).__name__}")
        self._sampler = sampler
        # Under this name clients such as qiskit-experiments look for the device of a sampler.
        self._backend = find_backend(sampler) if backend is None else backend
        self._target = find_target(sampler, backend, target)
        self._options = _complete(options or HaloOptions(), sampler, self._backend)
        self._compiler = BatchCompiler(
            self._target, self._options, optimization_level=optimization_level, seed=seed_transpiler
        )
        self._fitter = BatchFitter(self._target, self._options, self._compiler)

    @property
    def sampler(self) -> BaseSamplerV2:
        """The sampler that does the work."""
        return self._sampler

    @property
    def backend(self) -> BackendV2 | None:
        """The device, ``None`` if only its target is known."""
        return self._backend

    @property
    def target(self) -> Target:
        """The device that is compiled for."""
        return self._target

    @property
    def options(self) -> HaloOptions:
        """How the device is shared, with the limits and the repetition delay that the wrapped sampler states."""
        return self._options

    def run(
        self,
        pubs: Iterable[SamplerPubLike],
        *,
        shots: int | None = None,
        weights: Sequence[float] | None = None,
    ) -> HaloJob[SamplerPubResult]:
        """Plan, compile and submit; return a job with one result for each pub, in order.

        Nothing is sent before every pub has been checked and compiled.

        Args:
            pubs: Circuits, or ``(circuit, parameter_values[, shots])``.
            shots: Shots of pubs that do not say; by default those of the wrapped sampler.
            weights: One positive number a pub: where not all fit into one batch, heavy ones come first. By default those
                of the options.

        Raises:
            HaloError: A pub is not valid, or its circuit cannot be compiled for the device; the message names it.
        """
        coerced = coerce_pubs(pubs, default_shots(self._sampler) if shots is None else shots)
        return self.run_labelled(coerced, None, weights)

    def run_labelled(
        self, pubs: Sequence[SamplerPub], labels: Sequence[str] | None, weights: Sequence[float] | None
    ) -> HaloJob[SamplerPubResult]:
        """Do what :meth:`run` does, for the other primitives of this package.

        Args:
            pubs: Pubs with shots.
            labels: What messages call each of them, by default its index.
            weights: As for :meth:`run`.
        """
        check_options(self._sampler, [pub.circuit for pub in pubs], self._options)
        workload = gather_workload(pubs, self._target, labels)
        if workload.num_programs:
            own = self._options.weights if weights is None else weights
            plan, compiled = self._fitter.fit(workload, _program_weights(own, workload))
        else:
            plan, compiled = _empty_plan(), ()
        runs = self._submit(workload, plan, compiled)
        logger.info("%d programs in %d batches", workload.num_programs, len(plan.batches))

        def collect(results: dict[int, list[SamplerPubResult]]) -> list[SamplerPubResult | None]:
            fields = {
                index: split_batch(result, plan.batches[index], compiled[index]) for index, result in results.items()
            }
            return assemble(workload, plan, compiled, fields)

        return HaloJob(runs, plan, collect, {"reports": [batch.metadata["report"] for batch in compiled]})

    def _submit(self, workload: Workload, plan: BatchPlan, compiled: Sequence[CompiledBatch]) -> list[SubmittedRun]:
        """Hand the batches to the wrapped sampler, in as few jobs as the limits allow."""
        pubs = [self._make_pubs(workload, *pair) for pair in zip(plan.batches, compiled, strict=True)]
        groups = _group(plan, compiled, self._options)
        if len(groups) > 1:
            self._warn_about_seed(plan)
        runs = []
        for group in groups:
            try:
                runs.append(self._run_together(group, pubs))
            except Exception:
                # Some samplers take one number of shots a job. Nothing was sent, so try so.
                by_shots: dict[tuple[int, ...], list[int]] = {}
                for index in group:
                    by_shots.setdefault(tuple(pub.shots for pub in pubs[index]), []).append(index)
                if len(by_shots) == 1:
                    raise
                runs += [self._run_together(part, pubs) for part in by_shots.values()]
        return runs

    def _run_together(self, batches: Sequence[int], pubs: Sequence[Sequence[SamplerPub]]) -> SubmittedRun:
        own = [(index, pub) for index in batches for pub in pubs[index]]
        return SubmittedRun(job=self._sampler.run([pub for _, pub in own]), batches=tuple(index for index, _ in own))

    def _make_pubs(self, workload: Workload, batch: PlannedBatch, compiled: CompiledBatch) -> list[SamplerPub]:
        """Return the merged circuit with its values; where qubits are scrubbed, in several draws."""
        draws = 1
        if self._options.scrub and compiled.report.num_handovers:
            draws = min(SCRUB_DRAWS, self._options.max_circuits or SCRUB_DRAWS)
        shots = shots_of_runs(batch, compiled, draws)
        circuits = redraw_scrubs(compiled.circuit, self._target, len(shots)) if draws > 1 else [compiled.circuit]
        values = _row_values(workload, batch, compiled)
        return [_make_pub(circuit, values, own) for circuit, own in zip(circuits, shots, strict=True)]

    def _warn_about_seed(self, plan: BatchPlan) -> None:
        split = any(len({share.batch for share in shares}) > 1 for shares in plan.shares())
        if split and fixed_seed(self._sampler) is not None:
            warnings.warn(
                "the wrapped sampler has a fixed seed and the shots of a program come from several jobs, which may draw "
                "the same shots; set no seed, or allow larger jobs (max_executions, max_circuits)",
                HaloWarning,
                stacklevel=4,
            )


def _complete(options: HaloOptions, sampler: BaseSamplerV2, backend: BackendV2 | None) -> HaloOptions:
    """Return ``options`` with what the wrapped sampler and its device say about delays and limits."""
    delay_s = rep_delay_of(sampler) if options.rep_delay_s is None else options.rep_delay_s
    limit = options.max_circuits
    most = getattr(backend, "max_circuits", None)
    if isinstance(most, int) and most > 0:
        limit = min(most, limit or most)
    return dataclasses.replace(options, rep_delay_s=delay_s, max_circuits=limit)


def _program_weights(weights: Sequence[float] | None, workload: Workload) -> list[float] | None:
    if weights is None:
        return None
    if len(weights) != len(workload.pubs):
        raise HaloValueError(f"there are {len(weights)} weights for {len(workload.pubs)} pubs; give one number a pub")
    for index, weight in enumerate(weights):
        if not weight > 0:
            raise HaloValueError(f"pub {index}: its weight must be positive, not {weight!r}")
    return [float(weights[index]) for index in workload.pub]


def _empty_plan() -> BatchPlan:
    return BatchPlan(batches=(), names=(), shots=(), circuits=(), rep_delay_s=0.0, one_by_one_s=0.0)


def _row_values(workload: Workload, batch: PlannedBatch, compiled: CompiledBatch) -> FloatArray:
    """Return the values of the merged circuit's parameters, shape (num_rows, num_parameters)."""
    slots = [slot for slot, _ in compiled.columns]
    positions = np.array([position for _, position in compiled.columns], dtype=np.int64)
    values = np.zeros((batch.num_rows, len(slots)))
    by_slot: dict[int, list[int]] = {}
    for column, slot in enumerate(slots):
        by_slot.setdefault(slot, []).append(column)
    for slot, columns in by_slot.items():
        # A cell that nobody needs runs with the first values.
        owners = [row[slot] for row in batch.cells]
        rows = [0 if owner is None else int(workload.value_row[owner]) for owner in owners]
        values[:, columns] = workload.values[batch.slots[slot]][rows][:, positions[columns]]
    return values


def _make_pub(circuit: QuantumCircuit, values: FloatArray, shots: int) -> SamplerPub:
    """Return a pub with a row of parameter values for each row of a batch; one row is bound."""
    if not circuit.num_parameters:
        return SamplerPub(circuit, shots=shots)
    if len(values) == 1:
        return SamplerPub(circuit.assign_parameters(values[0]), shots=shots)
    bindings = BindingsArray({tuple(parameter.name for parameter in circuit.parameters): values})
    return SamplerPub(circuit, bindings, shots=shots)


def _group(plan: BatchPlan, compiled: Sequence[CompiledBatch], options: HaloOptions) -> list[list[int]]:
    """Return batches by job, in order, each job within its limits."""
    groups: list[list[int]] = []
    executions = circuits = 0
    for index, (batch, own) in enumerate(zip(plan.batches, compiled, strict=True)):
        more = batch.num_rows if own.columns else 1
        too_long = options.max_executions is not None and executions + batch.executions > options.max_executions
        too_many = options.max_circuits is not None and circuits + more > options.max_circuits
        if not groups or too_long or too_many:
            groups.append([])
            executions = circuits = 0
        groups[-1].append(index)
        executions += batch.executions
        circuits += more
    return groups
