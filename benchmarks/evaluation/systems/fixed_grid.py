"""HyperQ: virtual machines on fixed regions of the device, side by side and one after another."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from qiskit import transpile
from qiskit.circuit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import GateDirection, Optimize1qGatesDecomposition

from benchmarks.evaluation.model import Batch, Job, SystemFailedError
from benchmarks.evaluation.systems._common import Memo, Waiting, blank, make_batch, merge, own_clbits, reported
from benchmarks.evaluation.systems.grid_packing import HALF_WIDTH, Packing, Seat, choose_shapes
from benchmarks.evaluation.systems.grid_regions import Grid, Region, Shape, find_grid

Variant = Literal["space", "space and time", "noise-aware"]
SENSITIVE_BELOW = 340
"""Programs with fewer operations are sensitive: they gain from better regions."""
BAD_SHARE = 3
"""One region in so many is bad: 3 of the 9 that HyperQ has."""
LEVEL = 3


class FixedGrid:
    """HyperQ as its code does it (MIT, commit 30fe1c0), on any square or heavy-hex device.

    Programs are compiled once for an area of a shape, not for a certain one, and without calibration; see
    :class:`~benchmarks.evaluation.systems.grid_regions.Grid` for the regions and
    :class:`~benchmarks.evaluation.systems.grid_packing.Packing` for who goes where.

    Where there was a choice, it is the better one for HyperQ: level 3 and a seed (it takes Qiskit's default, of that
    day); halves are shared in all variants; one-qubit gates are joined again after two-qubit gates were turned; equal programs
    are compiled once; a job asks for its own shots. Noise-aware packing never ends where bad regions leave no
    room for a sensitive program: we take whoever can be placed, and fail when only such programs are left.

    Args:
        variant: ``"space"``; ``"space and time"``, where a region may serve two programs, one after the other, with a
            reset and a barrier between; or ``"noise-aware"``, without turns, where the third of the regions with the
            largest two-qubit errors is kept from programs with few operations.
    """

    def __init__(self, variant: Variant) -> None:
        self.name = f"fixed grid, {variant}"
        self._in_time = variant == "space and time"
        self._noise_aware = variant == "noise-aware"
        self._grids = Memo()
        self._versions = Memo()

    def next_batch(self, queue: Waiting, backend: BackendV2, seed: int) -> Batch:
        """Return one circuit's worth of the queue.

        Raises:
            SystemFailedError: The device has no regions, or no program can be placed on it.
        """
        started = time.process_time()
        with reported():
            grid: Grid = self._grids.get((backend,), 0, lambda: find_grid(backend.num_qubits, backend.coupling_map))
            bad = _bad_regions(grid, backend.target) if self._noise_aware else ()
            programs = [_Program(job, grid, backend, seed, self._versions) for _, job in queue]
            seats = Packing(grid, programs, in_time=self._in_time, bad=bad).seats
            if not seats:
                raise SystemFailedError(self._excuse(grid, [job for _, job in queue], bad))
            members = [queue[seat.position] for seat in seats]
            circuit, resets = _build(grid, seats, [programs[seat.position] for seat in seats], members, backend)
            used = {region for seat in seats for region in seat.regions}
            facts = {
                "regions": len(grid.regions),
                "regions_used": len(used),
                "halves": sum(seat.half == 1 for seat in seats),
                "second_turns": sum(seat.turn for seat in seats),
                "resets": resets,
                "bad_regions": len(bad),
            }
            return make_batch(members, circuit, backend.target, started, facts)

    def _excuse(self, grid: Grid, jobs: Sequence[Job], bad: Sequence[Region]) -> str:
        widest = grid.templates[grid.shapes[-1]][0]
        job = next((job for job in jobs if job.circuit.num_qubits > widest), None)
        if job is not None:
            return (
                f"{job.name} has {job.circuit.num_qubits} qubits, the largest area {widest}: it never runs, and "
                f"{len(jobs)} of the queue are left"
            )
        return f"{jobs[0].name} finds no area without one of the {len(bad)} bad regions: it waits for ever"


@dataclass(frozen=True)
class _Program:
    """A program and its versions, each compiled when it is first asked for."""

    job: Job
    grid: Grid
    backend: BackendV2
    seed: int
    versions: Memo

    @property
    def num_qubits(self) -> int:
        return self.job.circuit.num_qubits

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return choose_shapes(self.grid, self.num_qubits)

    def depth(self, shape: Shape) -> int:
        return self.version(shape).depth()

    def half_depth(self) -> int:
        return self.version(None).depth()

    def sensitive(self) -> bool:
        return any(self.version(shape).size() < SENSITIVE_BELOW for shape in self.shapes)

    def version(self, shape: Shape | None) -> QuantumCircuit:
        """Return the program on an area of a shape, or on a run of three qubits."""
        return self.versions.get((self.job.circuit, self.backend), (shape, self.seed), lambda: self._compile(shape))

    def _compile(self, shape: Shape | None) -> QuantumCircuit:
        size, couplers = (HALF_WIDTH, ((0, 1), (1, 2))) if shape is None else self.grid.templates[shape]
        target = area_target(self.backend.target, size, couplers)
        return transpile(merge([self.job]).circuit, target=target, optimization_level=LEVEL, seed_transpiler=self.seed)


def area_target(device: Target, size: int, couplers: Sequence[tuple[int, int]]) -> Target:
    """Return an area as a device of its own: the gates of ``device``, both ways over each coupler, nothing known of errors."""
    target = Target(num_qubits=size, dt=device.dt)
    for name in device.operation_names:
        operation, known = device.operation_from_name(name), device[name]
        width = next((len(qubits) for qubits in known or () if qubits), 0)
        if not width:
            target.add_instruction(operation, name=name)
        elif width <= 2:
            both = (pair for a, b in couplers for pair in ((a, b), (b, a)))
            places = both if width == 2 else ((qubit,) for qubit in range(size))
            target.add_instruction(operation, dict.fromkeys(places), name=name)
    return target


def _build(
    grid: Grid, seats: Sequence[Seat], programs: Sequence[_Program], members: Waiting, backend: BackendV2
) -> tuple[QuantumCircuit, int]:
    """Return the circuit of all seats, in their order, and the number of resets between turns."""
    merged = merge([job for _, job in members]).circuit
    circuit = blank(merged, backend.num_qubits)
    used: set[int] = set()
    resets = 0
    for place, (seat, program) in enumerate(zip(seats, programs, strict=True)):
        area = grid.areas(seat.shape)[seat.place]
        if seat.half is not None:
            area = tuple(area[qubit] for qubit in grid.half_places[seat.half])
        again = [qubit for qubit in area if qubit in used]
        if again:
            circuit.reset(again)
            circuit.barrier(area)
            resets += len(again)
        used.update(area)
        version = program.version(None if seat.half is not None else seat.shape)
        own = own_clbits(merged, version, place)
        circuit.compose(version, area, [own[bit] for bit in version.clbits], inplace=True)
    return _turn_gates(circuit, backend.target), resets


def _turn_gates(circuit: QuantumCircuit, target: Target) -> QuantumCircuit:
    """Return the circuit with two-qubit gates the way round that the device has them."""
    if all(qubits in target[name] for name, qubits in _two_qubit_gates(circuit)):
        return circuit
    return PassManager([GateDirection(None, target=target), Optimize1qGatesDecomposition(target=target)]).run(circuit)


def _two_qubit_gates(circuit: QuantumCircuit) -> Iterator[tuple[str, tuple[int, int]]]:
    wire = {qubit: index for index, qubit in enumerate(circuit.qubits)}
    for instruction in circuit.data:
        if len(instruction.qubits) == 2 and instruction.name != "barrier":
            first, second = instruction.qubits
            yield instruction.name, (wire[first], wire[second])


def _bad_regions(grid: Grid, target: Target) -> tuple[Region, ...]:
    """Return the regions with the largest mean error of their couplers' best gates, the worst first."""
    errors = {pair: _coupler_error(target, pair) for pair in grid.couplers}
    mean = {
        region: float(np.mean([errors[pair] for pair in sorted(errors) if set(pair) <= set(qubits)]))
        for region, qubits in grid.regions.items()
    }
    ranked = sorted(mean, key=lambda region: (-mean[region], region))
    return tuple(ranked[: len(ranked) // BAD_SHARE])


def _coupler_error(target: Target, pair: tuple[int, int]) -> float:
    """Return the error of the best gate on a coupler; one that is not stated counts as 0, like HyperQ's default."""
    stated = [
        (target[name][qubits].error or 0.0) if target[name][qubits] is not None else 0.0
        for name in target.operation_names
        for qubits in (pair, pair[::-1])
        if qubits in (target[name] or ())
    ]
    return min(stated, default=1.0)
