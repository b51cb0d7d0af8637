"""Sampler PUBs -> programs: which circuits are different, and which parameter values and shots each program has."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from qiskit.circuit import Parameter, ParameterExpression, QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.primitives import SamplerPubLike
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.transpiler import Target

from qiskit_halo.errors import HaloValueError
from qiskit_halo.fragments.key import is_portable, structure_key
from qiskit_halo.primitives.isa import is_isa
from qiskit_halo.programs.program import marked_helpers
from qiskit_halo.programs.scan import measures

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

_SERIAL = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A circuit that is compiled once, whatever the values of its parameters.

    Args:
        key: Equal for circuits of equal structure, with equal registers and parameters.
        circuit: The circuit of the first pub that has it, without its metadata.
        parameters: Its parameters, in Qiskit's order.
        fixed: Whether it is an ISA circuit, which stays on its qubits.
        label: The first pub that has it, as error messages name it.
    """

    key: str
    circuit: QuantumCircuit
    parameters: tuple[Parameter, ...]
    fixed: bool
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """All programs of some pubs; a program is one point of a parameter sweep.

    Args:
        pubs: The pubs, with shots.
        labels: What messages call each pub.
        kinds: Different circuits, those that stay on their qubits last.
        pub: Pub of each program, shape (num_programs,), ascending.
        point: Position of each program in its pub's sweep, flattened in C order.
        kind: Kind of each program.
        value_row: Row of ``values[kind]`` with the program's parameter values.
        values: For each kind, shape (num_programs_of_kind, num_parameters).
    """

    pubs: tuple[SamplerPub, ...]
    labels: tuple[str, ...]
    kinds: tuple[Kind, ...]
    pub: IntArray
    point: IntArray
    kind: IntArray
    value_row: IntArray
    values: tuple[FloatArray, ...]

    @property
    def num_programs(self) -> int:
        """Number of programs; pubs that measure nothing have none."""
        return len(self.pub)

    @property
    def shots(self) -> tuple[int, ...]:
        """Shots of each program."""
        return tuple(int(self.pubs[index].shots) for index in self.pub)

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each program: its pub, its circuit, and its place in the sweep."""
        found = []
        for index, point in zip(self.pub.tolist(), self.point.tolist(), strict=True):
            pub = self.pubs[index]
            place = "" if pub.shape == () else str([int(i) for i in np.unravel_index(point, pub.shape)])
            found.append(f"{self.labels[index]} {pub.circuit.name}{place}")
        return tuple(found)


def coerce_pubs(pubs: Iterable[SamplerPubLike], shots: int) -> tuple[SamplerPub, ...]:
    """Return ``pubs`` with shots: a pub's own, else ``shots``.

    Raises:
        ValueError, TypeError: As Qiskit's samplers raise them, with the pub's index in front.
    """
    coerced = []
    for index, pub in enumerate(pubs):
        try:
            coerced.append(SamplerPub.coerce(pub, shots))
        except TypeError as error:
            raise TypeError(f"pub {index}: {_one_line(error)}") from error
        except (ValueError, QiskitError) as error:
            raise HaloValueError(f"pub {index}: {_one_line(error)}") from error
    return tuple(coerced)


def gather_workload(pubs: Sequence[SamplerPub], target: Target, labels: Sequence[str] | None = None) -> Workload:
    """Return the programs of ``pubs``.

    A pub that measures nothing is no program: its result is known. Parameters of delays are bound before compiling,
    because they decide when everything else happens.

    Args:
        pubs: Pubs with shots.
        target: The device, which decides what is an ISA circuit.
        labels: What messages call each pub, by default its index.
    """
    labels = [f"pub {index}" for index in range(len(pubs))] if labels is None else labels
    kinds: dict[str, int] = {}
    found: list[Kind] = []
    values: list[list[FloatArray]] = []
    columns: list[tuple[int, int, int, int]] = []
    known: dict[int, str] = {}

    def add(circuit: QuantumCircuit, index: int, rows: FloatArray, points: Iterable[int]) -> None:
        # One circuit object is often in many pubs.
        key = known.get(id(circuit)) or known.setdefault(id(circuit), _key(circuit, target))
        if key not in kinds:
            kinds[key] = len(found)
            found.append(_kind(key, circuit, labels[index], target))
            values.append([])
        kind = kinds[key]
        start = sum(map(len, values[kind])) if values[kind] else 0
        values[kind].append(rows)
        columns.extend((index, point, kind, start + row) for row, point in enumerate(points))

    bound: list[QuantumCircuit] = []  # keeps them alive, so that no id is used twice
    for index, pub in enumerate(pubs):
        circuit = pub.circuit
        if not circuit.cregs:
            warnings.warn(
                f"The circuit of pub {index} has no classical registers, so its result will be empty; "
                "did you mean to measure?",
                UserWarning,
                stacklevel=3,
            )
        if not circuit.cregs or not measures(circuit):
            continue
        size = pub.parameter_values.size
        rows = pub.parameter_values.as_array(circuit.parameters).reshape(size, circuit.num_parameters)
        if circuit.num_parameters and _has_open_delay(circuit):
            for point, place in enumerate(np.ndindex(pub.shape)):
                bound.append(pub.parameter_values.bind(circuit, place))
                add(bound[-1], index, np.zeros((1, 0)), [point])
        elif size:
            add(circuit, index, rows, range(size))
    table = np.array(columns, dtype=np.int64).reshape(-1, 4)
    # Those that stay on their qubits last: they are laid around the others.
    order = sorted(range(len(found)), key=lambda kind: found[kind].fixed)
    return Workload(
        pubs=tuple(pubs),
        labels=tuple(labels),
        kinds=tuple(found[kind] for kind in order),
        pub=table[:, 0],
        point=table[:, 1],
        kind=np.argsort(np.array(order, dtype=np.int64))[table[:, 2]],
        value_row=table[:, 3],
        values=tuple(np.concatenate(values[kind]) for kind in order),
    )


def _kind(key: str, circuit: QuantumCircuit, label: str, target: Target) -> Kind:
    plain = circuit.copy()
    plain.metadata = {}  # the user's own notes stay here
    return Kind(
        key=key,
        circuit=plain,
        parameters=tuple(circuit.parameters),
        fixed=is_isa(circuit, target),
        label=f"{label} ({circuit.name!r})",
    )


def _key(circuit: QuantumCircuit, target: Target) -> str:
    position = {bit: index for index, bit in enumerate(circuit.clbits)}
    registers = [(register.name, [position[bit] for bit in register]) for register in circuit.cregs]
    names = [parameter.name for parameter in circuit.parameters]
    own = (registers, names, marked_helpers(circuit), is_isa(circuit, target))
    structure = structure_key(circuit)
    # A circuit with objects that only their identity tells apart is like no other, and like none of a later call.
    serial = "" if is_portable(structure) else f" {next(_SERIAL)}"
    return f"{structure} {own}{serial}"


def _has_open_delay(circuit: QuantumCircuit) -> bool:
    for instruction in circuit.data:
        if instruction.name in ("delay", "box"):
            duration = getattr(instruction.operation, "duration", None)
            if isinstance(duration, ParameterExpression):
                return True
        if instruction.is_control_flow() and any(map(_has_open_delay, instruction.operation.blocks)):
            return True
    return False


def _one_line(error: Exception) -> str:
    text = error.message if isinstance(error, QiskitError) else str(error)
    return " ".join(text.split())
