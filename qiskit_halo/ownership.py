"""The one public promise other tools read: classical names that begin with ``p<k>_`` are program k's."""

from __future__ import annotations

import re

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
