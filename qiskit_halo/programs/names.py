"""Names and identities inside a merged circuit: legible, unique, the same in every build."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Sequence

from qiskit_halo.ownership import owned_name

# Root of every identity we make. Changing it changes the QPY bytes of all merged circuits.
_NAMESPACE = uuid.UUID("6f0c8d0e-5a51-5a39-9d0c-0b3c6c1c7a11")


def to_identifier(name: str) -> str:
    """Return ``name`` such that ``p<k>_`` in front makes it an identifier, changed as little as possible.

    Runtime samplers refuse registers whose names are not identifiers, and Python normalises what is
    written after a dot, so a name that is not in normal form could not be typed.

    Examples:
        >>> to_identifier("syndrome 1"), to_identifier("1st"), to_identifier("é")
        ('syndrome_1', '1st', 'é')
    """
    normal = unicodedata.normalize("NFKC", name)
    if f"p_{normal}".isidentifier():
        return normal
    return re.sub(r"\W", "_", normal, flags=re.ASCII)


def stable_uuid(program_index: int, kind: str, name: str) -> uuid.UUID:
    """Return the identity of a parameter, variable or stretch: equal in every build of the same programs.

    Qiskit draws a random identity for each, so that two identical builds would differ in QPY.
    """
    return uuid.uuid5(_NAMESPACE, f"{program_index}:{kind}:{name}")


def unique_names(wanted: Sequence[str], taken: set[str]) -> list[str]:
    """Return one name for each wanted one, none equal and none in ``taken``; add them to ``taken``.

    The first to want a name gets it. The others get a number, which never takes a name that somebody
    else wants as it is.

    Examples:
        >>> unique_names(["bell", "bell", "bell_1"], set())
        ['bell', 'bell_2', 'bell_1']
    """
    reserved = taken | set(wanted)
    numbers: dict[str, int] = {}  # kept between clashes: 500 equal names must not take 500² steps
    names = []
    for name in wanted:
        chosen = name
        if name in taken:
            number = numbers.get(name, 0)
            while chosen in reserved:
                number += 1
                chosen = f"{name}_{number}"
            numbers[name] = number
            reserved.add(chosen)
        taken.add(chosen)
        names.append(chosen)
    return names


class Namespace:
    """Merged names of one program; grows while the program is merged.

    Registers, variables and stretches share one namespace, because OpenQASM 3 gives them one.
    """

    def __init__(self, program_index: int) -> None:
        self.program_index = program_index
        self._taken: set[str] = set()

    def claim(self, wanted: Sequence[str]) -> list[str]:
        """Return a merged name for each wanted name; a name that is already an identifier keeps its spelling.

        Names that need no change are served before the others, so that a register ``a_b`` is always
        ``p<k>_a_b``, also beside a register ``a b``.
        """
        spelled = [to_identifier(name) for name in wanted]
        order = sorted(range(len(wanted)), key=lambda i: spelled[i] != wanted[i])
        served = unique_names([spelled[i] for i in order], self._taken)
        names = dict(zip(order, served, strict=True))
        return [owned_name(self.program_index, names[i]) for i in range(len(wanted))]

    def claim_one(self, wanted: str) -> str:
        """Return a merged name for one wanted name."""
        return self.claim([wanted])[0]
