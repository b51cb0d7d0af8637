"""One frozen record of everything a user can choose, checked on construction."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal, Self, get_args

from qiskit_halo.errors import HaloValueError

Sharing = Literal["none", "helpers", "all"]
PolicyName = Literal["auto", "round_robin", "packed"]
IdleFill = Literal["delay", "dd"]
Reusing = Literal["auto", "none", "max"]
ResetModel = Literal["stays", "flips"]

DEFAULT_REP_DELAY_S = 250e-6
"""Repetition delay in seconds where nobody sets one: IBM's default."""

MOST_OF_WEAK = 0.5
"""Share of its best predicted success that a weak program keeps at least, if the floor asks for as much."""

FEED_FORWARD_S = 0.7e-6
"""Assumed latency between a measurement and an operation that depends on it inside a shot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HaloOptions:
    """What the compiler may do to share a device between programs.

    Every field is JSON, so that options travel in ``circuit.metadata["halo"]["options"]`` through
    :func:`qiskit.transpile`, which takes no keyword of ours.

    Args:
        sharing: ``"none"`` gives every program its own qubits for the whole batch; ``"helpers"`` keeps
            data qubits exclusive and shares helper qubits; ``"all"`` frees every qubit after its last
            operation.
        success_floor: Least share, in [0, 1], of its own best predicted success that a program must keep.
        weak_success: Predicted success, in [0, 1], up to which a program counts as weak: it may lose as many shots in a
            hundred as one of this success, but never more than half of its own. 0 holds all programs to the share.
        resets: Rounds of the ``reset`` operation at each hand-over between programs, at least 1.
        buffer: Least number of free couplings between programs that are active at the same time:
            0 lets them be neighbours, 1 keeps them one qubit apart.
        rep_delay_s: Repetition delay in seconds for which batches are planned and packed: the longer it is, the less the
            time of a shot matters beside success. ``None``: with the primitives what the sampler sets, else the device's
            default, else 250 µs; elsewhere 250 µs.
        move_isa: Whether the primitives may move compiled circuits to other qubits of the device. Otherwise these stay
            where they were compiled for.
        max_batch_programs: Most circuits in one merged circuit, copies of one program counted each.
        max_copies: Most copies of one program in one merged circuit, or ``None`` for no limit; 1 runs each program on
            one set of qubits.
        max_executions: Most executions (circuits x shots) of one job, or ``None`` for no limit.
        max_circuits: Most circuits of one job, or ``None`` for no limit; each set of parameter values is one.
        max_duration_s: Longest allowed makespan in seconds, or ``None`` for no limit.
        exclude_qubits: Physical qubits never used.
        assume_clean: Whether a qubit is trusted to be in ``|0>`` when the circuit starts. If not, its first
            use is reset like a hand-over.
        policy: Who goes next on a shared qubit. ``"round_robin"``: programs take turns; ``"packed"``: the shortest
            makespan, and nobody waits; ``"auto"``: the better of both, never a longer makespan than the layout's own.
        max_wait_s: Most seconds, in all, that a program may be held up by others while its qubits are alive.
        weights: One positive number a program, by program index: its share of the turns. ``None``: all alike.
        scrub: Whether a random X, drawn by the operating system, comes before the resets of a hand-over, so that
            what a faulty reset leaves says nothing about who had the qubit before. Such circuits are not repeatable.
        idle_fill: What fills the gaps between a program's operations: ``"delay"``, or ``"dd"`` for decoupling pulses.
            A user's own delays are never touched.
        feed_forward_s: Latency in seconds between a measurement and an operation that depends on it.
        crosstalk: Entries ``((a, b), (c, d), factor)``: the error of a two-qubit gate on coupler (a, b) is multiplied
            by ``factor`` while another program drives (c, d), as simultaneous randomized benchmarking reports it.
            Couplers have no direction; ``None`` or no entries: none. A factor below 1 counts as 1.
        readout_crosstalk: Share, in [0, 1), of its success that a live qubit loses at each measurement or reset of a
            neighbour by another program or a hand-over.
        reuse: Whether qubits of one program may share a physical qubit, one after another with resets between:
            ``"auto"`` where that gives the better or the narrower program, ``"none"`` never, ``"max"`` as much as
            possible.
        reset_model: What a reset that fails is taken to do. ``"stays"``: it leaves the qubit as it was, so that each
            further round helps. ``"flips"``: it is a measurement that errs and an X if it read 1, so that a qubit in 0 is
            flipped as well; then every hand-over costs a readout error whatever ``resets`` is, and programs take over
            qubits only where they can pay for that.
        cache: Whether compiled programs are kept, in this process and on disk, for the next time they are met; in this
            process also what was read of them and how long their operations take.

    Raises:
        HaloValueError: A field has a wrong type or value.

    Examples:
        >>> HaloOptions(resets=3).resets
        3
        >>> HaloOptions.from_dict({"sharing": "helpers"}).sharing
        'helpers'
    """

    sharing: Sharing = "all"
    success_floor: float = 0.9
    weak_success: float = 0.1
    resets: int = 2
    buffer: int = 0
    rep_delay_s: float | None = None
    move_isa: bool = False
    max_batch_programs: int = 128
    max_copies: int | None = None
    max_executions: int | None = 10_000_000
    max_circuits: int | None = None
    max_duration_s: float | None = None
    exclude_qubits: tuple[int, ...] = ()
    assume_clean: bool = True
    policy: PolicyName = "auto"
    max_wait_s: float = 0.0
    weights: tuple[float, ...] | None = None
    scrub: bool = False
    idle_fill: IdleFill = "delay"
    feed_forward_s: float = FEED_FORWARD_S
    crosstalk: tuple[tuple[tuple[int, int], tuple[int, int], float], ...] = ()
    readout_crosstalk: float = 0.0
    reuse: Reusing = "auto"
    reset_model: ResetModel = "stays"
    cache: bool = True

    def __post_init__(self) -> None:
        check_choice("sharing", self.sharing, get_args(Sharing))
        check_choice("policy", self.policy, get_args(PolicyName))
        check_choice("idle_fill", self.idle_fill, get_args(IdleFill))
        check_choice("reset_model", self.reset_model, get_args(ResetModel))
        for name in ("success_floor", "weak_success"):
            object.__setattr__(self, name, _number(name, getattr(self, name)))
            if not 0 <= getattr(self, name) <= 1:
                raise HaloValueError(f"{name} must lie in [0, 1], not {getattr(self, name)}")
        object.__setattr__(self, "resets", _count("resets", self.resets, least=1))
        object.__setattr__(self, "buffer", _count("buffer", self.buffer, least=0))
        self._check_batches()
        if self.max_duration_s is not None:
            object.__setattr__(self, "max_duration_s", _number("max_duration_s", self.max_duration_s))
            if self.max_duration_s <= 0:
                raise HaloValueError(f"max_duration_s must be positive seconds or None, not {self.max_duration_s}")
        excluded = _sequence("exclude_qubits", self.exclude_qubits, "qubit numbers")
        numbers = [_count("each of exclude_qubits", qubit, least=0) for qubit in excluded]
        object.__setattr__(self, "exclude_qubits", tuple(sorted(dict.fromkeys(numbers))))
        for name in ("assume_clean", "scrub", "cache"):
            if not isinstance(getattr(self, name), bool):
                raise HaloValueError(f"{name} must be True or False, not {getattr(self, name)!r}")
        for name in ("max_wait_s", "feed_forward_s"):
            object.__setattr__(self, name, _number(name, getattr(self, name)))
            if getattr(self, name) < 0:
                raise HaloValueError(f"{name} must be seconds of at least 0, not {getattr(self, name)}")
        if self.reuse not in get_args(Reusing):
            raise HaloValueError(f"reuse must be one of {', '.join(get_args(Reusing))}, not {self.reuse!r}")
        if self.weights is not None:
            object.__setattr__(self, "weights", _weights(self.weights))
        object.__setattr__(self, "crosstalk", _crosstalk(self.crosstalk))
        object.__setattr__(self, "readout_crosstalk", _number("readout_crosstalk", self.readout_crosstalk))
        if not 0 <= self.readout_crosstalk < 1:
            raise HaloValueError(f"readout_crosstalk must lie in [0, 1), not {self.readout_crosstalk}")

    def _check_batches(self) -> None:
        if self.rep_delay_s is not None:
            object.__setattr__(self, "rep_delay_s", _number("rep_delay_s", self.rep_delay_s))
            if self.rep_delay_s < 0:
                raise HaloValueError(f"rep_delay_s must be seconds of at least 0 or None, not {self.rep_delay_s}")
        if not isinstance(self.move_isa, bool):
            raise HaloValueError(f"move_isa must be True or False, not {self.move_isa!r}")
        object.__setattr__(self, "max_batch_programs", _count("max_batch_programs", self.max_batch_programs, least=1))
        for name in ("max_copies", "max_executions", "max_circuits"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _count(name, getattr(self, name), least=1))

    def log_share(self, log_best: float) -> float:
        """Return the log of the least share of its best predicted success that a program must keep.

        Args:
            log_best: Log of its best predicted success.
        """
        if self.success_floor == 0:
            return -math.inf
        # Whoever fails nine times in ten and more would otherwise hold up a batch for less than a shot in a hundred.
        weakness = max(1.0, self.weak_success / max(math.exp(min(log_best, 0.0)), sys.float_info.min))
        share = max(MOST_OF_WEAK, 1 - (1 - self.success_floor) * weakness)
        return math.log(min(self.success_floor, share))

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON values."""
        weights = None if self.weights is None else list(self.weights)
        crosstalk = [[list(victim), list(other), factor] for victim, other, factor in self.crosstalk]
        lists = {"exclude_qubits": list(self.exclude_qubits), "weights": weights, "crosstalk": crosstalk}
        return {**asdict(self), **lists}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the options that :meth:`to_dict` wrote; missing fields keep their defaults.

        Raises:
            HaloValueError: A name is not an option, or a value is wrong.
        """
        names = [field.name for field in fields(cls)]
        unknown = sorted(set(values) - set(names))
        if unknown:
            raise HaloValueError(f"unknown option {', '.join(map(repr, unknown))}; the options are {', '.join(names)}")
        return cls(**values)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise :class:`HaloValueError` if ``value`` is none of ``choices``."""
    if value not in choices:
        raise HaloValueError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def _sequence(name: str, value: Any, of_what: str) -> tuple[Any, ...]:
    if isinstance(value, (str, bytes)):
        raise HaloValueError(f"{name} must be a sequence of {of_what}, not a string")
    try:
        return tuple(value)
    except TypeError:
        raise HaloValueError(f"{name} must be a sequence of {of_what}, not {value!r}") from None


