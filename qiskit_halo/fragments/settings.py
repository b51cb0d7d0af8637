"""How fragments are compiled, as plain values."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.options import Reusing

NUM_VARIANTS = (1, 4, 12, 16)
"""Most routings tried of each body, by optimization level; those with mirrored gates come on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileSettings:
    """How fragments are compiled.

    Args:
        optimization_level: Level of Qiskit's preset pass manager, 0 to 3.
        seed: First seed of its random parts.
        num_variants: Most routings tried of each body that needs SWAPs at all, Qiskit's own first; ``None`` takes what suits
            the level. Routing is random and one run can be bad; the fifth that looks best is compiled to the end.
        reuse: Whether qubits of one body may share a wire: where it pays, never, or as much as possible.
        resets: Rounds of reset between two qubits of one wire.
        extra: Other keywords of :func:`~qiskit.transpiler.generate_preset_pass_manager`.
    """

    optimization_level: int = 2
    seed: int = 0
    num_variants: int | None = None
    reuse: Reusing = "auto"
    resets: int = 2
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.num_variants is not None and self.num_variants < 1:
            raise HaloTranspilerError(f"num_variants must be at least 1, not {self.num_variants}")

    @property
    def trials(self) -> int:
        """Most routings tried of each body that needs SWAPs."""
        return self.num_variants or NUM_VARIANTS[self.optimization_level]

    def to_json(self) -> str | None:
        """Return the settings as text, the same for equal ones; ``None`` if ``extra`` holds more than plain values."""
        if not _is_plain(self.extra):
            return None
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the settings that :meth:`to_json` wrote."""
        return cls(**json.loads(text))


def _is_plain(value: object) -> bool:
    """Return whether JSON gives ``value`` back as it was."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)
    return value is None or type(value) in (bool, int, float, str)
