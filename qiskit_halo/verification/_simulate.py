"""Run one component of a circuit exactly, over all of its measurement outcomes at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CASE_DEFAULT, Parameter

from qiskit_halo.errors import HaloValueError
from qiskit_halo.verification._classical import for_each_branch, store
from qiskit_halo.verification._components import Component, CutCircuit
from qiskit_halo.verification._ensemble import Ensemble
from qiskit_halo.verification._expressions import Value, evaluate_condition
from qiskit_halo.verification._histories import Histories
from qiskit_halo.verification._ledger import Ledger
from qiskit_halo.verification._matrices import MatrixCache
from qiskit_halo.verification._order import plan_component
from qiskit_halo.verification._steps import Step, block_steps, inner_maps

Wires = Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much the exact simulation may use.

    Args:
        max_amplitudes: Largest number of amplitudes in memory.
        max_histories: Largest number of outcomes at any time.
        max_iterations: Largest number of rounds of one ``while`` loop.
    """

    max_amplitudes: int
    max_histories: int
    max_iterations: int


@dataclass(slots=True)
class _Flow:
    """Where the branches are after a block: past its end, or leaving or restarting the loop around it."""

    normal: Ensemble | None
    broken: Ensemble | None = None
    continued: Ensemble | None = None


def simulate_component(cut: CutCircuit, component: Component, places: NDArray[np.int64], limits: Limits) -> Histories:
    """Return the final outcomes of a component.

    Args:
        cut: The circuit it belongs to.
        component: What to simulate.
        places: int64, shape (num_clbits,): bit of ``words`` that receives the final value of a clbit, -1 for none.
        limits: What the simulation may use.
    """
    runner = _Runner(limits)
    ensemble = Ensemble(Ledger(places=places, max_amplitudes=limits.max_amplitudes, max_histories=limits.max_histories))
    waiting: list[tuple[int, int, bool, bool]] = []

    def flush() -> None:
        runner.measure_together(ensemble, waiting)
        waiting.clear()

    for planned in plan_component(cut, component, (places >= 0).tolist()):
        step = cut.steps[planned.index]
        segments = cut.of_step[planned.index]
        if step.kind == "measure":
            if any(clbit == step.writes[0] or wire == segments[0] for wire, clbit, _, _ in waiting):
                flush()
            waiting.append((segments[0], step.writes[0], planned.read_later, bool(planned.ending)))
            continue
        flush()
        flow = runner.run_step(step, ensemble, dict(zip(step.qubits, segments, strict=True)))
        if flow.normal is None or flow.broken is not None or flow.continued is not None:
            raise HaloValueError(f"{step.describe()} leaves a loop but stands in none")
        ensemble = flow.normal
        if planned.retired or planned.retired_variables:
            ensemble.retire(planned.retired, planned.retired_variables)
        if planned.ending:
            ensemble.release(planned.ending)
    flush()
    ensemble.finish()
    if ensemble.ledger.lost > 1e-10:
        raise HaloValueError(
            f"branches of tiny probability add up to {ensemble.ledger.lost:.1e}, too much for an exact distribution; "
            "shorten the loops of the program"
        )
    return ensemble.histories


