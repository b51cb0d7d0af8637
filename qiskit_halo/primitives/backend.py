"""A backend in place of a backend, for clients that call ``backend.run``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from qiskit.circuit import ClassicalRegister, QuantumCircuit
from qiskit.primitives import BackendSamplerV2, BaseSamplerV2, BitArray, SamplerPubResult
from qiskit.providers import BackendV2, JobStatus, JobV1, Options
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData
from qiskit.transpiler import Target

from qiskit_halo.errors import HaloError, HaloValueError
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.job import HaloJob
from qiskit_halo.primitives.sampler import HaloSampler
from qiskit_halo.primitives.workload import coerce_pubs

ALL_BITS = "__halo_all"
"""Register over all bits of a circuit: counts of a backend tell of bits in no register too."""


class HaloBackend(BackendV2):
    """Run circuits on a fraction of the QPU time: ``HaloBackend(backend)`` in place of ``backend``.

    ``run`` takes circuits and returns a job whose :class:`~qiskit.result.Result` has counts, and memory if asked for,
    of each circuit, as the backend alone would give them. Underneath, a :class:`HaloSampler` runs them in merged
    circuits. Clients of backends transpile first, so most circuits are compiled ones: they stay on their qubits, one
    after another within a shot, unless ``HaloOptions(move_isa=True)`` lets them use other qubits too.

    Args:
        backend: The device.
        sampler: The sampler that does the work; by default ``BackendSamplerV2`` over ``backend``.
        options: How to share the device, and the limits of batches.
        optimization_level: Level of Qiskit's preset pass manager for circuits that are not compiled, 0 to 3.
        seed_transpiler: Seed of everything random in compiling; ``None`` counts as 0.

    Examples:
        >>> from qiskit.providers.fake_provider import GenericBackendV2
        >>> from qiskit_halo import LocalSampler
        >>> backend = HaloBackend(GenericBackendV2(3, seed=1), sampler=LocalSampler(None, noise=False))
        >>> flip = QuantumCircuit(1, 1)
        >>> flip.x(0), flip.measure(0, 0)
        (...)
        >>> backend.run([flip, flip], shots=100).result().get_counts()
        [{'1': 100}, {'1': 100}]
    """

    def __init__(
        self,
        backend: BackendV2,
        *,
        sampler: BaseSamplerV2 | None = None,
        options: HaloOptions | None = None,
        optimization_level: int = 2,
        seed_transpiler: int | None = None,
    ) -> None:
        super().__init__(
            provider=backend.provider,
            name=f"halo({backend.name})",
            description=f"{backend.name}, shared by many circuits at a time",
            backend_version=backend.backend_version,
        )
        self._backend = backend
        self._sampler = HaloSampler(
            BackendSamplerV2(backend=backend) if sampler is None else sampler,
            backend=backend,
            options=options,
            optimization_level=optimization_level,
            seed_transpiler=seed_transpiler,
        )

    @property
    def target(self) -> Target:
        """The device's own target."""
        return self._backend.target

    @property
    def max_circuits(self) -> None:
        """No limit: batches are made as the device can take them."""
        return None

    @property
    def sampler(self) -> HaloSampler:
        """The sampler that runs the circuits."""
        return self._sampler

    @classmethod
    def _default_options(cls) -> Options:
        return Options(shots=1024, memory=False)

    def run(self, run_input: QuantumCircuit | Iterable[QuantumCircuit], **options: Any) -> HaloBackendJob:
        """Run circuits with bound parameters.

        Args:
            run_input: One circuit, or several.
            options: ``shots`` of each circuit, and ``memory``, whether to give single shots as well.

        Raises:
            HaloValueError: An option or an input is not known, or a circuit has unbound parameters.
            HaloError: A circuit cannot be compiled; the message names it.
        """
        unknown = sorted(set(options) - {"shots", "memory"})
        if unknown:
            raise HaloValueError(
                f"HaloBackend.run takes shots and memory, not {', '.join(unknown)}; "
                "set other options on the sampler, with HaloBackend(backend, sampler=...)"
            )
        circuits = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input)
        for index, circuit in enumerate(circuits):
            if not isinstance(circuit, QuantumCircuit):
                raise HaloValueError(f"circuit {index} must be a QuantumCircuit, not {type(circuit).__name__}")
            if circuit.num_parameters:
                raise HaloValueError(
                    f"circuit {index} ({circuit.name!r}) has {circuit.num_parameters} unbound parameters; "
                    "bind them, or run it as a pub of HaloSampler"
                )
        shots = options.get("shots") or self.options.shots
        memory = options.get("memory", self.options.memory)
        extended = {id(circuit): _with_all_bits(circuit) for circuit in circuits}
        pubs = coerce_pubs([extended[id(circuit)] for circuit in circuits], shots)
        job = self._sampler.run_labelled(pubs, [f"circuit {index}" for index in range(len(pubs))], None)

        def finish(results: Sequence[SamplerPubResult]) -> Result:
            return Result(
                backend_name=self.name,
                backend_version=self.backend_version,
                job_id=job.job_id(),
                success=True,
                results=[_experiment(c, result, memory) for c, result in zip(circuits, results, strict=True)],
                status="COMPLETED",
            )

        return HaloBackendJob(self, job, finish)


