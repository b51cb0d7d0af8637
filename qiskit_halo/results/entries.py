"""Which bits of a merged result belong to which program, read from the metadata of the merged circuit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qiskit_halo.errors import HaloValueError

METADATA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegister:
    """One classical register of a user's own circuit.

    Args:
        name: The user's name for it.
        size: Number of bits.
        bits: Bit of the user's register -> (base register of the merged circuit, index in it).
    """

    name: str
    size: int
    bits: tuple[tuple[str, int], ...]

    @property
    def base(self) -> str | None:
        """The base register that holds exactly these bits in this order, as far as names tell, or ``None``."""
        if not self.bits:
            return None
        first = self.bits[0][0]
        whole = all(bit == (first, index) for index, bit in enumerate(self.bits))
        return first if whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramEntry:
    """What splitting needs to know of one program.

    Args:
        index: Position in the batch.
        name: The user's name for the program.
        shots: Shots that it asked for.
        registers: The user's registers, in the user's order.
        bases: Base register of the merged circuit -> size, in the order of the merged circuit.
        raw: The program's own entry, as written in the metadata.
    """

    index: int
    name: str
    shots: int
    registers: tuple[UserRegister, ...]
    bases: Mapping[str, int]
    raw: Mapping[str, Any]

    @property
    def label(self) -> str:
        """The program as error messages name it."""
        return f"Program {self.index} ({self.name!r})"


def read_entries(metadata: Mapping[str, Any]) -> tuple[ProgramEntry, ...]:
    """Return the programs of a merged circuit, in order.

    Args:
        metadata: What a merged circuit carries under ``metadata["halo"]``.

    Raises:
        HaloValueError: It does not describe a merged circuit, or another version wrote it.
    """
    version = metadata.get("version") if hasattr(metadata, "get") else None
    if version is None:
        raise HaloValueError(
            "the metadata does not describe a merged circuit; "
            'pass circuit.metadata["halo"] of a circuit made by MultiProgramCircuit'
        )
    if version != METADATA_VERSION:
        raise HaloValueError(
            f"metadata version {version!r} is not {METADATA_VERSION}; "
            "merge the programs again with this version of qiskit-halo"
        )
    try:
        return tuple(_read_entry(entry) for entry in metadata["programs"])
    except (KeyError, TypeError, ValueError) as error:
        raise HaloValueError(
            f"the metadata of the merged circuit is damaged ({type(error).__name__}: {error}); merge the programs again"
        ) from error


def _read_entry(entry: Mapping[str, Any]) -> ProgramEntry:
    return ProgramEntry(
        index=int(entry["index"]),
        name=str(entry["name"]),
        shots=int(entry["shots"]),
        registers=tuple(
            UserRegister(
                name=register["name"],
                size=int(register["size"]),
                bits=tuple((base, int(index)) for base, index in register["bits"]),
            )
            for register in entry["registers"]
        ),
        bases={name: int(size) for name, size in entry["merged_registers"]},
        raw=entry,
    )
