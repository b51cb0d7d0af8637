"""Many pure states at once: the branches of a dynamic circuit, as numpy arrays.

An ensemble holds B distinct branches and N histories. A branch is what the future depends on: a quantum state, the
clbits and variables still to be read. A history is what is already decided: the values of clbits that nothing reads
any more, the branch that went on from there, and a probability. Branches that become equal are joined, and their
histories then point to the same branch; this keeps a long circuit with many outcomes small.

The quantum state is a product over groups of wires. Groups merge when a gate acts across them and fall apart as soon
as a wire is no longer entangled, so a program of many wires with little entanglement at a time costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit.classical import expr

from qiskit_halo.errors import HaloValueError
from qiskit_halo.verification._histories import Histories
from qiskit_halo.verification._ledger import Ledger
from qiskit_halo.verification._merge import coarsest, equal_branches, factor_out

#: Branches of smaller probability than this are dropped; the lost sum is kept and checked at the end.
PRUNE = 1e-16
#: Groups of more amplitudes than this do not wait to trace out wires that have ended.
_PATIENCE = 1 << 18

ComplexArray = NDArray[np.complex128]
IntArray = NDArray[np.int64]


@dataclass(slots=True)
class Group:
    """Wires that may be entangled with each other.

    Args:
        wires: Labels of the wires, one per axis of ``amplitudes`` after the first.
        amplitudes: shape (num_branches, 2, 2, ...), normalised in each branch.
    """

    wires: list[int]
    amplitudes: ComplexArray


class Ensemble:
    """A weighted set of branches; mutable, lives inside one simulation.

    ``bits`` is uint8, shape (num_branches, num_clbits): the live clbits. A live variable has one value a branch.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.groups: list[Group] = []
        self.size = 1
        self.bits: NDArray[np.uint8] = np.zeros((1, len(ledger.places)), dtype=np.uint8)
        self.values: dict[expr.Var, NDArray[np.object_]] = {}
        self.histories = Histories(1 + int(ledger.places.max(initial=0)))

    # --- gates -------------------------------------------------------------------------------------------

    def apply(self, matrix: ComplexArray, wires: Sequence[int]) -> None:
        """Apply a unitary to ``wires``; wire 0 is the least significant of the matrix, as in Qiskit."""
        group = self._gather(wires)
        count = len(wires)
        # Most significant first, so that the merged axis counts as the matrix does.
        front = [group.wires.index(wire) for wire in reversed(wires)]
        rest = [axis for axis in range(len(group.wires)) if axis not in front]
        moved = group.amplitudes.transpose([0, *(1 + a for a in front), *(1 + a for a in rest)])
        flat = moved.reshape(self.size, 1 << count, -1)
        group.amplitudes = np.matmul(matrix, flat).reshape(moved.shape)
        group.wires = [group.wires[axis] for axis in (*front, *rest)]
        if len(group.wires) > 1 and count > 1:
            self._split(group, wires)

    def _gather(self, wires: Sequence[int]) -> Group:
        """Return one group that holds all ``wires``, made from the groups that hold them; new wires are |0>."""
        mine: list[Group] = []
        seen: set[int] = set()
        others: list[Group] = []
        for group in self.groups:
            if any(wire in wires for wire in group.wires):
                mine.append(group)
                seen.update(group.wires)
            else:
                others.append(group)
        for wire in wires:
            if wire not in seen:
                fresh = np.zeros((self.size, 2), dtype=np.complex128)
                fresh[:, 0] = 1
                mine.append(Group([wire], fresh))
        result = mine[0]
        for group in mine[1:]:
            self.check_room(self.size << (len(result.wires) + len(group.wires)))
            left = result.amplitudes.reshape(self.size, -1, 1)
            right = group.amplitudes.reshape(self.size, 1, -1)
            wires_now = [*result.wires, *group.wires]
            result = Group(wires_now, (left * right).reshape((self.size,) + (2,) * len(wires_now)))
        self.groups = [*others, result]
        return result

    def check_room(self, amplitudes: int) -> None:
        """Raise if that many amplitudes are more than allowed."""
        if amplitudes > self.ledger.max_amplitudes:
            raise HaloValueError(
                f"the exact simulation needs {amplitudes} amplitudes ({self.size} branches) where {self.ledger.max_amplitudes} "
                "are allowed; raise max_qubits, or compare a smaller program"
            )

    def _split(self, group: Group, wires: Sequence[int]) -> None:
        """Move each of ``wires`` that is not entangled in any branch to a group of its own."""
        for wire in wires:
            if len(group.wires) == 1:
                return
            parts = factor_out(group.amplitudes, 1 + group.wires.index(wire))
            if parts is not None:
                single, rest = parts
                self.groups.append(Group([wire], single))
                group.wires.remove(wire)
                group.amplitudes = rest

    # --- measurement -------------------------------------------------------------------------------------

    def measure(
        self, wires: Sequence[int], clbits: Sequence[int | None], *, live: Sequence[bool], drop: Sequence[bool]
    ) -> None:
        """Measure ``wires`` at once.

        Args:
            wires: Distinct wires.
            clbits: Where each outcome goes; ``None`` forgets it (a reset, or the end of the wire).
            live: Whether that clbit is still to be read.
            drop: Whether the wire ends here, or stays in the measured state.
        """
        group = self._gather(wires)
        front = [group.wires.index(wire) for wire in wires]
        rest = [axis for axis in range(len(group.wires)) if axis not in front]
        flat = group.amplitudes.transpose([0, *(1 + a for a in front), *(1 + a for a in rest)])
        flat = flat.reshape(self.size, 1 << len(wires), -1)
        probability = np.einsum("bor,bor->bo", flat.real, flat.real) + np.einsum("bor,bor->bo", flat.imag, flat.imag)
        branch, outcome = self._branch_out(probability)
        if not self.size:
            self.groups = []
            return
        left = [group.wires[axis] for axis in rest]
        self.groups.remove(group)
        widest = max([len(left), *(len(other.wires) for other in self.groups)])
        self.check_room(self.size << widest)
        for other in self.groups:
            other.amplitudes = other.amplitudes[branch]
        amplitudes = flat[branch, outcome] / np.sqrt(probability[branch, outcome])[:, None]
        if left:
            group = Group(left, amplitudes.reshape((self.size,) + (2,) * len(left)))
            self.groups.append(group)
            self._split(group, list(left))
        for place, (wire, clbit) in enumerate(zip(wires, clbits, strict=True)):
            value = (outcome >> (len(wires) - 1 - place) & 1).astype(np.uint8)
            if not drop[place]:
                self.groups.append(Group([wire], np.eye(2, dtype=np.complex128)[value]))
            if clbit is None:
                self.histories.forgot = True
            else:
                self.write_bit(clbit, value, live=live[place])
        self._sweep()

    def _branch_out(self, probability: NDArray[np.float64]) -> tuple[IntArray, IntArray]:
        """Replace every branch by one per outcome that can happen; return the old branch and outcome of each."""
        weight = self.histories.weight_of_branches(self.size)
        possible = weight[:, None] * probability > PRUNE
        branch, outcome = np.nonzero(possible)
        new_branch = np.full(probability.shape, -1, dtype=np.int64)
        new_branch[branch, outcome] = np.arange(len(branch))
        self.ledger.lost += self.histories.spread(possible, probability, new_branch, self.ledger.max_histories)
        self.bits = self.bits[branch]
        self.values = {var: value[branch] for var, value in self.values.items()}
        self.size = len(branch)
        return branch, outcome

    def release(self, wires: Sequence[int]) -> None:
        """End ``wires``: trace them out."""
        for group in self.groups:
            for axis, wire in enumerate(group.wires):
                if wire in wires:
                    self.ledger.ended += 1
                    group.wires[axis] = -self.ledger.ended
        self._sweep()

    def _sweep(self) -> None:
        """Trace out ended wires where that is free, or where they make a group too large.

        A group that has ended as a whole goes without a trace. An ended wire that is still entangled would double the
        branches, so it waits for the others: a later measurement may well free it.
        """
        going = [group for group in self.groups if max(group.wires) < 0]
        if going:
            self.histories.forgot = True
            self.groups = [group for group in self.groups if max(group.wires) >= 0]
        for group in self.groups:
            ended = [wire for wire in group.wires if wire < 0]
            if ended and group.amplitudes.size > _PATIENCE:
                count = len(ended)
                self.measure(ended, [None] * count, live=[False] * count, drop=[True] * count)
                return
        self.merge()

    # --- classical values --------------------------------------------------------------------------------

    def write_bit(self, clbit: int, value: NDArray[np.uint8], *, live: bool) -> None:
        """Store one value a branch in a clbit, as part of the branch (if live) or of its histories."""
        place = int(self.ledger.places[clbit])
        if place < 0:
            self.histories.forgot = True  # branches that differed in this bit may now be equal
            self.bits[:, clbit] = value if live else 0
        elif live:
            self.histories.write(place, None)
            self.bits[:, clbit] = value
        else:
            self.histories.write(place, value)
            self.bits[:, clbit] = 0

    def retire(self, clbits: Sequence[int], variables: Sequence[expr.Var]) -> None:
        """Note that nothing reads these clbits and variables any more."""
        for clbit in clbits:
            if self.bits[:, clbit].any():
                self.write_bit(clbit, self.bits[:, clbit].copy(), live=False)
        for var in variables:
            self.values.pop(var, None)
        self.merge()

    def merge(self) -> None:
        """Join branches that have become equal, and then histories that have."""
        if self.size > 1:
            found = equal_branches([group.amplitudes for group in self.groups], self.bits, self.values)
            if found is not None:
                chosen, classes = found
                for group in self.groups:
                    group.amplitudes = group.amplitudes[chosen]
                self.bits = self.bits[chosen]
                self.values = {var: value[chosen] for var, value in self.values.items()}
                self.histories.branch = classes[self.histories.branch]
                self.histories.forgot = True
                self.size = len(chosen)
        self.histories.merge()

    def finish(self) -> None:
        """Trace out everything that is left, so that the histories are all there is."""
        self.groups, self.values, self.size = [], {}, 1
        self.bits = np.zeros_like(self.bits[:1])
        self.histories.branch = np.zeros_like(self.histories.branch)
        self.histories.forgot = True
        self.merge()

    # --- parts -------------------------------------------------------------------------------------------

    def select(self, chosen: NDArray[np.bool_]) -> Ensemble:
        """Return the branches where ``chosen`` (bool, shape (num_branches,)) holds, with their histories."""
        part = Ensemble.__new__(Ensemble)
        part.groups = [Group(list(group.wires), group.amplitudes[chosen]) for group in self.groups]
        part.bits = self.bits[chosen]
        part.values = {var: value[chosen] for var, value in self.values.items()}
        part.size = int(chosen.sum())
        part.histories = self.histories.select(chosen)
        part.ledger = self.ledger
        return part

    def absorb(self, other: Ensemble) -> None:
        """Add the branches of ``other``; wires that only one of the two knows are |0> in the other."""
        blocks = [group.wires for group in (*self.groups, *other.groups)]
        for wires in coarsest(blocks):
            self._gather(wires)
            other._gather(wires)
        theirs = {frozenset(group.wires): group for group in other.groups}
        for group in self.groups:
            twin = theirs[frozenset(group.wires)]
            order = [0, *(1 + twin.wires.index(wire) for wire in group.wires)]
            group.amplitudes = np.concatenate([group.amplitudes, twin.amplitudes.transpose(order)])
        for var in dict.fromkeys((*self.values, *other.values)):
            unset = [np.full(part.size, None, dtype=object) for part in (self, other)]
            self.values[var] = np.concatenate([self.values.get(var, unset[0]), other.values.get(var, unset[1])])
        self.bits = np.concatenate([self.bits, other.bits])
        self.histories.append(other.histories, self.size)
        self.size += other.size
        self.check_room(sum(group.amplitudes.size for group in self.groups))
        for group in list(self.groups):
            if len(group.wires) > 1:
                self._split(group, list(group.wires))
        self.merge()
