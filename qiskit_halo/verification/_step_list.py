"""The steps of a whole circuit, in columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

from qiskit.circuit import Barrier, Delay, Measure, QuantumCircuit, Reset
from qiskit.circuit.classical import expr

from qiskit_halo.verification._steps import ClbitMap, Step, steps_of

_PLAIN: tuple[tuple[str, type], ...] = (
    ("measure", Measure),
    ("reset", Reset),
    ("barrier", Barrier),
    ("delay", Delay),
)
#: Classes whose operations have no classical side but a measurement's bit.


class Ties(NamedTuple):
    """The classical side of a step; see :class:`~qiskit_halo.verification._steps.Step`."""

    reads: tuple[int, ...]
    writes: tuple[int, ...]
    variables: tuple[expr.Var, ...]


class StepList(Sequence[Step]):
    """Steps in columns; a record of one is made when it is asked for.

    A merged circuit has tens of thousands of steps, most of them gates of which only the wires matter. Records of all of them
    would be most of what Python's garbage collector finds alive, and make it look through everything else too.

    Args:
        circuit: The circuit, which must not be changed any more.
        clbits: Clbit of the circuit -> its index.
    """

    def __init__(self, circuit: QuantumCircuit, clbits: ClbitMap) -> None:
        self.kinds: list[str] = []
        """What each step is."""
        self.qubits: list[tuple[int, ...]] = []
        """Wires of each step."""
        self.ties: dict[int, Ties] = {}
        """Steps with a classical side."""
        self._clbits = clbits
        self._data = circuit.data
        self._positions: list[int] = []
        # Few lists of wires differ.
        self._distinct: dict[tuple[int, ...], tuple[int, ...]] = {}
        # Of steps that are not as they stand in the circuit: inside composite instructions, or with blocks.
        self._records: dict[int, Step] = {}

    def __len__(self) -> int:
        return len(self.kinds)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        if isinstance(index, slice):
            return [self._step(own) for own in range(*index.indices(len(self)))]
        return self._step(range(len(self))[index])

    def __iter__(self) -> Iterator[Step]:
        return map(self._step, range(len(self)))

    def add(self, position: int, kind: str, qubits: tuple[int, ...]) -> None:
        """Add an operation that stands in the circuit itself."""
        self._positions.append(position)
        self.kinds.append(kind)
        self.qubits.append(qubits if len(qubits) == 1 else self._distinct.setdefault(qubits, qubits))

    def add_record(self, step: Step) -> None:
        """Add any step."""
        index = len(self)
        self.add(step.position, step.kind, step.qubits)
        self._records[index] = step
        if step.reads or step.writes or step.variables:
            self.ties[index] = Ties(step.reads, step.writes, step.variables)

    def _step(self, index: int) -> Step:
        known = self._records.get(index)
        if known is not None:
            return known
        source = self._data[self._positions[index]]
        ties = self.ties.get(index)
        return Step(
            position=self._positions[index],
            kind=self.kinds[index],
            name=source.name,
            qubits=self.qubits[index],
            source=source,
            clbits=self._clbits,
            writes=() if ties is None else ties.writes,
        )


def read_steps(circuit: QuantumCircuit) -> StepList:
    """Return every operation of ``circuit`` in order, composite instructions opened."""
    qubits = {bit: index for index, bit in enumerate(circuit.qubits)}
    clbits = {bit: index for index, bit in enumerate(circuit.clbits)}
    steps = StepList(circuit, clbits)
    alone = {bit: (index,) for bit, index in qubits.items()}
    kind_of: dict[type, str | None] = {}
    for position, instruction in enumerate(circuit.data):
        kind: str | None = "gate"
        if not instruction.is_standard_gate():
            own = type(instruction.operation)
            if own not in kind_of:
                kind_of[own] = next((plain for plain, types in _PLAIN if issubclass(own, types)), None)
            kind = kind_of[own]
        if kind is None:
            for step in steps_of(instruction, qubits, clbits, position):
                steps.add_record(step)
            continue
        if kind == "measure":
            steps.ties[len(steps)] = Ties((), (clbits[instruction.clbits[0]],), ())
        held = instruction.qubits
        steps.add(position, kind, alone[held[0]] if len(held) == 1 else tuple([qubits[bit] for bit in held]))
    return steps
