"""How good any packing of a small batch can be, by OR-tools' CP-SAT: what the packer's own search is measured against."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qiskit_halo.placement.candidates import FloatArray, IntArray
from qiskit_halo.placement.items import TOLERANCE, PackingItem
from qiskit_halo.placement.packing import EXCHANGE, _Packer
from qiskit_halo.placement.windows import slot_spans

UNIT = 1_000_000
"""Whole numbers that a log of 1 is counted in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to be packed, as the packer sees it.

    Args:
        items: Pieces, each of one connected part.
        program_of: Program of each.
        handover_dt: Ticks of the resets before a lease of each qubit.
        handover_log: Log of the success of a hand-over on each qubit.
        slot_dt: Ticks of a slot.
        origin: Slot of tick 0.
        overhead_slots: What a shot takes besides the makespan.
    """

    items: Sequence[PackingItem]
    program_of: Sequence[int]
    handover_dt: IntArray
    handover_log: FloatArray
    slot_dt: int
    origin: int
    overhead_slots: float

    @classmethod
    def of(cls, packer: _Packer) -> Batch:
        """Return what ``packer`` packs.

        Raises:
            ValueError: Programs are kept apart, priced for crosstalk or told when to end: the model knows nothing of these.
        """
        board = packer._blank
        options = board._options
        if options.buffer or board._crosstalk is not None or options.max_duration_s is not None:
            raise ValueError("only batches without buffer, crosstalk and max_duration_s")
        return cls(
            items=board.items,
            program_of=packer._program_of,
            handover_dt=board.handover_dt,
            handover_log=board.handover_log,
            slot_dt=board.slot_dt,
            origin=board.origin,
            overhead_slots=packer._overhead_slots,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """What CP-SAT says of a batch.

    Args:
        bound: Cost that no packing is below: log of QPU time in slots, less what success is worth.
        found: Cost of the best packing of the model that was found; the same as ``bound`` where it is proven.
        slots: Slots that this one takes.
    """

    bound: float
    found: float
    slots: int


def least_cost(batch: Batch, most_slots: int, seconds: float) -> Optimum | None:
    """Return the least cost of any packing whose pieces all keep their floor; ``None`` if none is found.

    Two things make the bound lower than it need be: pieces may come before each other on one qubit and after on the next, which
    no timeline of whole pieces can keep, and of a program in several pieces success is a chord of the exponential.

    Args:
        batch: What to pack.
        most_slots: Slots that the batch may take at most.
        seconds: Time for the solver.

    Raises:
        ImportError: OR-tools is not installed.
        ValueError: A piece has several connected parts, or somebody needs a qubit for itself.
    """
    from ortools.sat.python import cp_model

    if any(sites for item in batch.items for sites in item.exclusive_sites) or any(
        len(candidates.shapes) != 1 for item in batch.items for candidates in item.variants
    ):
        raise ValueError("only connected pieces that share all their qubits")

    model = cp_model.CpModel()
    latest = batch.origin + most_slots
    makespan = model.new_int_var(1, most_slots, "makespan")
    leases: dict[int, list[_Lease]] = {}
    lost: dict[int, list[cp_model.LinearExpr]] = {}
    best: dict[int, float] = {}
    floor: dict[int, float] = {}
    for index, (item, program) in enumerate(zip(batch.items, batch.program_of, strict=True)):
        start = model.new_int_var(batch.origin, latest, f"start of {index}")
        chosen, ends, losses = [], [], []
        spans: dict[tuple[int, int, int], list[cp_model.IntVar]] = {}
        for candidates in item.variants:
            (shape,) = candidates.shapes
            first, last = slot_spans(
                shape.busy_start_dt, shape.busy_stop_dt, batch.handover_dt[shape.places], batch.slot_dt
            )
            for row in np.flatnonzero(shape.log_success >= item.log_floor - TOLERANCE).tolist():
                x = model.new_bool_var("")
                chosen.append(x)
                ends.append(x * -(-int(shape.length_dt[row]) // batch.slot_dt))
                losses.append(x * _whole(float(shape.log_success[row]) - item.log_best))
                for key in zip(shape.places[row].tolist(), first[row].tolist(), last[row].tolist(), strict=True):
                    spans.setdefault(key, []).append(x)
        model.add_exactly_one(chosen)
        model.add(start + sum(ends) <= batch.origin + makespan)
        for (qubit, begin, stop), users in spans.items():
            is_used, is_first = model.new_bool_var(""), model.new_bool_var("")
            model.add(sum(users) == is_used)
            model.add(start + begin >= 0).only_enforce_if(is_used)
            model.add_implication(is_first, is_used)
            leases.setdefault(qubit, []).append(_Lease(start + begin, stop - begin, is_used, is_first))
            losses.append((is_used - is_first) * _whole(float(batch.handover_log[qubit])))
        model.add(sum(losses) >= _whole(item.log_floor - item.log_best - TOLERANCE))
        lost.setdefault(program, []).append(sum(losses))
        best[program] = best.get(program, 0.0) + item.log_best
        floor[program] = floor.get(program, 0.0) + item.log_floor
    for own in leases.values():
        model.add_no_overlap([model.new_optional_fixed_size_interval_var(i.begin, i.size, i.is_used, "") for i in own])
        model.add_at_most_one([lease.is_first for lease in own])
        for one in own:
            for other in own:
                if one is not other:
                    model.add(one.begin <= other.begin).only_enforce_if([one.is_first, other.is_used])
    # log of QPU time less what success is worth; of a convex function no value lies above the chord.
    time = model.new_int_var(0, 100 * UNIT, "")
    table = [_whole(math.log(max(slots + batch.overhead_slots, 1.0))) for slots in range(most_slots + 1)]
    model.add_element(makespan, table, time)
    worth = EXCHANGE / len(lost)
    terms = []
    for program, losses in lost.items():
        room = floor[program] - best[program]
        slope = math.exp(best[program]) * (math.expm1(room) / room if room else 1.0)
        terms.append(sum(losses) * round(1000 * worth * slope))
    model.minimize(1000 * time - sum(terms))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    if_best = worth * sum(map(math.exp, best.values()))
    return Optimum(
        bound=solver.best_objective_bound / (1000 * UNIT) - if_best,
        found=solver.objective_value / (1000 * UNIT) - if_best,
        slots=solver.value(makespan),
    )


def _whole(log: float) -> int:
    return round(UNIT * log)


@dataclass(frozen=True, slots=True)
class _Lease:
    """A qubit that a piece may take: when, for how long, whether it does, and whether nobody comes before."""

    begin: object
    size: int
    is_used: object
    is_first: object
