"""Classical steps of the exact simulation: decide for every branch, store in every branch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr

from qiskit_halo.errors import HaloValueError
from qiskit_halo.verification._ensemble import Ensemble
from qiskit_halo.verification._expressions import Environment, Value, evaluate, identifiers
from qiskit_halo.verification._merge import value_codes
from qiskit_halo.verification._steps import Step


@dataclass(frozen=True, slots=True)
class _BranchEnvironment:
    """The classical values of one branch."""

    ensemble: Ensemble
    step: Step
    branch: int

    def clbit(self, bit: Clbit) -> bool:
        return bool(self.ensemble.bits[self.branch, self.step.clbits[bit]])

    def variable(self, var: expr.Var) -> Value:
        column = self.ensemble.values.get(var)
        if column is None or column[self.branch] is None:
            raise HaloValueError(f"{self.step.describe()} reads the variable {var.name!r} before it has a value")
        value: Value = column[self.branch]
        return value


def for_each_branch(
    ensemble: Ensemble, step: Step, target: Any, evaluator: Callable[[Any, Environment], Value]
) -> list[Value]:
    """Return the value of a condition or expression in every branch; equal inputs are evaluated once."""
    bits, variables = identifiers(target)
    columns: list[NDArray[Any]] = [ensemble.bits[:, step.clbits[bit]].astype(np.int64) for bit in bits]
    columns.extend(value_codes(ensemble.values[var]) for var in variables if var in ensemble.values)
    if not columns:
        return [evaluator(target, _BranchEnvironment(ensemble, step, 0))] * ensemble.size
    _, first, classes = np.unique(np.stack(columns, axis=1), axis=0, return_index=True, return_inverse=True)
    values = [evaluator(target, _BranchEnvironment(ensemble, step, int(branch))) for branch in first]
    return [values[place] for place in classes.ravel().tolist()]


def store(step: Step, ensemble: Ensemble) -> None:
    """Run a ``Store``: one value into a variable, a clbit, a register, or one bit of either."""
    operation: Any = step.source.operation
    target = operation.lvalue
    values = for_each_branch(ensemble, step, operation.rvalue, evaluate)
    if isinstance(target, expr.Index):
        places = for_each_branch(ensemble, step, target.index, evaluate)
        _store_bit(step, ensemble, target.target, [int(place) for place in places], values)
    elif target.standalone:
        ensemble.values[target] = _column(values)
    else:
        bits = [target.var] if isinstance(target.var, Clbit) else list(target.var)
        for place, bit in enumerate(bits):
            column = np.array([int(value) >> place & 1 for value in values], dtype=np.uint8)
            ensemble.write_bit(step.clbits[bit], column, live=True)
    ensemble.merge()


def _store_bit(step: Step, ensemble: Ensemble, target: Any, places: Sequence[int], values: Sequence[Value]) -> None:
    """Set bit ``places[b]`` of a variable or register to ``values[b]`` in each branch b."""
    if not target.standalone:
        for offset, bit in enumerate(target.var):
            clbit = step.clbits[bit]
            column = ensemble.bits[:, clbit].copy()
            for branch, (place, value) in enumerate(zip(places, values, strict=True)):
                if place == offset:
                    column[branch] = bool(value)
            ensemble.write_bit(clbit, column, live=True)
        return
    environments = (_BranchEnvironment(ensemble, step, branch) for branch in range(ensemble.size))
    whole = [int(environment.variable(target)) for environment in environments]
    ensemble.values[target] = _column(
        [
            (old & ~(1 << place)) | (int(bool(value)) << place)
            for old, place, value in zip(whole, places, values, strict=True)
        ]
    )


def _column(values: Sequence[Value]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