class HaloBackendJob(JobV1):
    """A job of :class:`HaloBackend`.

    Args:
        backend: The backend.
        job: The job of its sampler.
        finish: Makes the result.
    """

    def __init__(
        self,
        backend: HaloBackend,
        job: HaloJob[SamplerPubResult],
        finish: Callable[[Sequence[SamplerPubResult]], Result],
    ) -> None:
        super().__init__(backend, job.job_id(), **job.metadata)
        self._job = job
        self._finish = finish
        self._result: Result | None = None

    @property
    def halo_job(self) -> HaloJob[SamplerPubResult]:
        """The job of the sampler, with the plan."""
        return self._job

    def submit(self) -> None:
        """Do nothing: the job was submitted when it was made."""

    def result(self) -> Result:
        """Wait for all circuits and return their counts.

        Raises:
            HaloError: A batch failed.
        """
        if self._result is None:
            self._result = self._finish(list(self._job.result()))
        return self._result

    def status(self) -> JobStatus:
        """Return the status of all batches together."""
        return self._job.status()

    def cancel(self) -> bool:
        """Cancel every batch that has not ended; return whether some job took it."""
        return self._job.cancel()


def _with_all_bits(circuit: QuantumCircuit) -> QuantumCircuit:
    extended = circuit.copy()
    extended.add_register(ClassicalRegister(bits=circuit.clbits, name=ALL_BITS))
    return extended


def _experiment(circuit: QuantumCircuit, result: SamplerPubResult, memory: bool) -> ExperimentResult:
    bits = result.data[ALL_BITS]
    if not isinstance(bits, BitArray):
        raise HaloError("the sampler does not give classified shots, and a backend's counts need them; ask it for bits")
    data: dict[str, Any] = {"counts": {}}
    if circuit.num_clbits:
        values, inverse, counts = np.unique(bits.array, axis=0, return_inverse=True, return_counts=True)
        names = [hex(int.from_bytes(row.tobytes(), "big")) for row in values]
        data["counts"] = dict(zip(names, counts.tolist(), strict=True))
        if memory:
            data["memory"] = [names[index] for index in inverse.ravel().tolist()]
    return ExperimentResult(
        shots=bits.num_shots,
        success=True,
        data=ExperimentResultData(**data),
        status="DONE",
        header={
            "name": circuit.name,
            "creg_sizes": _register_sizes(circuit),
            "memory_slots": circuit.num_clbits,
            "n_qubits": circuit.num_qubits,
            "global_phase": 0.0,
            "metadata": circuit.metadata,
        },
    )


def _register_sizes(circuit: QuantumCircuit) -> list[list[Any]]:
    """Return name and size of each register, by which Qiskit puts spaces into bit strings.

    It can do so only where the registers follow each other over all bits; else the bits are one word.
    """
    in_order = [bit for register in circuit.cregs for bit in register]
    if in_order == list(circuit.clbits):
        return [[register.name, register.size] for register in circuit.cregs]
    return [["c", circuit.num_clbits]]