def _weights(value: Any) -> tuple[float, ...]:
    weights = tuple(_number("each of weights", weight) for weight in _sequence("weights", value, "numbers"))
    for weight in weights:
        # A program of weight 0 would never have its turn.
        if weight <= 0:
            raise HaloValueError(f"each of weights must be positive, not {weight}")
    return weights


def _crosstalk(value: Any) -> tuple[tuple[tuple[int, int], tuple[int, int], float], ...]:
    """Return the table with ascending couplers, sorted."""
    table: dict[tuple[tuple[int, int], tuple[int, int]], float] = {}
    for entry in _sequence("crosstalk", () if value is None else value, "((a, b), (c, d), factor)"):
        parts = _sequence("each of crosstalk", entry, "two couplers and a factor")
        if len(parts) != 3:
            raise HaloValueError(f"each of crosstalk must be ((a, b), (c, d), factor), not {entry!r}")
        victim, other = _coupler(parts[0]), _coupler(parts[1])
        factor = _number("each factor of crosstalk", parts[2])
        if factor <= 0:
            raise HaloValueError(f"each factor of crosstalk must be positive, not {factor} for {victim} beside {other}")
        if set(victim) & set(other):
            raise HaloValueError(
                f"crosstalk has couplers {victim} and {other}, which share a qubit; no two gates run there at once"
            )
        if (victim, other) in table:
            raise HaloValueError(f"crosstalk has two factors for {victim} beside {other}; give one")
        table[victim, other] = factor
    return tuple((victim, other, table[victim, other]) for victim, other in sorted(table))


def _coupler(value: Any) -> tuple[int, int]:
    qubits = _sequence("each coupler of crosstalk", value, "two qubit numbers")
    numbers = sorted(_count("each qubit of crosstalk", qubit, least=0) for qubit in qubits)
    if len(numbers) != 2 or numbers[0] == numbers[1]:
        raise HaloValueError(f"each coupler of crosstalk must be two different qubits, not {value!r}")
    return numbers[0], numbers[1]


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise HaloValueError(f"{name} must be a finite number, not {value!r}")
    return float(value)


def _count(name: str, value: Any, *, least: int) -> int:
    # Numbers of numpy are taken, but kept as our own: the options must be JSON.
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise HaloValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return int(value)
