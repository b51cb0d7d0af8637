"""Everything that one batch's circuit shows: time, space, sharing, gates, predicted success of each member."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

from qiskit.circuit import QuantumCircuit

from benchmarks.evaluation.measures.device import Calibration
from benchmarks.evaluation.measures.steps import Step, read_steps
from benchmarks.evaluation.measures.tenants import Tenants, find_tenants

_INSTANT_S = 1e-12


@dataclass
class Stay:
    """A wire from its first to its last operation between two resets.

    Attributes:
        start_s: Start of its first operation.
        stop_s: End of its last.
        resets: Resets right before it.
        opened: Tokens of its first operation, the state that it began with.
        closed: Tokens of its last.
    """

    wire: int
    start_s: float
    stop_s: float
    resets: int
    opened: tuple[int, ...]
    closed: tuple[int, ...]


@dataclass
class Ledger:
    """What a batch's circuit shows.

    Attributes:
        makespan_s: End of the last operation other than a reset; delays and barriers do not count.
        reset_s: Longest reset of the qubits used.
        qubits: Physical qubits used, ascending.
        busy_s: Sum over qubits of the time that they hold a program's state.
        resets_s: Sum over qubits of the time that resets between two stays take.
        between: Hand-overs from one program to another.
        within: Hand-overs from a program to itself.
        two_qubit: Two-qubit operations.
        crossing: Of those, the ones between the states of two programs.
        dead: Operations that the device lacks or that always fail.
        success: Member -> predicted success, as the package predicts it.
        success_flips: The same, if a reset that fails flips a clean qubit as well.
    """

    makespan_s: float = 0.0
    reset_s: float = 0.0
    qubits: tuple[int, ...] = ()
    busy_s: float = 0.0
    resets_s: float = 0.0
    between: int = 0
    within: int = 0
    two_qubit: int = 0
    crossing: int = 0
    dead: int = 0
    success: dict[int, float] = field(default_factory=dict)
    success_flips: dict[int, float] = field(default_factory=dict)


def read_ledger(circuit: QuantumCircuit, calibration: Calibration) -> Ledger:
    """Return what ``circuit``, physical and scheduled, shows."""
    steps = read_steps(circuit, calibration.target)
    tenants = find_tenants(circuit, steps)
    stays = find_stays(steps, tenants)
    ledger = Ledger()
    ledger.qubits = tuple(sorted(stays))
    ledger.reset_s = max((calibration.reset_s.get(qubit, 0.0) for qubit in stays), default=0.0)
    ledger.makespan_s = max((stay.stop_s for own in stays.values() for stay in own), default=0.0)
    ledger.busy_s = math.fsum(stay.stop_s - stay.start_s for own in stays.values() for stay in own)
    logs: dict[int, float] = {}
    logs_flips: dict[int, float] = {}
    for wire, own in sorted(stays.items()):
        for before, after in pairwise(own):
            ledger.resets_s += after.resets * calibration.reset_s.get(wire, 0.0)
            if tenants.programs(before.closed) == tenants.programs(after.opened):
                ledger.within += 1
            else:
                ledger.between += 1
            owners = tenants.programs(after.opened)
            _charge(logs, owners, calibration.log_handover(wire, after.resets))
            _charge(logs_flips, owners, calibration.log_handover(wire, after.resets, flips=True))
    rest: dict[int, float] = {}
    _charge_steps(ledger, rest, steps, tenants, calibration)
    ledger.success = {p: math.exp(value + logs.get(p, 0.0)) for p, value in sorted(rest.items())}
    ledger.success_flips = {p: math.exp(value + logs_flips.get(p, 0.0)) for p, value in sorted(rest.items())}
    return ledger


def find_stays(steps: list[Step], tenants: Tenants) -> dict[int, list[Stay]]:
    """Return the stays of each wire in use, in time order."""
    stays: dict[int, list[Stay]] = {}
    resets: dict[int, int] = {}
    open_wires: dict[int, bool] = {}
    for step in steps:
        if step.passive:
            continue
        if step.name == "reset":
            wire = step.qubits[0]
            resets[wire] = resets.get(wire, 0) + 1
            open_wires[wire] = False
            continue
        tokens = tenants.of_step[step.position]
        for wire in step.qubits:
            if open_wires.get(wire):
                stay = stays[wire][-1]
                stay.stop_s, stay.closed = step.stop_s, tokens
            else:
                stays.setdefault(wire, []).append(
                    Stay(wire, step.start_s, step.stop_s, resets.pop(wire, 0), tokens, tokens)
                )
                open_wires[wire] = True
    return stays


def _charge(logs: dict[int, float], programs: tuple[int, ...], loss: float) -> None:
    for program in programs:
        logs[program] = logs.get(program, 0.0) + loss


def _charge_steps(
    ledger: Ledger, logs: dict[int, float], steps: list[Step], tenants: Tenants, calibration: Calibration
) -> None:
    """Charge every operation, and every wait before it, to the programs whose state it acts on."""
    ended_s: dict[int, float] = {}
    for step in steps:
        if step.passive:
            continue
        if step.name == "reset":
            ended_s.pop(step.qubits[0], None)
            continue
        tokens = tenants.of_step[step.position]
        programs = tenants.programs(tokens)
        loss = calibration.log_instruction(step.instruction, step.qubits)
        for wire in step.qubits:
            gap_s = step.start_s - ended_s.get(wire, step.start_s)
            if gap_s > _INSTANT_S:
                loss += calibration.log_idle(wire, gap_s)
            ended_s[wire] = step.stop_s
        _charge(logs, programs, loss)
        if len(step.qubits) == 2 and not step.instruction.is_control_flow():
            ledger.two_qubit += 1
            if tenants.find(tokens[0]) != tenants.find(tokens[1]):
                owners = [tenants.programs([token]) for token in tokens]
                ledger.crossing += bool(owners[0] and owners[1] and owners[0] != owners[1])
        ledger.dead += not step.instruction.is_control_flow() and calibration.is_dead(step.name, step.qubits)
