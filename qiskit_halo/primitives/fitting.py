"""Plan, compile, and plan again where a compiled batch is not within its limits."""

from __future__ import annotations

import dataclasses
import logging
import warnings
from collections import OrderedDict
from collections.abc import Hashable, Sequence

from qiskit.transpiler import Target

from qiskit_halo.batch_plan import BatchPlan
from qiskit_halo.errors import HaloError, HaloWarning
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.batching import plan_programs
from qiskit_halo.primitives.compiled import BatchCompiler, CompiledBatch
from qiskit_halo.primitives.estimates import (
    ProgramEstimate,
    Room,
    estimate_fixed,
    estimate_program,
    measured_estimates,
    room_of,
)
from qiskit_halo.primitives.workload import Kind, Workload

logger = logging.getLogger(__name__)

MOST_KEPT = 64
"""Plans kept for the next run."""

MOST_ESTIMATES = 10_000
"""Circuits whose room is remembered for the next run."""

MOST_ROUNDS = 6
"""How often a plan is made anew with less room before the last one is taken as it is."""

SHRINK = 0.7
"""Share of the room that is left for the next round."""


class BatchFitter:
    """Finds batches that, once compiled, are within the limits; remembers what circuits take.

    Args:
        target: The device.
        options: Limits.
        compiler: Compiles batches.
    """

    def __init__(self, target: Target, options: HaloOptions, compiler: BatchCompiler) -> None:
        self._target = target
        self._options = options
        self._compiler = compiler
        self._room = room_of(target, options)
        self._estimates: OrderedDict[str, ProgramEstimate] = OrderedDict()
        self._accepted: OrderedDict[Hashable, BatchPlan] = OrderedDict()

    def fit(self, workload: Workload, weights: Sequence[float] | None) -> tuple[BatchPlan, tuple[CompiledBatch, ...]]:
        """Return the plan with the makespans of the compiled batches, and these.

        Raises:
            HaloError: A program cannot be compiled, by itself or in its batch; the message names its pub.
        """
        while len(self._estimates) > MOST_ESTIMATES:
            self._estimates.popitem(last=False)
        self._measure(workload.kinds)
        key = (
            tuple(kind.key for kind in workload.kinds),
            workload.kind.tobytes(),
            workload.shots,
            None if weights is None else tuple(weights),
        )
        if key in self._accepted:
            self._accepted.move_to_end(key)
            plan = dataclasses.replace(self._accepted[key], names=workload.names)
            compiled = self._compile(workload, plan)
        else:
            plan, compiled = self._search(workload, weights)
            self._accepted[key] = plan
            while len(self._accepted) > MOST_KEPT:
                self._accepted.popitem(last=False)
        for batch in {id(batch): batch for batch in compiled}.values():
            for said in batch.said:
                warnings.warn(said, stacklevel=4)
        batches = tuple(
            dataclasses.replace(batch, makespan_s=own.report.makespan_s, reset_s=own.report.reset_s)
            for batch, own in zip(plan.batches, compiled, strict=True)
        )
        self._warn_about_length(compiled)
        return dataclasses.replace(plan, batches=batches), compiled

    def _search(
        self, workload: Workload, weights: Sequence[float] | None
    ) -> tuple[BatchPlan, tuple[CompiledBatch, ...]]:
        """Plan and compile, with less room from round to round until the batches are within their limits."""
        room = self._room
        for _ in range(MOST_ROUNDS - 1):
            plan = self._plan(workload, weights, room)
            try:
                compiled = self._compile(workload, plan)
            except HaloError as error:
                culprit = self._compiler.find_culprit(workload.kinds, error)
                if culprit is not error:
                    raise culprit from error
                logger.debug("a batch finds no room: %s", error.message)
            else:
                if all(map(self._is_within, compiled)):
                    return plan, compiled
            room = dataclasses.replace(room, efficiency=room.efficiency * SHRINK, space=_shrunk(room))
        plan = self._plan(workload, weights, room)
        return plan, self._compile(workload, plan)

    def _compile(self, workload: Workload, plan: BatchPlan) -> tuple[CompiledBatch, ...]:
        return tuple(self._compiler.compile([workload.kinds[kind] for kind in batch.slots]) for batch in plan.batches)

    def _plan(self, workload: Workload, weights: Sequence[float] | None, room: Room) -> BatchPlan:
        return plan_programs(
            circuits=workload.kind.tolist(),
            shots=workload.shots,
            names=workload.names,
            estimates=[self._estimates[kind.key] for kind in workload.kinds],
            room=room,
            options=self._options,
            parametrized=[bool(kind.parameters) for kind in workload.kinds],
            weights=weights,
        )

    def _measure(self, kinds: Sequence[Kind]) -> None:
        """Learn what circuits take that are new: from one compiled batch of them, if they fit into one."""
        for kind in kinds:
            if kind.fixed and kind.key not in self._estimates:
                estimate = estimate_fixed(kind.circuit, self._target)
                own = dataclasses.replace(estimate, fixed=None) if self._options.move_isa else estimate
                self._estimates[kind.key] = own
        new = [kind for kind in kinds if kind.key not in self._estimates]
        if not new:
            return
        if len(new) > self._options.max_batch_programs:
            # Nobody will be replicated much, so rough figures will do; compiling them twice would not pay.
            self._estimates |= {kind.key: estimate_program(kind.circuit, self._target) for kind in new}
            return
        try:
            found = measured_estimates(self._compiler.compile(new).report)
        except HaloError as error:
            if len(new) == 1:
                raise self._compiler.find_culprit(new, error) from error
            for kind in new:
                self._measure([kind])
            return
        self._estimates |= {kind.key: estimate for kind, estimate in zip(new, found, strict=True)}

    def _is_within(self, batch: CompiledBatch) -> bool:
        if len(batch.report.programs) == 1:
            return True
        limit_s = self._options.max_duration_s
        if limit_s is not None and batch.report.makespan_s > limit_s:
            return False
        if self._room.space is None:
            return True  # waiting for a good place is always possible
        return all(
            program.success_merged >= program.success_floor * (1 - 1e-6)
            for program in batch.report.programs
            if program.success_merged is not None and program.success_floor is not None
        )

    def _warn_about_length(self, compiled: Sequence[CompiledBatch]) -> None:
        limit_s = self._options.max_duration_s
        longest_s = max((batch.report.makespan_s for batch in compiled), default=0.0)
        if limit_s is not None and longest_s > limit_s:
            warnings.warn(
                f"a batch takes {longest_s:.3g} s, more than max_duration_s={limit_s:g}: a program is longer by itself, "
                "or finds no place sooner; allow more time",
                HaloWarning,
                stacklevel=5,
            )


def _shrunk(room: Room) -> int | None:
    return None if room.space is None else max(1, int(room.space * SHRINK))
