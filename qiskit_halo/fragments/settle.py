"""Where in a region a compiled body does best, its gates as they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.circuit.library import CZGate, XGate
from qiskit.converters import circuit_to_dag
from qiskit.passmanager import PropertySet
from qiskit.transpiler import Target
from qiskit.transpiler.passes import VF2Layout
from qiskit.transpiler.passes.layout.vf2_utils import ErrorMap

from qiskit_halo.device.model import DEAD_ERROR, DeviceModel, FloatArray
from qiskit_halo.device.region import APART
from qiskit_halo.fragments.estimate import LossEstimator
from qiskit_halo.fragments.memory import Memory
from qiskit_halo.fragments.success import idle_loss
from qiskit_halo.rewire import append_all

CALLS = 10_000
"""Bound of the search, in steps."""

SEARCHES = 1_000
"""Searches of which it is kept what came out: forms of one body, and bodies that differ by angles, often ask for the same."""

_Gates = tuple[tuple[tuple[int, int], int], ...]

_UNITS, _SHORT_WAIT_S, _MOST_GATES = 4, 2e-6, 12

_UNIT, _GATE = XGate(), CZGate()


@dataclass(frozen=True, slots=True)
class _Need:
    """What a circuit asks of its place.

    Args:
        gates: Two-qubit gates by ascending pair of sites.
        reads: Measurements of each site.
        alive_s: Seconds that each site is alive.
    """

    gates: Counter[tuple[int, int]]
    reads: FloatArray
    alive_s: FloatArray


class Settler:
    """Chooses homes by the errors of couplers, the readout, and the coherence of qubits that wait.

    The search is Qiskit's, which knows gates and qubits with one error each: it is given a stand-in for the circuit
    with one kind of two-qubit gate and one kind of unit that readout and waiting are counted in.

    Args:
        device: The device.
        estimator: What waiting usually costs.
    """

    def __init__(self, device: DeviceModel, estimator: LossEstimator) -> None:
        self._gate_loss = _gate_losses(device)
        self._readout_loss: FloatArray = -np.log1p(-np.minimum(device.readout_error, 1 - 1e-9))
        self._wait_loss = idle_loss(device)
        self._per_second = estimator.per_second
        self._usual_read = float(np.median(self._readout_loss))
        # A unit is a share of a readout and of a short wait.
        self._unit_loss = (self._readout_loss + self._wait_loss * _SHORT_WAIT_S) / _UNITS
        self._usual_unit = float(np.median(self._unit_loss)) or 1.0
        self._errors: dict[tuple[int, ...], ErrorMap] = {}
        self._searches: dict[int, VF2Layout] = {}
        self._found: Memory[Hashable, tuple[int, ...]] = Memory(SEARCHES)

    def settle(
        self,
        pairs: Sequence[tuple[int, int]],
        reads: Mapping[int, int],
        alive_s: Sequence[float],
        home: Sequence[int],
        target: Target,
        region: tuple[int, ...],
    ) -> tuple[int, ...]:
        """Return the best place known of a circuit in the operations of the target, one physical qubit for each site.

        Args:
            pairs: Its two-qubit operations, as pairs of sites.
            reads: How often each site is measured, where it is at all.
            alive_s: Seconds that each site is alive, roughly.
            home: Where it stands now.
            target: The region alone, renumbered.
            region: Physical qubit of each qubit of ``target``.
        """
        need = _Need(
            gates=Counter((min(pair), max(pair)) for pair in pairs),
            reads=np.array([reads.get(site, 0) for site in range(len(home))], dtype=np.float64),
            alive_s=np.array(alive_s, dtype=np.float64),
        )
        found = self._search(need, target, region)
        return tuple(home) if found is None or self._loss(need, home) <= self._loss(need, found) else tuple(found)

    def _loss(self, need: _Need, place: Sequence[int]) -> float:
        qubits = list(place)
        gates = sum(times * self._gate_loss[qubits[a], qubits[b]] for (a, b), times in need.gates.items())
        return float(gates + need.reads @ self._readout_loss[qubits] + need.alive_s @ self._wait_loss[qubits])

    def _search(self, need: _Need, target: Target, region: tuple[int, ...]) -> list[int] | None:
        # Fewer gates and units in proportion weigh the same against each other.
        scale = min(1.0, _MOST_GATES / max(need.gates.values(), default=1))
        weight = need.reads * self._usual_read + need.alive_s * self._per_second
        units = np.maximum(1, np.rint(scale * weight / self._usual_unit)).astype(int)
        gates = tuple([(pair, max(1, round(scale * times))) for pair, times in need.gates.items()])
        # The search holds its target, so that the id stays the target's own.
        key = (id(target), region, tuple(units.tolist()), gates)
        found = self._found.get(key)
        if found is None:
            found = self._searched(key[2], gates, target, region)
            self._found.put(key, found)
        return None if not found else [region[place] for place in found]

    def _searched(
        self, units: Sequence[int], gates: _Gates, target: Target, region: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Return the qubit of the target for each site, nothing if there is no place."""
        stand_in = QuantumCircuit(len(units))
        qubits = stand_in.qubits
        data: list[CircuitInstruction] = []
        for qubit, count in zip(qubits, units, strict=True):
            data += [CircuitInstruction(_UNIT, (qubit,))] * count
        for (a, b), times in gates:
            data += [CircuitInstruction(_GATE, (qubits[a], qubits[b]))] * times
        append_all(stand_in, data)
        search = self._search_on(target)
        search.property_set = PropertySet({"vf2_avg_error_map": self._error_map(region)})
        search.run(circuit_to_dag(stand_in, copy_operations=False))
        layout = search.property_set["layout"]
        return () if layout is None else tuple([layout[qubit] for qubit in qubits])

    def _search_on(self, target: Target) -> VF2Layout:
        if id(target) not in self._searches:
            self._searches[id(target)] = VF2Layout(target=target, strict_direction=False, seed=-1, call_limit=CALLS)
        return self._searches[id(target)]

    def _error_map(self, region: tuple[int, ...]) -> ErrorMap:
        if region not in self._errors:
            losses = self._gate_loss[np.ix_(region, region)]
            pairs = np.argwhere(np.isfinite(losses))
            errors = self._errors[region] = ErrorMap(len(region) + len(pairs))
            for qubit, physical in enumerate(region):
                errors.add_error((qubit, qubit), float(-np.expm1(-self._unit_loss[physical])) + APART * qubit)
            for a, b in pairs.tolist():
                errors.add_error((a, b), float(-np.expm1(-losses[a, b])))
        return self._errors[region]


def _gate_losses(device: DeviceModel) -> FloatArray:
    """Return the loss of the best two-qubit gate of each pair, either way round; infinite where there is none."""
    losses: FloatArray = np.full((device.num_qubits, device.num_qubits), np.inf)
    for table in device.gates.values():
        if table.error.ndim == 2:
            alive = table.error < DEAD_ERROR
            losses = np.minimum(losses, np.where(alive, -np.log1p(-np.where(alive, table.error, 0.0)), np.inf))
    both: FloatArray = np.minimum(losses, losses.T)
    return both
