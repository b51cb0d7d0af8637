"""The one public promise other tools read: classical names that begin with ``p<k>_`` are program k's."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_OWNED = re.compile(r"p(0|[1-9][0-9]*)_")


def owned_name(program_index: int, name: str) -> str:
    """Return the name that program ``program_index`` uses for ``name`` in a merged circuit."""
    return f"p{program_index}_{name}"


def owner_of_name(name: str) -> int | None:
    """Return the index of the program that owns ``name``, or ``None`` if the name says nothing.

    Examples:
        >>> owner_of_name("p3_c"), owner_of_name("pressure")
        (3, None)
    """
    match = _OWNED.match(name)
    return int(match.group(1)) if match else None


def program_label(owners: Sequence[int], metadata: Mapping[str, Any] | None) -> str:
    """Return what to call the programs ``owners`` in a message: index and name, as far as they are known.

    Args:
        owners: Program indices, ascending; empty for operations that no program can be told to own.
        metadata: ``metadata["halo"]`` of the circuit, if it has one.

    Examples:
        >>> program_label([1], {"programs": [{"name": "ann"}, {"name": "bo"}]})
        "Program 1 ('bo')"
    """
    if not owners:
        return "An unmeasured part of the circuit"
    names = [program["name"] for program in (metadata or {}).get("programs", ())]
    words = [f"{owner} ({names[owner]!r})" if 0 <= owner < len(names) else str(owner) for owner in owners if owner >= 0]
    if len(words) < len(owners):
        words.append("without a number")
    return f"{'Program' if len(words) == 1 else 'Programs'} {' and '.join(words)}"
