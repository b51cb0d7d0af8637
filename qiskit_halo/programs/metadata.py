"""The JSON in ``circuit.metadata["halo"]``: what it holds, how it is written, how it is read.

Version 1::

    {"version": 1,
     "options": {...},                what HaloOptions.to_dict() gives; only if options were given
     "shots": 4000,                   the largest of the programs
     "folded": false,                 true if wires were really reused
     "programs": [ProgramEntry, ...],
     "fold": {"boundaries": 3,        only in a circuit that fold() narrowed: the resets it added, and
              "wires": [[[w, turn], ...], ...]},   per program and virtual qubit the wire and how many
                                      boundaries it passed before; null for a qubit without operations
     "placement": {...}, "report": {...}}   written by the compiler
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, cast

from qiskit.circuit import QuantumCircuit

from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import HaloOptions
from qiskit_halo.programs.program import Program

METADATA_KEY = "halo"
METADATA_VERSION = 1


class RegisterEntry(TypedDict):
    """One classical register of the user.

    ``bits[i]`` says where the user's bit ``i`` is: ``[base register of the merged circuit, index in it]``.
    """

    name: str
    size: int
    bits: list[list[Any]]


class ProgramEntry(TypedDict):
    """One program: everything that splitting needs to give its user a result of the user's own shape.

    ``helpers`` are qubit indices in the user's circuit. ``merged_registers`` are the base registers of the program
    with their sizes, in the order of the merged circuit. ``aliases`` share bits with base registers; only
    conditions read them.
    """

    index: int
    name: str
    circuit_name: str
    shots: int
    metadata: dict[str, Any]
    num_qubits: int
    helpers: list[int]
    registers: list[RegisterEntry]
    merged_registers: list[list[Any]]
    aliases: list[str]


class FoldEntry(TypedDict):
    """Which wire each qubit of each program is on in a narrowed circuit."""

    boundaries: int
    wires: list[list[list[int] | None]]


class HaloMetadata(TypedDict):
    """What a merged circuit says about itself."""

    version: int
    options: NotRequired[dict[str, Any]]
    shots: int
    folded: bool
    programs: list[ProgramEntry]
    fold: NotRequired[FoldEntry]
    placement: NotRequired[dict[str, Any]]
    report: NotRequired[dict[str, Any]]


def write_metadata(entries: Sequence[ProgramEntry], *, options: HaloOptions | None = None) -> dict[str, HaloMetadata]:
    """Return the metadata of a merged circuit, to be assigned to ``circuit.metadata``."""
    halo = HaloMetadata(
        version=METADATA_VERSION,
        shots=max(entry["shots"] for entry in entries),
        folded=False,
        programs=list(entries),
    )
    if options is not None:
        halo["options"] = options.to_dict()
    return {METADATA_KEY: halo}


def copy_user_metadata(program: Program) -> dict[str, Any]:
    """Return a deep copy of the metadata that the user gave the circuit.

    Raises:
        HaloValueError: It is not JSON, so that the merged circuit could not be stored or sent.
    """
    metadata = program.circuit.metadata or {}
    try:
        json.dumps(metadata)
        return copy.deepcopy(dict(metadata))
    except (TypeError, ValueError, RecursionError) as error:
        raise HaloValueError(
            f"{program} has metadata that is not JSON ({' '.join(str(error).split())}); "
            "keep only strings, numbers, booleans, None, lists and dictionaries in circuit.metadata"
        ) from error


def read_metadata(source: QuantumCircuit | Mapping[str, Any] | None) -> HaloMetadata | None:
    """Return what a merged circuit says about itself, or ``None`` if it is no merged circuit.

    Args:
        source: The circuit, or its metadata.

    Raises:
        HaloValueError: It was written by an unknown version, or it is damaged.
    """
    metadata = source.metadata if isinstance(source, QuantumCircuit) else source
    halo = (metadata or {}).get(METADATA_KEY)
    if halo is None:
        return None
    if not isinstance(halo, Mapping) or not isinstance(halo.get("programs"), Sequence):
        raise HaloValueError('metadata["halo"] is damaged: it lists no programs; merge the programs again')
    if halo.get("version") != METADATA_VERSION:
        raise HaloValueError(
            f"metadata version {halo.get('version')!r} is not {METADATA_VERSION}; "
            "merge the programs again with this version of qiskit-halo"
        )
    return cast("HaloMetadata", halo)


def read_options(source: QuantumCircuit | Mapping[str, Any] | None) -> HaloOptions | None:
    """Return the options that travel with a merged circuit, or ``None`` if there are none.

    Raises:
        HaloValueError: As :func:`read_metadata`, or an option is unknown or wrong.
    """
    halo = read_metadata(source)
    if halo is None or "options" not in halo:
        return None
    return HaloOptions.from_dict(halo["options"])
