"""What a compiled batch looks like, as data: per program, per lease, and for the whole batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from qiskit_halo.errors import HaloValueError

REPORT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FormReport:
    """One compiled form of a part of a program, as the space manager had it to choose from.

    Args:
        name: What tells it from the others: how it was routed, how often qubits are used again.
        num_qubits: Physical qubits that it needs.
        length_s: Seconds that it takes.
        success: Best predicted success of this form on an empty device.
        chosen: Whether this one runs.
    """

    name: str
    num_qubits: int
    length_s: float
    success: float
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramReport:
    """Where one program went and what it can expect.

    Args:
        index: Position of the program in the batch; ``None`` for operations that write no classical bit,
            which no program can be told to own.
        name: The user's name for it.
        shots: Shots that the program asked for, or ``None`` if the circuit does not say.
        qubits: Physical qubits it uses, ascending.
        num_data: Data qubits of the program.
        num_helpers: Helper qubits of the program, marked or inferred.
        start_s: Start of its first operation in seconds from the start of the merged circuit.
        length_s: Seconds from its first to its last operation.
        wait_s: Seconds that it was held up by others, in all, while its qubits were alive.
        success_alone: Best predicted success on an empty device, in [0, 1]; ``None`` if unknown.
        success_merged: Predicted success in the merged circuit, in [0, 1]; ``None`` if unknown.
        success_floor: Least predicted success that the options leave it; ``None`` if unknown.
        forms: Compiled forms of each of its parts that it could have taken, and which it did.
    """

    index: int | None
    name: str
    shots: int | None
    qubits: tuple[int, ...]
    num_data: int
    num_helpers: int
    start_s: float
    length_s: float
    wait_s: float
    success_alone: float | None
    success_merged: float | None
    success_floor: float | None = None
    forms: tuple[FormReport, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseReport:
    """One physical qubit held for one interval.

    Args:
        qubit: Physical qubit.
        program: Index of the program, ``None`` if anonymous.
        kind: ``"program"`` for its operations, ``"reset"`` for the resets of a hand-over.
        start_s: Start in seconds from the start of the merged circuit.
        stop_s: End in seconds (half-open).
    """

    qubit: int
    program: int | None
    kind: str
    start_s: float
    stop_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HaloReport:
    """A compiled batch.

    Args:
        programs: One entry a program, in the order of the batch; anonymous operations last.
        leases: Every lease of every physical qubit, by qubit and start.
        num_qubits: Physical qubits of the device.
        couplers: Usable couplers of the device as ascending pairs.
        makespan_s: Seconds from the start to the last operation.
        reset_s: Longest reset of the qubits used, in seconds: the reset before each shot.
        num_qubits_used: Distinct physical qubits used.
        num_handovers: Times a physical qubit passes from one program to another.
        timing: ``"exact"``; ``"estimated"`` where control flow makes times a bound; ``"order only"`` where the
            device states no durations (all times then count operations, not seconds).
        policy: Name of the policy that decided who goes when on shared qubits.
        qpu_time_ratios: Repetition delay in microseconds, as text -> modelled QPU time of the programs one by one
            over that of the merged circuit, at equal shots (shots x (makespan + reset + repetition delay)).
        volume_bound_s: The makespan in seconds if all this work kept every qubit busy all the time; ``None`` if unknown.
        packing_efficiency: Busy qubit-time, hand-over resets included, over qubits times makespan.
        limited_by: What keeps the batch from being shorter: ``"longest program"``, ``"qubits"`` (all are taken),
            ``"good qubits"`` (those on which programs keep their floors are) or ``"fit"``.
    """

    programs: tuple[ProgramReport, ...]
    leases: tuple[LeaseReport, ...]
    num_qubits: int
    couplers: tuple[tuple[int, int], ...]
    makespan_s: float
    reset_s: float
    num_qubits_used: int
    num_handovers: int
    timing: str
    policy: str
    qpu_time_ratios: Mapping[str, float]
    volume_bound_s: float | None = None
    packing_efficiency: float | None = None
    limited_by: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return {
            "version": REPORT_VERSION,
            **_as_dict(self),
            "programs": [
                {**_as_dict(p), "qubits": list(p.qubits), "forms": [_as_dict(form) for form in p.forms]}
                for p in self.programs
            ],
            "leases": [_as_dict(lease) for lease in self.leases],
            "couplers": [list(pair) for pair in self.couplers],
            "qpu_time_ratios": dict(self.qpu_time_ratios),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the report that :meth:`to_dict` wrote.

        Raises:
            HaloValueError: It was written by an unknown version.
        """
        if values.get("version") != REPORT_VERSION:
            raise HaloValueError(
                f"report version {values.get('version')!r} is not {REPORT_VERSION}; "
                "compile the circuit again with this version of qiskit-halo"
            )
        rest = {k: v for k, v in values.items() if k not in ("version", "programs", "leases", "couplers")}
        return cls(
            programs=tuple(
                ProgramReport(
                    **{**p, "qubits": tuple(p["qubits"]), "forms": tuple(FormReport(**form) for form in p["forms"])}
                )
                for p in values["programs"]
            ),
            leases=tuple(LeaseReport(**lease) for lease in values["leases"]),
            couplers=tuple((int(a), int(b)) for a, b in values["couplers"]),
            **rest,
        )


def _as_dict(record: FormReport | ProgramReport | LeaseReport | HaloReport) -> dict[str, Any]:
    # `dataclasses.asdict` copies what it holds, deeply, which takes far longer than all else for thousands of leases.
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
