"""OpenQASM 2 and 3 files to circuits whose helper qubits are marked."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from qiskit import QuantumCircuit, qasm2, qasm3
from qiskit.circuit import AncillaQubit, AncillaRegister, ClassicalRegister, QuantumRegister

from qiskit_halo.errors import HaloValueError

# Registers whose names say that they hold helpers.
HELPER_PATTERNS = ("anc*", "helper*")

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_HEADER = re.compile(r"\s*OPENQASM\s+(\d+)(?:\.\d+)?\s*;")
# "4,0: what" from the importer of OpenQASM 3, "L4:C0: what" from its lexer, "name.qasm:4,0: what" from OpenQASM 2.
_PLACED = re.compile(r"^(?:[^:]*:|L)?(\d+)(?:,|:C)\d+:\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFile:
    """One program as read from a file.

    Args:
        path: The file.
        name: Name of the program: that of the file without ending, made unique.
        circuit: The circuit; its helper qubits are in an ``AncillaRegister``.
    """

    path: Path
    name: str
    circuit: QuantumCircuit


def load_programs(paths: Sequence[Path], *, helpers: Sequence[str] = ()) -> tuple[ProgramFile, ...]:
    """Read programs; quantum registers named ``anc*``, ``helper*`` or as in ``helpers`` hold helpers.

    Args:
        paths: OpenQASM 2 or 3 files, told apart by their first line. A file may be listed many times.
        helpers: More names of helper registers; ``*`` and ``?`` stand for any characters and any one character.

    Raises:
        HaloValueError: A file cannot be read or parsed, or has inputs, or no program has a register of a
            name in ``helpers``.
    """
    circuits = [load_circuit(path) for path in paths]
    for pattern in helpers:
        known = list(dict.fromkeys(register.name for circuit in circuits for register in circuit.qregs))
        if not any(fnmatchcase(name, pattern) for name in known):
            raise HaloValueError(
                f"no program has a quantum register named {pattern!r} to take helpers from; "
                f"the registers are {', '.join(known)}"
            )
    patterns = (*HELPER_PATTERNS, *helpers)
    names = _unique_names([path.stem for path in paths])
    return tuple(
        ProgramFile(path=path, name=name, circuit=mark_helpers(circuit, patterns))
        for path, name, circuit in zip(paths, names, circuits, strict=True)
    )


def load_circuit(path: Path) -> QuantumCircuit:
    """Read one OpenQASM 2 or 3 file.

    Single ``bit`` variables of OpenQASM 3 belong to no register, and samplers return registers only: they are
    gathered, in order, in a register named ``bits``.

    Raises:
        HaloValueError: The file cannot be read, parsed or run; the message gives file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except IsADirectoryError as error:
        raise HaloValueError(f"{path}: is a folder; name the files in it, as in {path / '*.qasm'}") from error
    except OSError as error:
        raise HaloValueError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise HaloValueError(f"{path}: is not a text file in UTF-8") from error
    header = _HEADER.match(_COMMENT.sub(" ", text))
    if header is None or header.group(1) not in ("2", "3"):
        raise HaloValueError(
            f"{path}: line 1: is not OpenQASM 2 or 3; begin it with 'OPENQASM 2.0;' or 'OPENQASM 3.0;'"
        )
    circuit = _parse_2(path) if header.group(1) == "2" else _parse_3(path, text)
    if circuit.parameters:
        names = ", ".join(repr(parameter.name) for parameter in circuit.parameters)
        raise HaloValueError(
            f"{path}: input {names} has no value; write the value into the file, the command line takes none"
        )
    loose = [bit for bit in circuit.clbits if not circuit.find_bit(bit).registers]
    if loose:
        taken = {register.name for register in (*circuit.cregs, *circuit.qregs)}
        circuit.add_register(ClassicalRegister(name=_unused("bits", taken), bits=loose))
    return circuit


def _parse_2(path: Path) -> QuantumCircuit:
    try:
        return qasm2.load(
            path,
            include_path=(path.parent, "."),
            custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS,
            custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
        )
    except qasm2.QASM2Error as error:
        raise _parse_error(path, error, error.message) from error


def _parse_3(path: Path, text: str) -> QuantumCircuit:
    try:
        return qasm3.loads(text)
    # The importer and the parser below it have no error class in common, and an index that is too high
    # comes through as a bare IndexError.
    except Exception as error:
        raise _parse_error(path, error, str(getattr(error, "message", error))) from error


def _parse_error(path: Path, error: Exception, message: str) -> HaloValueError:
    placed = _PLACED.match(message)
    if placed is not None:
        return HaloValueError(f"{path}: line {placed.group(1)}: {_one_line(placed.group(2))}")
    line, what = _syntax_error(error) or (_failing_line(error), _one_line(message))
    return HaloValueError(f"{path}: {f'line {line}' if line else 'does not parse'}: {what or 'syntax error'}")


def _syntax_error(error: Exception) -> tuple[int, str] | None:
    """Return line and offending text of a syntax error of OpenQASM 3, whose own message is empty."""
    for cause in getattr(error.__cause__, "args", ()):
        token = getattr(cause, "offendingToken", None)
        if token is not None:
            return token.line, f"syntax error at {token.text!r}"
    return None


def _failing_line(error: Exception) -> int | None:
    """Return the line of the statement that the importer of OpenQASM 3 was at when it failed, if it shows."""
    line = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        span = getattr(frame.f_locals.get("node"), "span", None)
        line = getattr(span, "start_line", line)
    return line


def _one_line(text: str) -> str:
    return " ".join(text.split())


def mark_helpers(circuit: QuantumCircuit, patterns: Sequence[str]) -> QuantumCircuit:
    """Return ``circuit`` with each quantum register whose name fits a pattern turned into an ``AncillaRegister``.

    Bits keep their positions, operations their order.
    """
    names = {r.name for r in circuit.qregs if any(fnmatchcase(r.name, pattern) for pattern in patterns)}
    if not names:
        return circuit
    helper_bits = {bit for register in circuit.qregs if register.name in names for bit in register}
    new_bits = {bit: AncillaQubit() if bit in helper_bits else bit for bit in circuit.qubits}
    marked = QuantumCircuit(list(new_bits.values()), circuit.clbits, name=circuit.name, metadata=circuit.metadata)
    for register in circuit.qregs:
        if helper_bits.isdisjoint(register):
            marked.add_register(register)
            continue
        kind = AncillaRegister if register.name in names else QuantumRegister
        marked.add_register(kind(name=register.name, bits=[new_bits[bit] for bit in register]))
    for register in circuit.cregs:
        marked.add_register(register)
    marked.compose(circuit, qubits=marked.qubits, clbits=circuit.clbits, inplace=True)
    return marked


def _unique_names(names: Sequence[str]) -> list[str]:
    """Return ``names`` with ``_2``, ``_3``, ... behind those seen before."""
    unique: dict[str, None] = {}
    for name in names:
        unique[_unused(name, unique.keys() | set(names) if name in unique else unique)] = None
    return list(unique)


def _unused(name: str, taken: Iterable[str]) -> str:
    used = frozenset(taken)
    number = 2
    candidate = name
    while candidate in used:
        candidate = f"{name}_{number}"
        number += 1
    return candidate