class _Runner:
    """Applies steps to ensembles; keeps the matrices and the opened loop bodies it has seen."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._matrices = MatrixCache()

    def measure_together(self, ensemble: Ensemble, waiting: Sequence[tuple[int, int, bool, bool]]) -> None:
        """Measure several wires, those of one group in one go."""
        left = list(waiting)
        while left:
            home = {wire: place for place, group in enumerate(ensemble.groups) for wire in group.wires}
            place = home.get(left[0][0])
            now = [entry for entry in left if place is not None and home.get(entry[0]) == place] or left[:1]
            left = [entry for entry in left if entry not in now]
            wires, clbits, live, drop = zip(*now, strict=True)
            ensemble.measure(wires, clbits, live=live, drop=drop)

    def run_block(self, steps: Sequence[Step], ensemble: Ensemble, wires: Wires) -> _Flow:
        """Run the steps of a block in order."""
        flow = _Flow(ensemble)
        for step in steps:
            if flow.normal is None:
                break
            after = self.run_step(step, flow.normal, wires)
            flow.broken = _joined(flow.broken, after.broken)
            flow.continued = _joined(flow.continued, after.continued)
            flow.normal = _joined(None, after.normal)
        return flow

    def run_step(self, step: Step, ensemble: Ensemble, wires: Wires) -> _Flow:
        """Run one step on the segments that ``wires`` names for its qubits."""
        mine = [wires[qubit] for qubit in step.qubits]
        if step.kind == "gate":
            self._gate(step, ensemble, mine)
        elif step.kind == "measure":
            ensemble.measure(mine, step.writes, live=[True], drop=[False])
        elif step.kind == "reset":
            ensemble.release(mine)
        elif step.kind == "store":
            store(step, ensemble)
        elif step.kind == "jump":
            if step.name == "break_loop":
                return _Flow(None, broken=ensemble)
            return _Flow(None, continued=ensemble)
        elif step.kind == "control":
            return self._control(step, ensemble, wires)
        elif step.kind == "opaque":
            raise HaloValueError(f"{step.describe()} has no matrix and no definition, so it cannot be simulated")
        return _Flow(ensemble)

    # --- gates -------------------------------------------------------------------------------------------

    def _gate(self, step: Step, ensemble: Ensemble, wires: Sequence[int]) -> None:
        if not wires:
            return  # a global phase
        matrix = self._matrices.get(step)
        if matrix is not None:
            ensemble.apply(matrix, wires)
            return
        definition = step.source.operation.definition
        local = dict(zip(definition.qubits, range(len(wires)), strict=True))
        self.run_block(tuple(block_steps(definition, local, {}, step.position)), ensemble, dict(enumerate(wires)))

    # --- control flow ------------------------------------------------------------------------------------

    def _control(self, step: Step, ensemble: Ensemble, wires: Wires) -> _Flow:
        operation: Any = step.source.operation
        if step.name == "if_else":
            return self._branch(step, ensemble, wires, self._decide(step, ensemble, operation.condition))
        if step.name == "switch_case":
            return self._switch(step, ensemble, wires)
        if step.name == "box":
            return self.run_block(step.blocks[0], ensemble, wires)
        if step.name == "for_loop":
            return self._for(step, ensemble, wires)
        if step.name == "while_loop":
            return self._while(step, ensemble, wires)
        raise HaloValueError(f"{step.describe()} is control flow that the exact simulation does not know")

    def _decide(self, step: Step, ensemble: Ensemble, condition: Any) -> list[Value]:
        return for_each_branch(ensemble, step, condition, evaluate_condition)

    def _branch(self, step: Step, ensemble: Ensemble, wires: Wires, chosen: Sequence[Value]) -> _Flow:
        """Run block 0 where ``chosen`` is true and block 1, if there is one, elsewhere."""
        return self._cases(step, ensemble, wires, [0 if value else 1 for value in chosen])

    def _switch(self, step: Step, ensemble: Ensemble, wires: Wires) -> _Flow:
        operation: Any = step.source.operation
        labels = [labels for labels, _ in operation.cases_specifier()]
        values = self._decide(step, ensemble, operation.target)
        known: dict[Value, int] = {}
        for value in values:
            if value not in known:
                hits = [place for place, group in enumerate(labels) if CASE_DEFAULT in group or value in group]
                known[value] = hits[0] if hits else len(labels)
        return self._cases(step, ensemble, wires, [known[value] for value in values])

    def _cases(self, step: Step, ensemble: Ensemble, wires: Wires, chosen: Sequence[int]) -> _Flow:
        cases = np.array(chosen)
        flow = _Flow(None)
        for case in np.unique(cases).tolist():
            part = ensemble.select(cases == case)
            after = self.run_block(step.blocks[case], part, wires) if case < len(step.blocks) else _Flow(part)
            flow.normal = _joined(flow.normal, after.normal)
            flow.broken = _joined(flow.broken, after.broken)
            flow.continued = _joined(flow.continued, after.continued)
        return flow

    def _for(self, step: Step, ensemble: Ensemble, wires: Wires) -> _Flow:
        indices, parameter, body = step.source.operation.params
        current: Ensemble | None = ensemble
        done: Ensemble | None = None
        for index in indices:
            if current is None:
                break
            steps = step.blocks[0]
            if isinstance(parameter, Parameter):
                if parameter in body.parameters:
                    bound = body.assign_parameters({parameter: index})
                    qubits, clbits = inner_maps(bound, step.source, step.qubits, step.clbits)
                    steps = tuple(block_steps(bound, qubits, clbits, step.position))
            elif parameter is not None:
                current.values[parameter] = np.full(current.size, index, dtype=object)
            flow = self.run_block(steps, current, wires)
            done = _joined(done, flow.broken)
            current = _joined(flow.normal, flow.continued)
        return _Flow(_joined(done, current))

    def _while(self, step: Step, ensemble: Ensemble, wires: Wires) -> _Flow:
        operation: Any = step.source.operation
        current: Ensemble | None = ensemble
        done: Ensemble | None = None
        for _ in range(self.limits.max_iterations):
            if current is None:
                return _Flow(done)
            again = np.array([bool(v) for v in self._decide(step, current, operation.condition)], dtype=np.bool_)
            if not again.all():
                done = _joined(done, current.select(~again))
            if not again.any():
                current = None
            else:
                flow = self.run_block(step.blocks[0], current.select(again), wires)
                done = _joined(done, flow.broken)
                current = _joined(flow.normal, flow.continued)
        raise HaloValueError(
            f"{step.describe()} has not ended after {self.limits.max_iterations} rounds in every branch; "
            "raise max_iterations, or check its condition"
        )


def _joined(first: Ensemble | None, second: Ensemble | None) -> Ensemble | None:
    """Put the branches of both together; ``None`` if there are none (all of them too improbable, for one)."""
    if first is None or not first.size:
        return second if second is not None and second.size else None
    if second is None or not second.size:
        return first
    first.absorb(second)
    return first
