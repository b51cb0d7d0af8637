"""What a user hands over -> checked programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import TypeAlias

from qiskit.circuit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.primitives.containers import SamplerPubLike
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qiskit_halo.errors import HaloValueError
from qiskit_halo.programs.names import unique_names
from qiskit_halo.programs.program import Program, describe
from qiskit_halo.programs.scan import measures

ProgramLike: TypeAlias = QuantumCircuit | SamplerPubLike


def load_programs(
    programs: Iterable[ProgramLike],
    *,
    shots: int | Sequence[int] = 1024,
    names: Sequence[str] | None = None,
) -> tuple[Program, ...]:
    """Return one checked program for each circuit or sampler PUB.

    Args:
        programs: Circuits, or PUBs ``(circuit, parameter_values[, shots])`` with one set of values each.
        shots: Shots of every program, or one number a program. The shots in a PUB win.
        names: One distinct name a program; by default the names of the circuits, numbered where equal.

    Raises:
        HaloValueError: No programs; something that is not a circuit or PUB; a parameter sweep or a wrong
            number of values; shots or names that do not fit; a circuit that measures nothing, or that
            needs values from outside (input or captured variables).
    """
    if isinstance(programs, QuantumCircuit):
        raise HaloValueError("programs must be a list of circuits, not one circuit; write [circuit]")
    given = list(programs)
    if not given:
        raise HaloValueError("there are no programs; give at least one circuit")
    labels = _given_names(names, len(given))
    copies: dict[int, QuantumCircuit] = {}
    circuits, own_shots = [], []
    for index, item in enumerate(given):
        circuit, pub_shots = _open(item, describe(index, labels[index]), copies)
        circuits.append(circuit)
        own_shots.append(pub_shots)
    if names is None:
        labels = list(unique_names([circuit.name or "program" for circuit in circuits], set()))
    common_shots = _given_shots(shots, labels)
    loaded = tuple(
        Program(
            index=index,
            name=str(labels[index]),
            circuit=circuit,
            shots=common_shots[index] if pub_shots is None else pub_shots,
        )
        for index, (circuit, pub_shots) in enumerate(zip(circuits, own_shots, strict=True))
    )
    checked: set[int] = set()
    for program in loaded:
        if id(program.circuit) not in checked:
            _check_circuit(program)
            checked.add(id(program.circuit))
    return loaded


def _given_names(names: Sequence[str] | None, count: int) -> list[str | None]:
    if names is None:
        return [None] * count
    if isinstance(names, str):
        raise HaloValueError(f"names must be a list with one name a program, not the string {names!r}")
    given = list(names)
    if len(given) != count:
        raise HaloValueError(f"there are {len(given)} names for {count} programs; give one name a program")
    first: dict[str, int] = {}
    for index, name in enumerate(given):
        if not isinstance(name, str):
            raise HaloValueError(f"the name of program {index} must be a string, not {name!r}")
        if name in first:
            raise HaloValueError(
                f"programs {first[name]} and {index} are both named {name!r}; give every program its own name"
            )
        first[name] = index
    return list(given)


def _given_shots(shots: int | Sequence[int], names: Sequence[str | None]) -> list[int]:
    if isinstance(shots, Integral) or not isinstance(shots, Iterable) or isinstance(shots, (str, bytes)):
        number = _check_shots(shots, "shots")
        return [number] * len(names)
    given = list(shots)
    if len(given) != len(names):
        raise HaloValueError(
            f"there are {len(given)} numbers of shots for {len(names)} programs; "
            "give one number for all, or one a program"
        )
    return [_check_shots(number, f"{describe(index, names[index])}: shots") for index, number in enumerate(given)]


def _check_shots(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise HaloValueError(f"{what} must be a whole number of at least 1, not {value!r}")
    return int(value)


def _open(item: ProgramLike, label: str, copies: dict[int, QuantumCircuit]) -> tuple[QuantumCircuit, int | None]:
    """Return a private circuit and the PUB's own shots; equal objects share one copy."""
    if isinstance(item, QuantumCircuit):
        return _copied(item, label, copies), None
    if not isinstance(item, (SamplerPub, tuple, list)):
        raise HaloValueError(
            f"{label} must be a QuantumCircuit or a sampler PUB (circuit, parameter_values[, shots]), "
            f"not {type(item).__name__}"
        )
    if not isinstance(item, SamplerPub):
        if not 1 <= len(item) <= 3 or not isinstance(item[0], QuantumCircuit):
            raise HaloValueError(
                f"{label} must be a QuantumCircuit or a sampler PUB (circuit, parameter_values[, shots]), "
                f"not {_shape_of(item)}"
            )
        if len(item) == 3 and item[2] is not None:
            _check_shots(item[2], f"{label}: shots")
    try:
        pub = SamplerPub.coerce(item if isinstance(item, SamplerPub) else tuple(item))
    except (TypeError, ValueError, QiskitError) as error:
        # Qiskit goes on to advise on sampler.run(), which nobody called here.
        reason = _one_line(error).split(" Note that", maxsplit=1)[0]
        raise HaloValueError(f"{label}: {reason}") from error
    if pub.shape != ():
        raise HaloValueError(
            f"{label} is a PUB with a parameter sweep of shape {pub.shape}; "
            "give one set of values, and one PUB for each further set"
        )
    own_shots = None if pub.shots is None else int(pub.shots)
    if not pub.circuit.num_parameters:
        return _copied(pub.circuit, label, copies), own_shots
    return pub.parameter_values.bind(pub.circuit, ()), own_shots


def _copied(circuit: QuantumCircuit, label: str, copies: dict[int, QuantumCircuit]) -> QuantumCircuit:
    if id(circuit) not in copies:
        try:
            copies[id(circuit)] = circuit.copy()
        except QiskitError as error:  # e.g. a library circuit whose properties are not all set
            raise HaloValueError(f"{label} cannot be read: {_one_line(error)}") from error
    return copies[id(circuit)]


def _shape_of(item: Sequence[object]) -> str:
    return f"{type(item).__name__} ({', '.join(type(part).__name__ for part in item)})"


def _one_line(error: Exception) -> str:
    text = error.message if isinstance(error, QiskitError) else str(error)
    return " ".join(text.split())


def _check_circuit(program: Program) -> None:
    circuit = program.circuit
    if circuit.num_input_vars:
        names = sorted(var.name for var in circuit.iter_input_vars())
        raise HaloValueError(
            f"{program} has input variables {', '.join(names)}, which no sampler can give values; "
            "declare them in the circuit with add_var instead"
        )
    captures = sorted(item.name for item in circuit.iter_captures())
    if captures:
        raise HaloValueError(
            f"{program} captures {', '.join(captures)} from an outer circuit, so it is a block, "
            "not a whole program; declare them in the circuit with add_var or add_stretch instead"
        )
    if not measures(circuit):
        raise HaloValueError(f"{program} has no measurement, so it has no result; add one")
