"""Which programs run together, how often and for how many shots, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from qiskit_halo.errors import HaloValueError

PLAN_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Shots of one program in one cell of one batch.

    Args:
        batch: Position of the batch in the plan.
        row: Row of the batch, a set of parameter values.
        slot: Slot of the batch, a copy of a circuit in the merged circuit.
        shots: Shots that count, the first ones of the cell; only a program's last cell can have more than that.
    """

    batch: int
    row: int
    slot: int
    shots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedBatch:
    """One merged circuit and how it is run.

    A *slot* is one copy of one circuit in the merged circuit, on qubits and in a time of its own. A *row* is one run
    of the merged circuit with parameter values for every slot. A *cell* is a slot in a row: it gives ``shots`` shots
    to one program.

    Args:
        slots: Slot -> index of its circuit.
        cells: ``cells[row][slot]`` is the program that gets the shots, or ``None`` if nobody needs them.
        shots: Shots of each row.
        makespan_s: Length of the merged circuit in seconds, modelled or measured after compiling.
        reset_s: Reset before each shot, in seconds.
    """

    slots: tuple[int, ...]
    cells: tuple[tuple[int | None, ...], ...]
    shots: int
    makespan_s: float
    reset_s: float

    @property
    def num_rows(self) -> int:
        """How many sets of parameter values it is run with."""
        return len(self.cells)

    @property
    def executions(self) -> int:
        """How often the merged circuit is executed: rows times shots."""
        return self.num_rows * self.shots

    @property
    def programs(self) -> tuple[int, ...]:
        """Programs that run in it, ascending."""
        return tuple(sorted({program for row in self.cells for program in row if program is not None}))

    @property
    def num_copies(self) -> int:
        """The most copies of one program in one row."""
        return max((row.count(program) for row in self.cells for program in row if program is not None), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """All batches of some programs, in the order in which they run.

    Args:
        batches: The batches.
        names: Name of each program.
        shots: Shots that each program asks for, and gets exactly.
        circuits: Program -> index of its circuit; programs that differ only in parameter values share one.
        rep_delay_s: Repetition delay in seconds that the plan was made for.
        one_by_one_s: Modelled QPU time in seconds of the programs one after another.
    """

    batches: tuple[PlannedBatch, ...]
    names: tuple[str, ...]
    shots: tuple[int, ...]
    circuits: tuple[int, ...]
    rep_delay_s: float
    one_by_one_s: float

    @property
    def num_programs(self) -> int:
        """Number of programs."""
        return len(self.shots)

    @property
    def qpu_time_s(self) -> float:
        """Modelled QPU time in seconds: executions x (makespan + reset + repetition delay), over all batches."""
        return sum(self.batch_time_s(batch) for batch in self.batches)

    @property
    def ratio(self) -> float:
        """Modelled QPU time one by one over that of the plan."""
        return self.one_by_one_s / self.qpu_time_s if self.qpu_time_s > 0 else 1.0

    def batch_time_s(self, batch: PlannedBatch) -> float:
        """Return the modelled QPU time of one batch in seconds."""
        return batch.executions * (batch.makespan_s + batch.reset_s + self.rep_delay_s)

    def shares(self) -> tuple[tuple[Share, ...], ...]:
        """Return where the shots of each program come from, in order: they add up to exactly what it asked for."""
        left = list(self.shots)
        found: list[list[Share]] = [[] for _ in self.shots]
        for index, batch in enumerate(self.batches):
            for row, cells in enumerate(batch.cells):
                for slot, program in enumerate(cells):
                    if program is None or not left[program]:
                        continue
                    taken = min(batch.shots, left[program])
                    left[program] -= taken
                    found[program].append(Share(batch=index, row=row, slot=slot, shots=taken))
        return tuple(map(tuple, found))

    def table(self) -> str:
        """Return one line a batch, and the total below.

        Examples:
            >>> batch = PlannedBatch(slots=(0, 0), cells=((0, 0),), shots=50, makespan_s=2e-6, reset_s=1e-6)
            >>> plan = BatchPlan(
            ...     batches=(batch,), names=("bell",), shots=(100,), circuits=(0,), rep_delay_s=0.0, one_by_one_s=3e-4
            ... )
            >>> print(plan.table())
            batch  programs  circuits  rows  shots  makespan us  QPU time ms
                0         1         2     1     50         2.00         0.15
            1 program, 100 shots: 0.15 ms of QPU time, 2.0 times less than one by one
        """
        lines = ["batch  programs  circuits  rows  shots  makespan us  QPU time ms"]
        lines += [
            f"{index:5d} {len(batch.programs):9d} {len(batch.slots):9d} {batch.num_rows:5d} {batch.shots:6d} "
            f"{batch.makespan_s * 1e6:12.2f} {self.batch_time_s(batch) * 1e3:12.2f}"
            for index, batch in enumerate(self.batches)
        ]
        plural = "" if self.num_programs == 1 else "s"
        lines.append(
            f"{self.num_programs} program{plural}, {sum(self.shots)} shots: {self.qpu_time_s * 1e3:.2f} ms of QPU time, "
            f"{self.ratio:.1f} times less than one by one"
        )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain JSON values."""
        return {
            "version": PLAN_VERSION,
            "batches": [
                {
                    "slots": list(batch.slots),
                    "cells": [list(row) for row in batch.cells],
                    "shots": batch.shots,
                    "makespan_s": batch.makespan_s,
                    "reset_s": batch.reset_s,
                }
                for batch in self.batches
            ],
            "names": list(self.names),
            "shots": list(self.shots),
            "circuits": list(self.circuits),
            "rep_delay_s": self.rep_delay_s,
            "one_by_one_s": self.one_by_one_s,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the plan that :meth:`to_dict` wrote.

        Raises:
            HaloValueError: It was written by an unknown version.
        """
        if values.get("version") != PLAN_VERSION:
            raise HaloValueError(
                f"plan version {values.get('version')!r} is not {PLAN_VERSION}; "
                "plan the batches again with this version of qiskit-halo"
            )
        return cls(
            batches=tuple(
                PlannedBatch(
                    slots=tuple(batch["slots"]),
                    cells=tuple(map(tuple, batch["cells"])),
                    shots=batch["shots"],
                    makespan_s=batch["makespan_s"],
                    reset_s=batch["reset_s"],
                )
                for batch in values["batches"]
            ),
            names=tuple(values["names"]),
            shots=tuple(values["shots"]),
            circuits=tuple(values["circuits"]),
            rep_delay_s=values["rep_delay_s"],
            one_by_one_s=values["one_by_one_s"],
        )
