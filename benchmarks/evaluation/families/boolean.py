"""Boolean expressions: trees of AND, OR, XOR and NOT over variables, drawn and evaluated."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Expression:
    """A node of a tree.

    Attributes:
        kind: ``"variable"``, ``"not"``, ``"and"``, ``"or"`` or ``"xor"``.
        children: One for ``not``, two for the others, none for a variable.
        variable: Index of the variable.
    """

    kind: str
    children: tuple[Expression, ...] = ()
    variable: int = -1

    def value(self, inputs: Sequence[int]) -> int:
        """Return the value for one assignment of 0 and 1 to the variables."""
        if self.kind == "variable":
            return inputs[self.variable]
        values = [child.value(inputs) for child in self.children]
        if self.kind == "not":
            return 1 - values[0]
        return {"and": min(values), "or": max(values), "xor": sum(values) % 2}[self.kind]

    def __str__(self) -> str:
        if self.kind == "variable":
            return f"x{self.variable}"
        if self.kind == "not":
            return f"~{self.children[0]}"
        sign = {"and": "&", "or": "|", "xor": "^"}[self.kind]
        return f"({self.children[0]} {sign} {self.children[1]})"


def draw_expression(num_variables: int, depth: int, rng: random.Random) -> Expression:
    """Return a random tree of exactly ``depth`` operators on its longest path; an operator's two sides differ."""
    if depth == 0:
        return Expression("variable", variable=rng.randrange(num_variables))
    kind = rng.choice(("and", "or", "xor", "and", "or", "not"))
    first = draw_expression(num_variables, depth - 1, rng)
    if kind == "not":
        return Expression("not", (first,))
    second = first
    while second == first:
        second = draw_expression(num_variables, rng.randrange(depth), rng)
    return Expression(kind, (first, second))
