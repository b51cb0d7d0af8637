"""Whether the programs of a finished circuit are isolated from each other, judged from the circuit alone.

Nothing here trusts notes of the compiler or shares code with it: wires are cut at resets, segments joined to components, and
owners read from the names of clbits and variables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from qiskit import QuantumCircuit
from qiskit.transpiler import Target

from qiskit_halo.errors import HaloValueError, IsolationError
from qiskit_halo.verification._activity import find_overlaps
from qiskit_halo.verification._components import CutCircuit, cut_at_resets
from qiskit_halo.verification._device import qubits_within, unsupported_operations
from qiskit_halo.verification._owners import Names, Ownership, Violation, find_owners
from qiskit_halo.verification._ownership import UNNAMED
from qiskit_halo.verification._step_list import read_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationReport:
    """What a check of isolation looked at and found.

    Args:
        programs: Programs found, ascending; -1 is the unnamed one (clbits in no register ``p<k>_...``).
        num_components: Components found: segments joined by operations, clbits and variables.
        num_anonymous: Components that touch no clbit and no variable. Each is an owner of its own.
        num_segments: Segments found: operations on one wire between two resets.
        num_handovers: Times a qubit passes from one owner to the next.
        fewest_resets: Fewest consecutive resets at a hand-over, ``None`` without hand-overs.
        required_resets: Resets that were asked for.
        buffer: Hops that were asked for between owners active at the same time.
        device_checked: Whether every operation was looked up in a target, dead couplers and qubits included.
        timing: ``"unused"`` without a buffer; ``"exact"`` if all durations were known; ``"order only"`` if segments
            counted as active at once unless the order of operations keeps them apart.
        joined: Groups of programs that count as one owner. Empty unless joined programs were allowed.
    """

    programs: tuple[int, ...]
    num_components: int
    num_anonymous: int
    num_segments: int
    num_handovers: int
    fewest_resets: int | None
    required_resets: int
    buffer: int
    device_checked: bool
    timing: str
    joined: tuple[tuple[int, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            **asdict(self),
            "programs": list(self.programs),
            "joined": [list(group) for group in self.joined],
        }


def verify_isolation(
    circuit: QuantumCircuit, *, target: Target | None = None, resets: int = 1, buffer: int = 0
) -> IsolationReport:
    """Raise unless the programs of a circuit are isolated from each other.

    No operation joins two programs or touches the clbits or variables of two, inside control flow too; at least ``resets``
    resets lie between two owners of a qubit, with nothing but delays and barriers among them; with a ``target``, each
    operation is one that it has and that is not dead; with a ``buffer``, qubits active at the same time for different
    owners are more than ``buffer`` couplers apart. A qubit is active from the first to the last operation of a segment.

    Args:
        circuit: Any circuit; for the last two checks, one on the physical qubits of ``target``.
        target: The device.
        resets: Least number of resets at a hand-over, at least 1.
        buffer: Hops to keep between programs active at the same time; needs ``target``.

    Returns:
        What was found.

    Raises:
        IsolationError: The first violation by position in the circuit, and how many more there are.
        HaloValueError: ``resets`` or ``buffer`` is out of range, or ``buffer`` comes without ``target``.

    Examples:
        >>> from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
        >>> circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(1, "p0_c"), ClassicalRegister(1, "p1_c"))
        >>> _ = circuit.h(0), circuit.measure(0, 0), circuit.reset(0), circuit.h(0), circuit.measure(0, 1)
        >>> verify_isolation(circuit).fewest_resets
        1
    """
    return inspect_isolation(circuit, target=target, resets=resets, buffer=buffer, joined_allowed=False)


def find_joined_programs(circuit: QuantumCircuit) -> tuple[tuple[int, ...], ...]:
    """Return the groups of programs that operations, clbits or variables join, each ascending.

    Raises:
        IsolationError: Registers of two programs share a clbit.
    """
    cut = cut_at_resets(read_steps(circuit), circuit.num_qubits)
    return find_owners(circuit, cut, merge_joined=True).joined


def inspect_isolation(
    circuit: QuantumCircuit, *, target: Target | None, resets: int, buffer: int, joined_allowed: bool
) -> IsolationReport:
    """Do what :func:`verify_isolation` does; with ``joined_allowed``, joined programs count as one owner."""
    _check_count("resets", resets, 1)
    _check_count("buffer", buffer, 0)
    if buffer and target is None:
        raise HaloValueError(f"buffer={buffer} needs a target to measure distances on; pass target=backend.target")
    cut = cut_at_resets(read_steps(circuit), circuit.num_qubits)
    owners = find_owners(circuit, cut, merge_joined=joined_allowed)
    names = Names(circuit)
    violations = [] if joined_allowed else list(owners.violations)
    handovers = list(_handovers(cut, owners))
    violations.extend(_short_handovers(cut, owners, names, handovers, resets))
    timing = "unused"
    if target is not None:
        violations.extend(_device_violations(circuit, target, cut, owners, names))
        if buffer:
            timing, near = _buffer_violations(circuit, target, cut, owners, names, buffer)
            violations.extend(near)
    if violations:
        first = min(violations, key=lambda violation: violation.position)
        more = len(violations) - 1
        raise IsolationError(first.message + (f" (and {more} more violations)" if more else ""))
    return IsolationReport(
        programs=owners.programs,
        num_components=len(owners.components),
        num_anonymous=sum(owner < UNNAMED for owner in owners.of_component),
        num_segments=len(cut.segments),
        num_handovers=len(handovers),
        fewest_resets=min((cut.segments[after].resets_before for _, after in handovers), default=None),
        required_resets=resets,
        buffer=buffer,
        device_checked=target is not None,
        timing=timing,
        joined=owners.joined,
    )


def _check_count(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise HaloValueError(f"{name} must be a whole number of at least {least}, not {value!r}")


def _handovers(cut: CutCircuit, owners: Ownership) -> Iterator[tuple[int, int]]:
    """Yield the last segment of one owner and the first of the next, on every wire."""
    for line in cut.by_wire:
        for before, after in pairwise(line):
            if owners.of_segment[before] != owners.of_segment[after]:
                yield before, after


def _short_handovers(
    cut: CutCircuit, owners: Ownership, names: Names, handovers: list[tuple[int, int]], resets: int
) -> Iterator[Violation]:
    for before, after in handovers:
        segment = cut.segments[after]
        if segment.resets_before < resets:
            step = cut.steps[segment.first]
            yield Violation(
                position=step.position,
                message=(
                    f"qubit {segment.wire} passes from {names.owner(owners.of_segment[before])} to "
                    f"{names.owner(owners.of_segment[after])} at {step.describe()} after {segment.resets_before} "
                    f"consecutive resets where {resets} are required; insert {resets - segment.resets_before} more"
                ),
            )


def _device_violations(
    circuit: QuantumCircuit, target: Target, cut: CutCircuit, owners: Ownership, names: Names
) -> Iterator[Violation]:
    if target.num_qubits is not None and circuit.num_qubits > target.num_qubits:
        raise IsolationError(
            f"the circuit has {circuit.num_qubits} qubits but the target {target.num_qubits}; "
            "check it against the target it was compiled for"
        )
    owner_at: dict[int, int] | None = None
    for position, name, qubits, reason in unsupported_operations(circuit, target):
        if owner_at is None:
            owner_at = {
                cut.steps[index].position: owner
                for component, owner in zip(owners.components, owners.of_component, strict=True)
                for index in component.steps
            }
        owner = f" of {names.owner(owner_at[position])}" if position in owner_at else ""
        place = f"qubit {qubits[0]}" if len(qubits) == 1 else f"qubits {', '.join(map(str, qubits))}"
        yield Violation(
            position=position,
            message=f"operation {position} ({name}){owner} on {place}: {reason}; compile it again for this target",
        )


def _buffer_violations(
    circuit: QuantumCircuit, target: Target, cut: CutCircuit, owners: Ownership, names: Names, buffer: int
) -> tuple[str, list[Violation]]:
    timing, overlap = find_overlaps(cut, target, circuit.num_qubits, circuit.num_clbits)
    used = [wire for wire, line in enumerate(cut.by_wire) if line]
    near = qubits_within(target, buffer, used)
    found = []
    for wire in used:
        for other in near[wire]:
            if other < wire or other >= len(cut.by_wire):
                continue
            for first in cut.by_wire[wire]:
                for second in cut.by_wire[other]:
                    one, two = owners.of_segment[first], owners.of_segment[second]
                    if one != two and overlap(first, second):
                        step = cut.steps[max(cut.segments[first].first, cut.segments[second].first)]
                        found.append(
                            Violation(
                                position=step.position,
                                message=(
                                    f"{names.owner(one)} on qubit {wire} and {names.owner(two)} on qubit {other} are "
                                    f"active at the same time from {step.describe()}, no more than buffer={buffer} "
                                    "couplers apart; place them further apart or one after the other"
                                ),
                            )
                        )
    return timing, found
