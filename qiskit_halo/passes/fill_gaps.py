"""What fills the time that a qubit waits."""

from __future__ import annotations

from collections.abc import Iterator

from qiskit.circuit import Delay, Operation
from qiskit.circuit.library import XGate

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.units import round_down, round_up

SHORTEST_WAIT = 1
"""Pulses are only put where each of the waits beside them is at least so many pulses long."""


class GapFiller:
    """Fills gaps with delays, or with delays and decoupling pulses.

    A gap of a qubit that is alive then holds two X, a quarter of the waiting time from either end, which undo each other and
    turn slow drifts of the qubit's frequency around. Qiskit's own pass for that treats a user's delays as gaps too;
    ours sees only gaps that scheduling has made.

    Args:
        device: The device.
        decouple: Whether to put pulses.
    """

    def __init__(self, device: DeviceModel, *, decouple: bool) -> None:
        self._alignment = device.alignment
        table = device.gates.get("x") if decouple and device.has_durations else None
        self._delays: dict[int, Delay] = {}
        self._pulse_dt: list[int] = [0] * device.num_qubits
        if table is not None:
            self._pulse_dt = [device.duration_dt("x", (qubit,)) for qubit in range(device.num_qubits)]

    def fill(self, qubit: int, start_dt: int, length_dt: int, *, alive: bool) -> Iterator[tuple[Operation, int]]:
        """Yield operations that take exactly ``length_dt`` ticks from ``start_dt`` on, with the start of each.

        Args:
            qubit: Physical qubit.
            start_dt: First tick of the gap.
            length_dt: Its length, at least 1.
            alive: Whether the qubit holds anything: one in |0> needs no pulses.
        """
        pulse, stop = self._pulse_dt[qubit], start_dt + length_dt
        quarter = (length_dt - 2 * pulse) // 4
        first = round_up(start_dt + quarter, self._alignment)
        second = round_down(stop - quarter - pulse, self._alignment)
        if alive and pulse and quarter >= SHORTEST_WAIT * pulse and first + pulse < second:
            yield self._delay(first - start_dt), start_dt
            yield XGate(), first
            yield self._delay(second - first - pulse), first + pulse
            yield XGate(), second
            start_dt = second + pulse
        if stop > start_dt:
            yield self._delay(stop - start_dt), start_dt

    def _delay(self, length_dt: int) -> Delay:
        # To make one takes longer than all else that is done for a gap.
        known = self._delays.get(length_dt)
        if known is None:
            known = self._delays[length_dt] = Delay(length_dt, "dt")
        return known
