"""Circuits and fragments as bytes: QPY for circuits, JSON for everything else."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from qiskit import qpy
from qiskit.circuit import Barrier, CircuitInstruction, Measure, ParameterExpression, QuantumCircuit, Reset

from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.fragments.key import structure_key

logger = logging.getLogger(__name__)


def circuits_to_bytes(circuits: Sequence[QuantumCircuit]) -> bytes:
    """Return circuits as QPY."""
    file = io.BytesIO()
    qpy.dump(list(circuits), file)
    return file.getvalue()


def circuits_from_bytes(data: bytes) -> list[QuantumCircuit]:
    """Return the circuits that :func:`circuits_to_bytes` wrote."""
    return list(qpy.load(io.BytesIO(data)))


def comes_back(circuit: QuantumCircuit) -> bool:
    """Return whether QPY gives ``circuit`` back as it was.

    It does not always: in Qiskit 2.6 a delay of 7 ns comes back as one of 7 dt.
    """
    if all(_is_safe(instruction) for instruction in circuit.data):
        return True
    try:
        (copy,) = circuits_from_bytes(circuits_to_bytes([circuit]))
        return structure_key(copy) == structure_key(circuit)
    except Exception as error:  # whatever Qiskit raises on an operation that QPY does not know
        logger.debug("QPY cannot write a circuit: %s", error)
        return False


def fragments_to_bytes(fragments: Sequence[Fragment]) -> bytes:
    """Return fragments as the length of their JSON, the JSON, and their circuits as QPY.

    Raises:
        ValueError: QPY would not give one of the circuits back as it is.
    """
    if not all(comes_back(fragment.circuit) for fragment in fragments):
        raise ValueError("QPY would not give a circuit back as it is")
    records = [_to_json(fragment) for fragment in fragments]
    header = json.dumps(records, separators=(",", ":")).encode()
    return len(header).to_bytes(8, "big") + header + circuits_to_bytes([fragment.circuit for fragment in fragments])


def fragments_from_bytes(data: bytes) -> tuple[Fragment, ...]:
    """Return the fragments that :func:`fragments_to_bytes` wrote.

    Raises:
        Exception: The bytes are not what it writes; of any type, since Qiskit reads part of them.
    """
    length = int.from_bytes(data[:8], "big")
    records = json.loads(data[8 : 8 + length])
    circuits = circuits_from_bytes(data[8 + length :])
    return tuple(
        _from_json(Fragment, {**record, "circuit": circuit}) for record, circuit in zip(records, circuits, strict=True)
    )


def schema() -> str:
    """Return the names and types of all that is written: another schema means that old bytes are of no use."""
    return _describe(Fragment)


def _is_safe(instruction: CircuitInstruction) -> bool:
    """Return whether ``instruction`` is of the kinds that every version of QPY keeps."""
    if instruction.is_standard_gate():
        return not any(isinstance(value, ParameterExpression) for value in instruction.params)
    if instruction.name == "delay":
        return bool(instruction.operation.unit == "dt" and isinstance(instruction.params[0], int))
    return getattr(instruction.operation, "base_class", None) in (Measure, Reset, Barrier)


def _to_json(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    # Circuits are written apart.
    return None if isinstance(value, QuantumCircuit) else value


def _from_json(kind: Any, value: Any) -> Any:
    """Return ``value`` as the type of a field; every sequence in our records is a tuple."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _from_json(hints[name], item) for name, item in value.items()})
    if isinstance(value, list):
        inner = get_args(kind) if get_origin(kind) is tuple else ()
        item_kind = inner[0] if len(inner) == 2 and inner[1] is Ellipsis else None
        return tuple(_from_json(item_kind, item) for item in value)
    return value


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _describe(kind: Any) -> str:
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        own = ", ".join(f"{field.name}: {_describe(hints[field.name])}" for field in dataclasses.fields(kind))
        return f"{kind.__name__}({own})"
    inner = [_describe(item) for item in get_args(kind) if dataclasses.is_dataclass(item)]
    return " ".join([str(kind), *inner])
