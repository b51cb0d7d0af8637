"""Slots of a batch -> one ISA circuit, compiled once whatever the values of its parameters."""

from __future__ import annotations

import copy
import dataclasses
import warnings
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.transpiler import StagedPassManager, Target

from qiskit_halo.errors import HaloError, HaloTranspilerError
from qiskit_halo.options import HaloOptions
from qiskit_halo.plugins.generate import generate_halo_pass_manager
from qiskit_halo.primitives.fixed import append_fixed, compact
from qiskit_halo.primitives.moved import find_places
from qiskit_halo.primitives.workload import Kind
from qiskit_halo.programs.load import load_programs
from qiskit_halo.programs.merge import MergedPrograms, merge_programs
from qiskit_halo.programs.metadata import METADATA_KEY
from qiskit_halo.report import HaloReport
from qiskit_halo.verification.isolation import verify_isolation

MOST_KEPT = 64
"""Merged circuits kept for the next run; the ones used longest ago go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledBatch:
    """A merged circuit over the physical qubits, ready to be run.

    Args:
        circuit: The ISA circuit.
        metadata: ``metadata["halo"]`` of it, by which its results are split.
        columns: For each parameter of the circuit, in its order: the slot that it belongs to, and its position among
            the parameters of the slot's circuit.
        report: Where each slot went; programs of the report are slots.
        said: Warnings that compiling gave.
    """

    circuit: QuantumCircuit
    metadata: dict[str, Any]
    columns: tuple[tuple[int, int], ...]
    report: HaloReport
    said: tuple[Warning, ...]


class BatchCompiler:
    """Compiles batches for one device, and keeps them.

    Args:
        target: The device.
        options: How to share it.
        optimization_level: Level of Qiskit's preset pass manager, 0 to 3.
        seed: Seed of everything random.
    """

    def __init__(self, target: Target, options: HaloOptions, *, optimization_level: int, seed: int | None) -> None:
        self._target = target
        # The length of a batch is the planner's business: the compiler makes it as short as it can anyway. Weights are
        # one a pub, and here programs are slots.
        self._options = dataclasses.replace(options, max_duration_s=None, weights=None)
        self._level = optimization_level
        self._seed = seed
        self._passes: StagedPassManager | None = None
        self._kept: OrderedDict[tuple[str, ...], CompiledBatch] = OrderedDict()

    def compile(self, slots: Sequence[Kind]) -> CompiledBatch:
        """Return the merged circuit of ``slots``, those that stay on their qubits last.

        Raises:
            HaloError: A program cannot be compiled, or not all find room.
        """
        key = tuple(kind.key for kind in slots)
        if key not in self._kept:
            self._kept[key] = self._compile(slots)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def find_culprit(self, slots: Sequence[Kind], error: HaloError) -> HaloError:
        """Return the error of the first of ``slots`` that cannot be compiled by itself, with its pub; else ``error``."""
        for kind in {kind.key: kind for kind in slots}.values():
            try:
                self.compile([kind])
            except HaloError as own:
                # "Program 0 ('bell')" counts slots, which the user has never seen.
                return HaloTranspilerError(f"{kind.label}: {own.message.replace('Program 0', 'the circuit', 1)}")
        return error

    def _compile(self, slots: Sequence[Kind]) -> CompiledBatch:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            circuit, merged = self._merge_and_run(slots)
        halo = circuit.metadata[METADATA_KEY]
        owner = {
            merged_parameter: (slot, position)
            for slot, (kind, program) in enumerate(zip(slots, merged, strict=True))
            for position, merged_parameter in enumerate(program[p] for p in kind.parameters)
        }
        return CompiledBatch(
            circuit=circuit,
            metadata=halo,
            columns=tuple(owner[parameter] for parameter in circuit.parameters),
            report=HaloReport.from_dict(halo["report"]),
            said=tuple(warning.message for warning in caught if isinstance(warning.message, Warning)),
        )

    def _merge_and_run(self, slots: Sequence[Kind]) -> tuple[QuantumCircuit, list[dict[Parameter, Parameter]]]:
        """Return the compiled circuit, and for each slot its own parameters -> those of the circuit."""
        num_movable = sum(1 for kind in slots if not kind.fixed)
        small = {kind.key: compact(kind.circuit) for kind in slots if kind.fixed}
        programs = load_programs([small[kind.key][0] if kind.fixed else kind.circuit for kind in slots], shots=1)
        movable = merge_programs(programs[:num_movable], options=self._options) if num_movable else None
        if movable is not None and num_movable == len(slots):
            return self._pass_manager().run(movable.circuit), _parameters(movable)
        fixed = merge_programs(programs[num_movable:], options=self._options)
        mapped = None if movable is None else self._run_without_scheduling(movable.circuit)
        kinds = slots[num_movable:]
        home = [small[kind.key][1] for kind in kinds]
        places = find_places(kinds, small, self._target, self._options) if self._options.move_isa else home
        out = append_fixed(
            mapped,
            fixed,
            places,
            num_qubits=self._target.num_qubits,
            resets=self._options.resets,
            assume_clean=self._options.assume_clean,
        )
        out.metadata = _join_metadata(mapped, fixed.circuit)
        scheduling = self._pass_manager().scheduling
        compiled = scheduling.run(out)
        # The pass that checks this by itself stays quiet where the halo layout did not run.
        verify_isolation(compiled, target=self._target, resets=self._options.resets, buffer=self._options.buffer)
        return compiled, [*([] if movable is None else _parameters(movable)), *_parameters(fixed)]

    def _pass_manager(self) -> StagedPassManager:
        if self._passes is None:
            self._passes = generate_halo_pass_manager(
                self._level, target=self._target, options=self._options, seed_transpiler=self._seed
            )
        return self._passes

    def _run_without_scheduling(self, circuit: QuantumCircuit) -> QuantumCircuit:
        passes = self._pass_manager()
        scheduling, passes.scheduling = passes.scheduling, None
        try:
            return passes.run(circuit)
        finally:
            passes.scheduling = scheduling


def _parameters(merged: MergedPrograms) -> list[dict[Any, Any]]:
    return [dict(program) for program in merged.parameters]


def _join_metadata(mapped: QuantumCircuit | None, fixed: QuantumCircuit) -> dict[str, Any]:
    """Return the metadata of both circuits as one."""
    joined: dict[str, Any] = copy.deepcopy(fixed.metadata)
    if mapped is not None:
        own = mapped.metadata[METADATA_KEY]
        halo = joined[METADATA_KEY]
        joined[METADATA_KEY] = {**copy.deepcopy(own), "programs": [*copy.deepcopy(own["programs"]), *halo["programs"]]}
    return joined
