"""The whole compiler as one pass manager."""

from __future__ import annotations

from concurrent.futures import Executor

from qiskit.passmanager import ConditionalController, PropertySet
from qiskit.providers import BackendV2
from qiskit.transpiler import PassManager, StagedPassManager, Target, generate_preset_pass_manager
from qiskit.transpiler.passes import Optimize1qGatesDecomposition

from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import HaloOptions
from qiskit_halo.passes.check_isolation import CheckIsolation
from qiskit_halo.passes.check_programs import CheckPrograms
from qiskit_halo.passes.halo_layout import HaloLayout
from qiskit_halo.passes.halo_scheduling import HaloScheduling
from qiskit_halo.timeline.policies import Policy


def generate_halo_pass_manager(
    optimization_level: int = 2,
    backend: BackendV2 | None = None,
    *,
    target: Target | None = None,
    options: HaloOptions | None = None,
    seed_transpiler: int | None = None,
    policy: Policy | None = None,
    executor: Executor | None = None,
) -> StagedPassManager:
    """Return a pass manager that shares a device between the programs of a circuit.

    Its steps: ``pre_init`` checks that the device has each program's control flow; ``init`` is Qiskit's own;
    ``layout`` compiles each program alone and places it (:class:`HaloLayout`); ``routing``, ``translation`` and
    ``optimization`` are Qiskit's own and find a circuit that is mapped and translated (on a device with directed gates,
    circuits with classical variables only get their one-qubit gates joined there); ``scheduling`` arbitrates
    shared qubits in time (:class:`HaloScheduling`) and checks the result (:class:`CheckIsolation`).

    Unlike :func:`qiskit.transpile`, it also takes circuits with more wires than the device has qubits.

    Args:
        optimization_level: Level of Qiskit's preset pass manager, 0 to 3, for each program and for the whole.
        backend: The device.
        target: The device, in place of ``backend``.
        options: How to share it; ``None`` takes ``metadata["halo"]["options"]`` of each circuit, else the defaults.
        seed_transpiler: Seed of everything random; ``None`` counts as 0, so that results always repeat.
        policy: A policy of your own for shared qubits (:class:`~qiskit_halo.timeline.policies.Policy`), in place of
            ``options.policy``.
        executor: Compiles distinct programs at the same time: a :class:`~concurrent.futures.ProcessPoolExecutor`, what
            Dask's ``Client.get_executor()`` returns, or any other; threads of one process take turns. ``None`` compiles them
            in this process. Results are the same. It is not an option, since options are plain values.

    Raises:
        HaloValueError: Neither or both of ``backend`` and ``target`` are given, or the level does not exist.
    """
    if (backend is None) == (target is None):
        raise HaloValueError("give either a backend or a target")
    if optimization_level not in (0, 1, 2, 3):
        raise HaloValueError(f"optimization_level must be 0, 1, 2 or 3, not {optimization_level!r}")
    device = target if backend is None else backend.target
    seed = 0 if seed_transpiler is None else seed_transpiler
    # Naming a layout method keeps Qiskit's own layout passes off, those that run after routing included.
    passes = generate_preset_pass_manager(
        optimization_level, target=device, layout_method="trivial", seed_transpiler=seed
    )
    passes.pre_init = PassManager([CheckPrograms(device)])
    passes.layout = PassManager(
        [HaloLayout(device, options, optimization_level=optimization_level, seed=seed, executor=executor)]
    )
    if passes.optimization is not None and _is_directed(device):
        passes.optimization = _optimization(passes.optimization, device)
    passes.scheduling = PassManager([HaloScheduling(device, options, policy=policy), CheckIsolation(device, options)])
    return passes


def _optimization(own: PassManager, device: Target) -> PassManager:
    """Return Qiskit's ``own`` stage for all circuits but those with variables.

    On a device with directed gates it turns some inside blocks the wrong way, and to turn them back it runs a pass that
    ends with a crash where there are variables. Every program has been optimized alone by then, so little is lost.
    """

    def has_variables(properties: PropertySet) -> bool:
        return bool(properties["halo_variables"])

    def has_none(properties: PropertySet) -> bool:
        return not has_variables(properties)

    return PassManager(
        [
            ConditionalController(own.to_flow_controller(), condition=has_none),
            ConditionalController([Optimize1qGatesDecomposition(target=device)], condition=has_variables),
        ]
    )


def _is_directed(target: Target) -> bool:
    """Return whether some gate is there one way round only."""
    return any(
        qargs is not None and len(qargs) == 2 and qargs[::-1] not in target[name]
        for name in target.operation_names
        for qargs in target[name] or ()
    )
