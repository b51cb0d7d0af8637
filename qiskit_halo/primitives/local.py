"""A sampler that simulates each independent part of a circuit by itself."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import (
    BaseSamplerV2,
    PrimitiveJob,
    PrimitiveResult,
    SamplerPubLike,
    SamplerPubResult,
)
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.providers import BackendV2

from qiskit_halo.errors import HaloError, HaloValueError
from qiskit_halo.options import ResetModel, check_choice
from qiskit_halo.primitives.counter import Counter, Progress
from qiskit_halo.primitives.failures import name_of, one_line
from qiskit_halo.primitives.lowering import LoweredComponent, lower_component
from qiskit_halo.primitives.noise import DeviceNoise
from qiskit_halo.primitives.plan import ComponentPlan, find_openings, plan_component
from qiskit_halo.primitives.shots import bits_of_memory, pack_registers
from qiskit_halo.results.fields import make_data_bin
from qiskit_halo.segments.find import Component, find_components

if TYPE_CHECKING:
    from qiskit_aer import AerSimulator

logger = logging.getLogger(__name__)

_FOLD_ABOVE_NOISY = 6
"""Noise makes every shot a run of its own, or needs a density matrix: few qubits are worth a reset in between."""
_FOLD_ABOVE_IDEAL = 16
"""Without noise and resets all shots are drawn from one state, which is cheap up to about so many qubits."""
_BRANCH_FROM = 12
"""Qubits from which a shot costs more than keeping a branch: 9 take 6 times as long with branches, 14 half as long."""
_FUSE_ABOVE = 8
"""Qubits above which Aer fuses gates in each noisy shot, to a third of the time; its own bound, 14, is for one run."""


class LocalSampler(BaseSamplerV2):
    """Simulate a merged circuit on this machine, with the noise of a device.

    A merged circuit is far too wide to be simulated whole, but its programs are independent: the circuit is cut at
    its resets into independent components (see :func:`~qiskit_halo.segments.find.find_components`), each is
    simulated by itself with Aer, and the bits of the shots are joined. Any circuit can be run; one that does not
    come apart is one component. Memory and time grow exponentially with the qubits that are alive at a time in the
    largest component, and only with the number of the others.

    The model, with ``noise=True``: gate, readout and relaxation errors from the backend's target, for the qubits in
    use only, as in :meth:`qiskit_aer.noise.NoiseModel.from_backend`; relaxation on every ``delay`` (other idle time
    is not modelled: schedule the circuit, so that it is written as delays); and resets that fail as often as the
    target says, or as its readout fails, in the way that ``reset_model`` says (see
    :class:`~qiskit_halo.primitives.noise.DeviceNoise`). Three things are approximate:

    * A qubit passed on by resets begins in 1 with the probability that those resets leave if the qubit was in 0 or 1
      with equal chance. The chance is drawn for each shot and does not depend on the outcomes of the program that
      had the qubit before, so that components stay independent.
    * There is no crosstalk between components.
    * A ``stretch`` that no scheduler has resolved is taken as long as 0.

    Without noise, shots come from the exact distribution, and delays are dropped.

    Args:
        backend: The device. With ``noise=False`` it is not looked at.
        noise: Whether to simulate its errors.
        seed: Same seed, same bits, in any process; ``None`` draws a new seed for each :meth:`run`. Each component
            has its own stream, derived from the seed and its position.
        default_shots: Shots of pubs that do not say.
        reset_model: What a reset that fails does. ``"stays"``: it leaves the qubit as it was, as predicted success
            assumes, so that more rounds help. ``"flips"``: it also flips a qubit in 0, as a measurement that errs
            and an X do, so that they hardly help. Devices may do either.
        progress: Called with (components done, components in all) as a run goes on, from the thread of the job.

    Examples:
        >>> from qiskit.circuit import QuantumCircuit
        >>> circuit = QuantumCircuit(60)
        >>> _ = circuit.x(range(0, 60, 2))
        >>> circuit.measure_all()
        >>> sampler = LocalSampler(None, noise=False, seed=1)
        >>> sampler.run([circuit], shots=5).result()[0].data.meas.get_counts() == {"01" * 30: 5}
        True
    """

    def __init__(
        self,
        backend: BackendV2 | None,
        *,
        noise: bool = True,
        seed: int | None = None,
        default_shots: int = 1024,
        reset_model: ResetModel = "stays",
        progress: Progress | None = None,
    ) -> None:
        check_choice("reset_model", reset_model, get_args(ResetModel))
        if noise and backend is None:
            raise HaloValueError("noise needs a backend to take it from; pass one, or noise=False")
        self._noise = DeviceNoise(backend, reset_model) if noise and backend is not None else None
        _check_seed(seed)
        self._seed = seed
        self._default_shots = default_shots
        self._progress = progress

    def with_seed(self, seed: int | None) -> LocalSampler:
        """Return this sampler with another seed; the errors of the device that either has built serve both."""
        _check_seed(seed)
        other = copy.copy(self)
        other._seed = seed
        return other

    def with_reset_model(self, reset_model: ResetModel) -> LocalSampler:
        """Return this sampler with other resets; all other errors of the device that either has built serve both."""
        check_choice("reset_model", reset_model, get_args(ResetModel))
        other = copy.copy(self)
        other._noise = None if self._noise is None else self._noise.with_reset_model(reset_model)
        return other

    def run(
        self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None
    ) -> PrimitiveJob[PrimitiveResult[SamplerPubResult]]:
        """Simulate ``pubs``; fields, shapes and types are those of Qiskit's own samplers.

        Registers that share bits are read bit by bit, as :class:`~qiskit.primitives.StatevectorSampler` does.

        Raises:
            HaloValueError: A circuit is wider than the device. When the job's result is asked for: a component has an
                instruction that the device, or Aer, does not have.
            HaloError: When the job's result is asked for: Aer failed; the message names the program.
        """
        coerced = [SamplerPub.coerce(pub, self._default_shots if shots is None else shots) for pub in pubs]
        for index, pub in enumerate(coerced):
            self._check_width(index, pub.circuit)
            if not pub.circuit.cregs:
                warnings.warn(
                    f"The circuit of pub {index} has no classical registers, so its result will be empty; "
                    "did you mean to measure?",
                    UserWarning,
                    stacklevel=2,
                )
        job = PrimitiveJob(self._run, coerced)
        job._submit()  # Qiskit's own samplers start their jobs in this way
        return job

    def _run(self, pubs: list[SamplerPub]) -> PrimitiveResult[SamplerPubResult]:
        simulator = _aer_simulator()
        seeds = np.random.SeedSequence(self._seed)
        plans = [self._plan(pub.circuit) for pub in pubs]
        counter = Counter(
            self._progress,
            sum(pub.parameter_values.size * len(plan) for pub, plan in zip(pubs, plans, strict=True)),
        )
        results = [
            self._run_pub(pub, plan, _child(seeds, index), simulator, counter)
            for index, (pub, plan) in enumerate(zip(pubs, plans, strict=True))
        ]
        return PrimitiveResult(results, metadata={"version": 2})

    def _check_width(self, index: int, circuit: QuantumCircuit) -> None:
        limit = None if self._noise is None else self._noise.num_qubits
        if limit is not None and circuit.num_qubits > limit:
            raise HaloValueError(
                f"the circuit of pub {index} has {circuit.num_qubits} qubits, but the device has {limit}; "
                "compile it for the device, or simulate with noise=False"
            )

    def _plan(self, circuit: QuantumCircuit) -> list[_Task]:
        noisy = self._noise is not None
        segmentation = find_components(circuit)
        openings = find_openings(circuit, segmentation)
        tasks = []
        for index, component in enumerate(segmentation.components):
            if not component.clbits:
                continue
            plan = plan_component(
                circuit,
                segmentation,
                openings,
                index,
                noisy=noisy,
                fold_above=_FOLD_ABOVE_NOISY if noisy else _FOLD_ABOVE_IDEAL,
            )
            tasks.append(_Task(index=index, component=component, plan=plan))
        logger.debug(
            "%d components to simulate, at most %d qubits",
            len(tasks),
            max((task.plan.num_slots for task in tasks), default=0),
        )
        return tasks

    def _run_pub(
        self,
        pub: SamplerPub,
        tasks: Sequence[_Task],
        seeds: np.random.SeedSequence,
        simulator: AerSimulator,
        counter: Counter,
    ) -> SamplerPubResult:
        circuit, shape = pub.circuit, pub.parameter_values.shape
        bound = np.asarray(pub.parameter_values.bind_all(circuit), dtype=object)
        bits = np.zeros((*shape, pub.shots, circuit.num_clbits), dtype=np.uint8)
        for number, place in enumerate(np.ndindex(*shape)):
            for task in tasks:
                seed = _child(_child(seeds, number), task.index)
                found = self._simulate(bound[place], task, pub.shots, seed, simulator)
                bits[place][:, list(task.component.clbits)] = found
                counter.step()
        return SamplerPubResult(
            make_data_bin(pack_registers(circuit, bits), shape),
            metadata={"shots": pub.shots, "circuit_metadata": circuit.metadata},
        )

    def _simulate(
        self,
        circuit: QuantumCircuit,
        task: _Task,
        shots: int,
        seed: np.random.SeedSequence,
        simulator: AerSimulator,
    ) -> NDArray[np.uint8]:
        """Return the bits of one component, shape (num_shots, num_bits), bit 0 first."""
        name = name_of(circuit, task.component)
        try:
            lowered = lower_component(circuit, task.plan, task.component.clbits, self._noise)
        except HaloValueError as error:
            raise HaloValueError(f"{name}: {error.message}") from error
        try:
            result = simulator.run(
                lowered.circuit,
                shots=shots,
                memory=True,
                # The plan has left out what no bit depends on. Aer's own way to do so loses qubits and jump marks of
                # circuits with control flow, and then fails ("unordered_map::at", "Invalid jump destination").
                enable_truncation=False,
                # Aer takes 63 bits; two's complement would be a negative seed.
                seed_simulator=int(seed.generate_state(1, np.uint64)[0] >> 1),
                **self._noise_options(task, lowered),
            ).result()
        except Exception as error:  # Aer raises whatever its loader trips over, KeyError and RuntimeError too
            raise HaloError(f"{name} cannot be simulated, Aer says: {one_line(error)}") from error
        if not result.success:
            status = next((r.status for r in result.results if not r.success), result.status)
            raise HaloError(
                f"{name} cannot be simulated on {lowered.circuit.num_qubits} qubits, Aer says: {one_line(status)}"
            )
        return bits_of_memory(result.data(0)["memory"], len(lowered.clbits))

    def _noise_options(self, task: _Task, lowered: LoweredComponent) -> dict[str, Any]:
        if self._noise is None:
            return {}
        wide = lowered.circuit.num_qubits >= _BRANCH_FROM
        return {
            "noise_model": self._noise.model(lowered.labels, task.plan.exclusive),
            "fusion_threshold": _FUSE_ABOVE,
            # Most shots of a good device see the same few errors: simulate what they share once. Aer 0.17 and 0.18 mix
            # branches up where there is control flow, each time in another way, and where a readout error comes in
            # the middle, every time.
            "shot_branching_enable": wide and not task.plan.exclusive and not lowered.circuit.has_control_flow_op(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One component to simulate."""

    index: int
    component: Component
    plan: ComponentPlan


def _check_seed(seed: int | None) -> None:
    if seed is not None and seed < 0:
        raise HaloValueError(f"seed must be at least 0, or None for a new one each time, not {seed}")


def _child(seeds: np.random.SeedSequence, index: int) -> np.random.SeedSequence:
    # Unlike `spawn`, this does not depend on how many children were made before.
    return np.random.SeedSequence(seeds.entropy, spawn_key=(*seeds.spawn_key, index))


def _aer_simulator() -> AerSimulator:
    try:
        from qiskit_aer import AerSimulator
    except ImportError as error:
        raise HaloError(
            "LocalSampler simulates with qiskit-aer, which is not installed; pip install 'qiskit-halo[aer]'"
        ) from error
    return AerSimulator()
