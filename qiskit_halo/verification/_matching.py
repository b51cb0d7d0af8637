"""Which clbit of a merged circuit holds which clbit of one program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import ClassicalRegister

from qiskit_halo.errors import HaloValueError
from qiskit_halo.ownership import owned_name


def match_clbits(original: QuantumCircuit, merged: QuantumCircuit, program: int) -> dict[int, int]:
    """Return clbit index in the program's own circuit -> clbit index in the merged circuit.

    Raises:
        HaloValueError: The merged circuit lacks a register of the program, or has it with another size.
    """
    entry = _metadata_entry(merged, program)
    registers = {register.name: register for register in merged.cregs}
    if entry is not None:
        homes = {item["name"]: [tuple(bit) for bit in item["bits"]] for item in entry["registers"]}
    else:
        homes = {}
    result: dict[int, int] = {}
    for register in original.cregs:
        name = owned_name(program, register.name)
        places = homes.get(register.name, [(name, index) for index in range(len(register))])
        if len(places) != len(register):
            raise HaloValueError(
                f"program {program} has {len(register)} bits in register {register.name!r} but the merged circuit lists "
                f"{len(places)}; give the circuit that was merged"
            )
        for bit, (home, index) in zip(register, places, strict=True):
            found = _bit(merged, registers, home, index, program)
            result.setdefault(original.find_bit(bit).index, found)
    loose = [index for index, bit in enumerate(original.clbits) if not original.find_bit(bit).registers]
    if loose:
        home = _loose_register(entry, program)
        for index, clbit in enumerate(loose):
            result[clbit] = _bit(merged, registers, home, index, program)
    return result


def _metadata_entry(merged: QuantumCircuit, program: int) -> Mapping[str, Any] | None:
    halo = (merged.metadata or {}).get("halo") or {}
    for entry in halo.get("programs", ()):
        if entry.get("index") == program:
            found: Mapping[str, Any] = entry
            return found
    return None


def _loose_register(entry: Mapping[str, Any] | None, program: int) -> str:
    """Return the base register that holds the loose clbits: the one that no register of the user lives in."""
    if entry is None:
        return owned_name(program, "loose")
    used = {home for item in entry["registers"] for home, _ in item["bits"]}
    rest = [name for name, _ in entry["merged_registers"] if name not in used]
    return rest[0] if rest else owned_name(program, "loose")


def _bit(
    merged: QuantumCircuit, registers: Mapping[str, ClassicalRegister], home: str, index: int, program: int
) -> int:
    register = registers.get(home)
    if register is None or index >= len(register):
        size = "missing" if register is None else f"{len(register)} bits wide"
        raise HaloValueError(
            f"program {program} needs bit {index} of register {home!r}, which is {size} in the merged circuit; "
            "give the circuit that was merged"
        )
    return int(merged.find_bit(register[index]).index)
