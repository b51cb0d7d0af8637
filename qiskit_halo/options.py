"""One frozen record of everything a user can choose, checked on construction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal, Self, get_args

from qiskit_halo.errors import HaloValueError

Sharing = Literal["none", "helpers", "all"]
Reusing = Literal["auto", "none", "max"]


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
        resets: Rounds of the ``reset`` operation at each hand-over between programs, at least 1.
        buffer: Least number of free couplings between programs that are active at the same time:
            0 lets them be neighbours, 1 keeps them one qubit apart.
        max_duration_s: Longest allowed makespan in seconds, or ``None`` for no limit.
        exclude_qubits: Physical qubits never used.
        assume_clean: Whether a qubit is trusted to be in |0> when the circuit starts. If not, its first
            use is reset like a hand-over.
        reuse: Whether qubits of one program may share a physical qubit, one after another with resets between:
            ``"auto"`` where that gives the better or the narrower program, ``"none"`` never, ``"max"`` as much as
            possible.
        cache: Whether compiled programs are kept, in this process and on disk, for the next time they are met.

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
    resets: int = 2
    buffer: int = 0
    max_duration_s: float | None = None
    exclude_qubits: tuple[int, ...] = ()
    assume_clean: bool = True
    reuse: Reusing = "auto"
    cache: bool = True

    def __post_init__(self) -> None:
        if self.sharing not in get_args(Sharing):
            raise HaloValueError(f"sharing must be one of {', '.join(get_args(Sharing))}, not {self.sharing!r}")
        object.__setattr__(self, "success_floor", _number("success_floor", self.success_floor))
        if not 0 <= self.success_floor <= 1:
            raise HaloValueError(f"success_floor must lie in [0, 1], not {self.success_floor}")
        object.__setattr__(self, "resets", _count("resets", self.resets, least=1))
        object.__setattr__(self, "buffer", _count("buffer", self.buffer, least=0))
        if self.max_duration_s is not None:
            object.__setattr__(self, "max_duration_s", _number("max_duration_s", self.max_duration_s))
            if self.max_duration_s <= 0:
                raise HaloValueError(f"max_duration_s must be positive seconds or None, not {self.max_duration_s}")
        if isinstance(self.exclude_qubits, (str, bytes)):
            raise HaloValueError("exclude_qubits must be a sequence of qubit numbers, not a string")
        try:
            excluded = tuple(self.exclude_qubits)
        except TypeError:
            raise HaloValueError(
                f"exclude_qubits must be a sequence of qubit numbers, not {self.exclude_qubits!r}"
            ) from None
        numbers = [_count("each of exclude_qubits", qubit, least=0) for qubit in excluded]
        object.__setattr__(self, "exclude_qubits", tuple(sorted(dict.fromkeys(numbers))))
        if not isinstance(self.assume_clean, bool):
            raise HaloValueError(f"assume_clean must be True or False, not {self.assume_clean!r}")
        if self.reuse not in get_args(Reusing):
            raise HaloValueError(f"reuse must be one of {', '.join(get_args(Reusing))}, not {self.reuse!r}")
        if not isinstance(self.cache, bool):
            raise HaloValueError(f"cache must be True or False, not {self.cache!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain JSON values."""
        return {**asdict(self), "exclude_qubits": list(self.exclude_qubits)}

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


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise HaloValueError(f"{name} must be a finite number, not {value!r}")
    return float(value)


def _count(name: str, value: Any, *, least: int) -> int:
    # Numbers of numpy are taken, but kept as our own: the options must be JSON.
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise HaloValueError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return int(value)
