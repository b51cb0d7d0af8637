"""A device as read-only arrays: what each gate costs on each qubit, and what may be used at all."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np
import numpy.typing as npt
import rustworkx as rx
from qiskit.transpiler import InstructionProperties, Target

from qiskit_halo.errors import HaloTranspilerError, HaloWarning
from qiskit_halo.options import FEED_FORWARD_S, ResetModel
from qiskit_halo.units import seconds_to_dt

FloatArray = npt.NDArray[np.float64]

DEAD_ERROR = 1.0
"""An operation with this error never works: its qubit or coupler is not used."""

# Assumed where a target states neither an error nor a duration and T1 to estimate it from. Only the order of the
# three matters: readout is worse than a two-qubit gate, which is worse than a one-qubit gate.
UNKNOWN_ERRORS = {1: 3e-4, 2: 5e-3}
UNKNOWN_READOUT_ERROR = 1e-2
ORDER_ONLY_DT_S = 1e-9


@dataclass(frozen=True, kw_only=True)
class GateTable:
    """What one operation costs wherever the target has it.

    Args:
        error: float64, shape (num_qubits,) or (num_qubits, num_qubits) with [first, second]; NaN where absent.
        duration_dt: float64, same shape, in ticks; NaN where absent or unknown.
    """

    error: FloatArray
    duration_dt: FloatArray

    @cached_property
    def log_success(self) -> FloatArray:
        """log(1 - error), same shape; minus infinity where the operation is absent or dead."""
        bad = np.isnan(self.error) | (self.error >= DEAD_ERROR)
        result: FloatArray = np.where(bad, -np.inf, np.log1p(-np.where(bad, 0.0, self.error)))
        return result


class DeviceModel:
    """Calibration and couplings of a :class:`~qiskit.transpiler.Target`, ready for vectorised scoring.

    Args:
        target: The device. It is not changed.
        exclude_qubits: Physical qubits that may not be used, besides those that the calibration rules out.
        feed_forward_s: Latency between a measurement and an operation that depends on it, which no target states.
        reset_model: What a reset that fails does; see :class:`~qiskit_halo.HaloOptions`.

    Raises:
        HaloTranspilerError: The target states no qubits, or an excluded qubit is not on the device.
    """

    def __init__(
        self,
        target: Target,
        exclude_qubits: Iterable[int] = (),
        *,
        feed_forward_s: float = FEED_FORWARD_S,
        reset_model: ResetModel = "stays",
    ) -> None:
        if not target.num_qubits:
            raise HaloTranspilerError(
                "the target states no number of qubits; give a backend, or a target with its qubits"
            )
        self.target = target
        self.num_qubits: int = target.num_qubits
        self.exclude_qubits = tuple(exclude_qubits)
        outside = [q for q in self.exclude_qubits if q >= self.num_qubits]
        if outside:
            raise HaloTranspilerError(
                f"exclude_qubits names qubit {outside[0]}, but the device has qubits 0 to {self.num_qubits - 1}"
            )
        self.dt_s: float = target.dt or ORDER_ONLY_DT_S
        self.feed_forward_s = feed_forward_s
        self.reset_model = reset_model
        # Pulses last multiples of the granularity, so that delays between starts on it do so too.
        steps = (target.pulse_alignment, target.acquire_alignment, target.granularity)
        self.alignment: int = int(np.lcm.reduce([step or 1 for step in steps]))
        self.has_durations = target.dt is not None and _states(target, lambda own: (own.duration or 0) > 0)
        self.has_calibration = _states(target, lambda own: own.error is not None)
        self.t1_s, self.t2_s = self._coherence()
        self.gates: dict[str, GateTable] = {}
        for name in target.operation_names:
            table = self._gate_table(name)
            if table is not None:
                self.gates[name] = table
        self.has_reset = "reset" in target.operation_names
        self.usable_qubits: npt.NDArray[np.bool_] = self._usable_qubits()

    @cached_property
    def readout_error(self) -> FloatArray:
        """Error of a measurement of each qubit, shape (num_qubits,)."""
        table = self.gates.get("measure")
        if table is None:
            return np.full(self.num_qubits, UNKNOWN_READOUT_ERROR)
        return np.nan_to_num(table.error, nan=UNKNOWN_READOUT_ERROR)

    @cached_property
    def reset_dt(self) -> npt.NDArray[np.int64]:
        """Ticks of one ``reset`` of each qubit, shape (num_qubits,); a measurement's where it is unknown."""
        if not self.has_durations:
            return np.zeros(self.num_qubits, dtype=np.int64)
        for name in ("reset", "measure"):
            table = self.gates.get(name)
            if table is not None and not np.isnan(table.duration_dt).all():
                longest = float(np.nanmax(table.duration_dt))
                return np.nan_to_num(table.duration_dt, nan=longest).astype(np.int64)
        return np.zeros(self.num_qubits, dtype=np.int64)

    def log_reset_success(self, rounds: int) -> FloatArray:
        """Return the log of the chance that ``rounds`` resets leave |0> on each qubit, shape (num_qubits,).

        A reset is a measurement and a flip where its own error is not stated: on a qubit in an unknown state,
        n rounds leave an excitation of half the readout error to the power n. If resets that fail also flip a qubit
        in 0, the last round leaves the readout error, however many there were.
        """
        table = self.gates.get("reset")
        stated = None if table is None else table.error
        error = self.readout_error if stated is None else np.where(np.isnan(stated), self.readout_error, stated)
        # A reset's stated error is NaN-filled by `_gate_table` only when the target is silent.
        error = np.clip(error, 0.0, 1.0)
        left = 0.5 * error**rounds if self.reset_model == "stays" else np.minimum(error, 1 - 1e-12)
        log_success: FloatArray = np.log1p(-left)
        return log_success

    @cached_property
    def couplers(self) -> tuple[tuple[int, int], ...]:
        """Usable couplers as ascending pairs: both qubits usable, some two-qubit gate that is not dead."""
        alive = np.zeros((self.num_qubits, self.num_qubits), dtype=bool)
        for table in self.gates.values():
            if table.error.ndim == 2:
                alive |= table.error < DEAD_ERROR
        alive |= alive.T
        alive &= np.outer(self.usable_qubits, self.usable_qubits)
        return tuple((int(a), int(b)) for a, b in np.argwhere(np.triu(alive, 1)))

    @cached_property
    def log_coupler_success(self) -> FloatArray:
        """Log of the success of the best two-qubit gate between qubits, either way, shape (n, n); -inf if unusable."""
        best = np.full((self.num_qubits, self.num_qubits), np.inf)
        for table in self.gates.values():
            if table.error.ndim == 2:
                best = np.fmin(best, np.fmin(table.error, table.error.T))
        usable = np.zeros_like(best, dtype=bool)
        for a, b in self.couplers:
            usable[a, b] = usable[b, a] = True
        result: FloatArray = np.where(usable, np.log1p(-np.where(usable, best, 0.0)), -np.inf)
        return result

    @cached_property
    def graph(self) -> rx.PyGraph[int, None]:
        """All qubits as nodes, usable couplers as edges."""
        graph: rx.PyGraph[int, None] = rx.PyGraph(multigraph=False)
        graph.add_nodes_from(range(self.num_qubits))
        graph.add_edges_from_no_data(list(self.couplers))
        return graph

    @cached_property
    def distance(self) -> FloatArray:
        """Hops between qubits over all couplers that the target lists, dead ones too, shape (n, n)."""
        graph: rx.PyGraph[int, None] = rx.PyGraph(multigraph=False)
        graph.add_nodes_from(range(self.num_qubits))
        listed = np.zeros((self.num_qubits, self.num_qubits), dtype=bool)
        for table in self.gates.values():
            if table.error.ndim == 2:
                listed |= ~np.isnan(table.error)
        graph.add_edges_from_no_data([(int(a), int(b)) for a, b in np.argwhere(np.triu(listed | listed.T, 1))])
        matrix: FloatArray = rx.distance_matrix(graph, null_value=np.inf)
        return matrix

    def duration_dt(self, name: str, qubits: tuple[int, ...]) -> int:
        """Return the ticks of operation ``name`` on physical ``qubits``; 0 where the target states none.

        A directed gate that the target has only the other way round takes what it takes there.
        """
        table = self._ticks.get(name)
        return 0 if table is None or table.ndim != len(qubits) else int(table.item(qubits))

    def durations_dt(
        self, name: str, columns: Sequence[npt.NDArray[np.int64]], num_places: int
    ) -> npt.NDArray[np.int64]:
        """Return :meth:`duration_dt` on many places at once, shape (num_places,).

        Args:
            name: The operation.
            columns: Physical qubits, one array of shape (num_places,) for each qubit of the operation.
            num_places: Number of places.
        """
        table = self._ticks.get(name)
        if table is None or table.ndim != len(columns):
            return np.zeros(num_places, dtype=np.int64)
        found: npt.NDArray[np.int64] = table[tuple(columns)]
        return found

    @cached_property
    def _ticks(self) -> dict[str, npt.NDArray[np.int64]]:
        """Ticks of each operation, shaped as its table; 0 where none are stated, either way round."""
        found = {"reset": self.reset_dt} if "reset" in self.gates else {}
        for name, table in self.gates.items():
            stated = np.where(np.isnan(table.duration_dt), table.duration_dt.T, table.duration_dt)
            found.setdefault(name, np.nan_to_num(stated, nan=0.0).astype(np.int64))
        return found

    def warn_about_gaps(self) -> None:
        """Say what the target leaves out."""
        if not self.has_calibration:
            warnings.warn(
                "the device states no errors: all qubits count alike and predicted success is only a ranking; "
                "give a target with calibration to place by it",
                HaloWarning,
                stacklevel=3,
            )

    def _coherence(self) -> tuple[FloatArray, FloatArray]:
        t1 = np.full(self.num_qubits, np.inf)
        t2 = np.full(self.num_qubits, np.inf)
        for qubit, properties in enumerate(self.target.qubit_properties or ()):
            if properties is None:
                continue
            # Neither 0 nor NaN is a time that was measured.
            if (getattr(properties, "t1", None) or 0) > 0:
                t1[qubit] = properties.t1
            if (getattr(properties, "t2", None) or 0) > 0:
                t2[qubit] = properties.t2
        # A T2 above 2 T1 is a fit's error bar, not physics.
        return t1, np.minimum(t2, 2 * t1)

    def _gate_table(self, name: str) -> GateTable | None:
        operation = self.target.operation_from_name(name)
        width = None if isinstance(operation, type) else operation.num_qubits
        if width not in (1, 2) or name in ("delay", "barrier"):
            return None
        everywhere = self.target[name]
        if None in everywhere:
            # An ideal operation, stated once for all qubits: every qubit, or every pair, has it.
            everywhere = dict.fromkeys(permutations(range(self.num_qubits), width), everywhere[None])
        shape = (self.num_qubits,) * width
        error, duration = np.full(shape, np.nan), np.full(shape, np.nan)
        for qargs, properties in everywhere.items():
            stated = None if properties is None else properties.duration
            if stated is not None:
                duration[qargs] = seconds_to_dt(stated, self.dt_s)
            error[qargs] = self._error(name, qargs, properties, stated)
        return GateTable(error=error, duration_dt=duration)

    def _error(
        self,
        name: str,
        qargs: tuple[int, ...],
        properties: InstructionProperties | None,
        duration_s: float | None,
    ) -> float:
        if properties is not None and properties.error is not None and not np.isnan(properties.error):
            return float(properties.error)
        if name == "reset":
            return float("nan")
        if duration_s is not None and np.isfinite(self.t1_s[list(qargs)]).all():
            return float(min(1 - 1e-12, (duration_s / self.t1_s[list(qargs)]).sum()))
        return UNKNOWN_READOUT_ERROR if name == "measure" else UNKNOWN_ERRORS[len(qargs)]

    def _usable_qubits(self) -> npt.NDArray[np.bool_]:
        usable = np.ones(self.num_qubits, dtype=bool)
        usable[list(self.exclude_qubits)] = False
        for name, table in self.gates.items():
            if table.error.ndim == 1 and name != "reset":
                usable &= ~(table.error >= DEAD_ERROR)
        if "measure" in self.gates:
            usable &= ~np.isnan(self.gates["measure"].error)
        return usable


def _states(target: Target, is_stated: Callable[[InstructionProperties], bool]) -> bool:
    return any(
        properties is not None and is_stated(properties)
        for name in target.operation_names
        if target[name] is not None
        for properties in target[name].values()
    )
