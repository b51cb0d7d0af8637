"""Which programs share a merged circuit, how many copies of each, and for how many shots."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from qiskit_halo.batch_plan import BatchPlan, PlannedBatch
from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import DEFAULT_REP_DELAY_S, HaloOptions
from qiskit_halo.primitives.batch_cells import fill_cells, within_limits
from qiskit_halo.primitives.batch_search import BatchSearch, Draft, IntArray, Limits
from qiskit_halo.primitives.estimates import MakespanModel, ProgramEstimate, Room, estimate_program, room_of
from qiskit_halo.programs.load import load_programs


def plan_batches(
    programs: Sequence[QuantumCircuit],
    shots: int | Sequence[int],
    device: BackendV2 | Target,
    options: HaloOptions | None = None,
) -> BatchPlan:
    """Return the batches that run ``programs`` in the least modelled QPU time.

    A pure function: equal input gives an equal plan, and nothing is compiled or run. Every program gets exactly the
    shots that it asks for. One that asks for more than others, also one that is alone, is *replicated*: several copies
    of it in one merged circuit, on different qubits and at different times, whose shots are added up; or it is carried
    over to a further batch. ``options`` set the limits: ``max_batch_programs``, ``max_copies``, ``max_duration_s``,
    ``max_executions`` and ``max_circuits``.

    Args:
        programs: Circuits. The same object again counts as one circuit with other parameter values: those of one
            circuit can follow each other in one slot of a merged circuit.
        shots: Shots of all programs, or of each.
        device: The device.
        options: How to share it.

    Raises:
        HaloValueError: No programs, no measurement, or shots that do not fit.

    Examples:
        >>> from qiskit.providers.fake_provider import GenericBackendV2
        >>> bell = QuantumCircuit(2)
        >>> bell.h(0), bell.cx(0, 1), bell.measure_all()
        (...)
        >>> plan = plan_batches([bell], 1000, GenericBackendV2(10, seed=1))
        >>> sum(share.shots for share in plan.shares()[0])
        1000
        >>> plan.ratio > 2
        True
    """
    options = options or HaloOptions()
    loaded = load_programs(programs, shots=shots)
    target = device if isinstance(device, Target) else device.target
    first: dict[int, int] = {}
    circuits = [first.setdefault(id(program.circuit), len(first)) for program in loaded]
    distinct = {circuit: program.circuit for circuit, program in zip(circuits, loaded, strict=True)}
    return plan_programs(
        circuits=circuits,
        shots=[program.shots for program in loaded],
        names=[program.name for program in loaded],
        estimates=[estimate_program(distinct[index], target) for index in range(len(first))],
        room=room_of(target, options),
        options=options,
        parametrized=[distinct[index].num_parameters > 0 for index in range(len(first))],
    )


def plan_programs(
    *,
    circuits: Sequence[int],
    shots: Sequence[int],
    names: Sequence[str],
    estimates: Sequence[ProgramEstimate],
    room: Room,
    options: HaloOptions,
    parametrized: Sequence[bool],
    weights: Sequence[float] | None = None,
) -> BatchPlan:
    """Return the plan for programs of which everything is known that matters: see :func:`plan_batches`.

    Args:
        circuits: Circuit of each program.
        shots: Shots of each program.
        names: Name of each program.
        estimates: Room that one copy of each circuit takes.
        room: What the device offers.
        options: Limits; ``rep_delay_s`` too.
        parametrized: Whether each circuit has parameters, so that every row of a batch counts as a circuit.
        weights: Weight of each program: the heavy ones come first.
    """
    if weights is not None and len(weights) != len(shots):
        raise HaloValueError(f"there are {len(weights)} weights for {len(shots)} programs; give one number a program")
    rep_delay_s = DEFAULT_REP_DELAY_S if options.rep_delay_s is None else options.rep_delay_s
    overhead_s = room.reset_s + rep_delay_s
    wanted = np.array(shots, dtype=np.int64)
    own = np.array(circuits, dtype=np.int64)
    heavy = np.ones(len(wanted)) if weights is None else np.array(weights, dtype=np.float64)
    limits = Limits(
        programs=options.max_batch_programs,
        copies=options.max_copies,
        shots=options.max_executions,
        makespan_s=options.max_duration_s,
        overhead_s=overhead_s,
    )
    lengths = np.array([estimate.length_s for estimate in estimates], dtype=np.float64)
    has_parameters = np.array(parametrized, dtype=bool)
    drafts = BatchSearch(own, MakespanModel(estimates, room), limits, heavy, has_parameters).run(wanted)
    batches: list[PlannedBatch] = []
    for draft in sorted(drafts, key=lambda draft: _rank(draft, heavy)):
        cells = fill_cells(draft, own, heavy, has_parameters & (options.max_copies is None))
        slots = tuple(int(c) for c in np.repeat(np.arange(len(draft.slots)), draft.slots))
        open_parameters = bool(has_parameters[draft.slots > 0].any())
        batches.extend(
            PlannedBatch(slots=slots, cells=part, shots=draft.shots, makespan_s=draft.makespan_s, reset_s=room.reset_s)
            for part in within_limits(cells, draft.shots, options, open_parameters)
        )
    return BatchPlan(
        batches=tuple(batches),
        names=tuple(names),
        shots=tuple(int(number) for number in shots),
        circuits=tuple(int(circuit) for circuit in circuits),
        rep_delay_s=rep_delay_s,
        one_by_one_s=math.fsum((wanted * (lengths[own] + overhead_s)).tolist()),
    )


def _rank(draft: Draft, weights: np.ndarray) -> tuple[float, float, tuple[int, ...]]:
    """Heavy programs first; then short batches, so that the mean wait is short; then by program."""
    used: IntArray = np.flatnonzero(draft.wanted)
    return (-float(weights[used].max()), draft.cost_s, tuple(used.tolist()))
