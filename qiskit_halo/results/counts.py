"""Counts of a merged circuit in, one dictionary per program out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from qiskit_halo.errors import HaloValueError
from qiskit_halo.results.entries import ProgramEntry, read_entries

_ZERO, _SPACE, _NEWLINE = ord("0"), ord(" "), ord("\n")
_TABLE_BITS = 16
"""Programs of up to so many bits are counted in a table of all their outcomes, which needs no sorting."""
_EXACT_FLOAT = 2**53
"""Below this, the floats in which numpy adds up weights hold whole numbers exactly."""


def split_counts(counts: Mapping[str, int] | Mapping[int, int], metadata: Mapping[str, Any]) -> list[dict[str, int]]:
    """Return one dictionary of counts per program, in the order of the batch.

    Counts have no shot order to cut, so each dictionary holds **all** shots of the batch, not only those that the
    program asked for.

    Keys of ``counts`` may be bit strings as Qiskit prints them, last register first, with spaces between registers
    or none, hexadecimal (``"0x1f"``) or whole numbers. Spaces carry no information: bits are taken by the position
    of the classical bit, the right-most character being bit 0. That also reads the keys that samplers print for
    circuits with alias registers, whose spaces are in the wrong places.

    Keys of the results are those of ``Result.get_counts()`` for the user's own circuit run alone: registers in the
    user's order, last one first, spaces between. Where a user's registers share bits, Qiskit prints every bit once
    and cuts the string by the sizes of the registers, and so does this. Bits in no register are left out, as
    samplers leave them out (Qiskit alone cuts its keys short in their presence); if a program has only such bits,
    they are printed without spaces. Each dictionary is in ascending order of the bit strings.

    Args:
        counts: Key -> number of shots, for the whole merged circuit.
        metadata: ``circuit.metadata["halo"]`` of the merged circuit.

    Raises:
        HaloValueError: A key has another width than the merged circuit, or is not one; a count is not a whole
            number of at least 0; or the metadata is not of a merged circuit.

    Examples:
        >>> entry = {"index": 0, "name": "ann", "shots": 3, "registers": [
        ...     {"name": "c", "size": 2, "bits": [["p0_c", 0], ["p0_c", 1]]}], "merged_registers": [["p0_c", 2]]}
        >>> other = {"index": 1, "name": "bo", "shots": 3, "registers": [
        ...     {"name": "c", "size": 1, "bits": [["p1_c", 0]]}], "merged_registers": [["p1_c", 1]]}
        >>> split_counts({"1 00": 2, "0 00": 1}, {"version": 1, "programs": [entry, other]})
        [{'00': 3}, {'0': 1, '1': 2}]
    """
    entries = read_entries(metadata)
    width = sum(size for entry in entries for size in entry.bases.values())
    bits = _parse_keys(list(counts), width)
    weights = _parse_values(list(counts.values()))
    offset = 0
    split = []
    for entry in entries:
        split.append(_program_counts(entry, offset, bits, weights))
        offset += sum(entry.bases.values())
    return split


def _parse_values(values: Sequence[Any]) -> NDArray[np.int64]:
    numbers = np.array(values if len(values) else [], dtype=None if len(values) else np.int64)
    if numbers.dtype.kind == "i" and numbers.ndim == 1 and (numbers >= 0).all():
        return numbers.astype(np.int64)
    for value in values:
        if isinstance(value, bool) or not isinstance(value, SupportsIndex) or value.__index__() < 0:
            raise HaloValueError(f"counts must be whole numbers of at least 0, not {value!r}")
    return np.array([value.__index__() for value in values], dtype=np.int64)


def _parse_keys(keys: Sequence[Any], width: int) -> NDArray[np.uint8]:
    """Return the bits of every key.

    Returns:
        uint8 array, shape (width, num_keys): ``[b, k]`` is bit ``b`` of key ``k``, 0 or 1.
    """
    try:
        text = "\n".join(keys)
    except TypeError:
        text = "x"
    if "x" not in text and "X" not in text:
        return _parse_bit_strings(keys, text, width)
    is_string = np.array([isinstance(key, str) and key[:2] not in ("0x", "0X") for key in keys], dtype=bool)
    strings = [key for key, wanted in zip(keys, is_string, strict=True) if wanted]
    numbers = [key for key, wanted in zip(keys, is_string, strict=True) if not wanted]
    bits = np.empty((width, len(keys)), dtype=np.uint8)
    bits[:, is_string] = _parse_bit_strings(strings, "\n".join(strings), width)
    bits[:, ~is_string] = _parse_numbers(numbers, width)
    return bits


def _parse_bit_strings(strings: Sequence[str], text: str, width: int) -> NDArray[np.uint8]:
    # The keys are read as one table of characters: a loop over them would cost more than all the rest.
    # Most tables have their spaces in the same columns; others cost one more pass to take them out.
    for spaced in (True, False):
        columns = _as_columns(text if spaced else text.replace(" ", ""), len(strings))
        if columns is None:
            continue
        spaces = columns[:, 0] == _SPACE if len(strings) else np.zeros(len(columns), dtype=bool)
        bits: NDArray[np.uint8] = columns[~spaces][::-1] - np.uint8(_ZERO)
        if len(bits) == width and (columns[spaces] == _SPACE).all() and (bits <= 1).all():
            return bits
    for string in strings:
        plain = string.replace(" ", "")
        if plain.strip("01") or not plain:
            raise HaloValueError(f"key {string!r} of the counts is not a bit string; pass the counts of the run")
        if len(plain) != width:
            raise HaloValueError(
                f"key {string!r} of the counts has {len(plain)} bits, but the merged circuit has {width}; "
                "pass the counts of this merged circuit"
            )
    return np.empty((width, 0), dtype=np.uint8)


def _as_columns(text: str, num_lines: int) -> NDArray[np.uint8] | None:
    """Return lines of equal length as one contiguous row a column, or ``None`` if they are not."""
    characters = np.frombuffer(f"{text}\n".encode(), dtype=np.uint8)
    length, rest = divmod(characters.size, max(num_lines, 1))
    table = characters[: characters.size - rest].reshape(-1, length)
    if rest or not (table[:, -1] == _NEWLINE).all():
        return None
    return np.ascontiguousarray(table[:, :-1].T)


def _parse_numbers(numbers: Sequence[Any], width: int) -> NDArray[np.uint8]:
    num_bytes = max(1, -(-width // 8))
    rows = []
    for key in numbers:
        value = _to_int(key)
        if value.bit_length() > width:
            raise HaloValueError(
                f"key {key!r} of the counts needs {value.bit_length()} bits, but the merged circuit has {width}; "
                "pass the counts of this merged circuit"
            )
        rows.append(value.to_bytes(num_bytes, "little"))
    packed = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), num_bytes)
    bits: NDArray[np.uint8] = np.unpackbits(packed, axis=1, bitorder="little", count=width).T
    return bits


def _to_int(key: Any) -> int:
    value = -1
    try:
        if isinstance(key, str):
            value = int(key, 16)
        elif not isinstance(key, bool):
            value = int(key.__index__())
    except (AttributeError, ValueError):
        pass
    if value >= 0:
        return value
    raise HaloValueError(
        f"key {key!r} of the counts is neither a bit string nor a hexadecimal or whole number; "
        "pass the counts of the run"
    )


def _program_counts(
    entry: ProgramEntry, offset: int, bits: NDArray[np.uint8], weights: NDArray[np.int64]
) -> dict[str, int]:
    """Return the counts of one program, whose bits begin at bit ``offset`` of the merged circuit."""
    positions = _printed_positions(entry)
    if not len(weights):
        return {}
    # Rows of the table are bits; most significant first, as they are printed.
    rows = [bits[offset + position] for position in reversed(positions)]
    distinct, totals = _count_rows(rows, weights)
    keys = _print_keys(distinct, [register.size for register in reversed(entry.registers)])
    return dict(zip(keys, totals.tolist(), strict=True))


def _printed_positions(entry: ProgramEntry) -> list[int]:
    """Return the program's printed bits, least significant first, as positions among its base bits.

    Base bits are in the order of the user's own bits, each of which Qiskit prints once.
    """
    named = dict.fromkeys(bit for register in entry.registers for bit in register.bits)
    bases = ((name, index) for name, size in entry.bases.items() for index in range(size))
    return [position for position, bit in enumerate(bases) if not entry.registers or bit in named]


def _count_rows(
    rows: Sequence[NDArray[np.uint8]], weights: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Add up the weights of equal bit strings.

    Args:
        rows: One array a bit, most significant first, each of shape (num_keys,).
        weights: int64 array, shape (num_keys,).

    Returns:
        The distinct bit strings in ascending order, uint8 of shape (num_strings, num_bits), and their totals.
    """
    num_bits = len(rows)
    if num_bits <= _TABLE_BITS and weights.sum() < _EXACT_FLOAT:
        codes = np.zeros(len(weights), dtype=np.uint8 if num_bits <= 8 else np.uint16)
        for row in rows:
            np.left_shift(codes, 1, out=codes)
            np.bitwise_or(codes, row, out=codes)
        table = np.bincount(codes, weights=weights, minlength=2**num_bits).astype(np.int64)
        # Keys whose count is 0 are kept if they were given, as Qiskit keeps them.
        present = np.flatnonzero(np.bincount(codes, minlength=2**num_bits))
        shifts = np.arange(num_bits - 1, -1, -1)
        return ((present[:, None] >> shifts) & 1).astype(np.uint8), table[present]
    packed = np.packbits(np.array(rows), axis=0).T
    distinct, inverse = np.unique(packed, axis=0, return_inverse=True)
    totals = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(totals, inverse.ravel(), weights)
    return np.unpackbits(distinct, axis=1, count=num_bits), totals


def _print_keys(bits: NDArray[np.uint8], sizes: Sequence[int]) -> list[str]:
    """Return each row as a string of 0 and 1 with a space between registers, as Qiskit cuts it.

    Args:
        bits: uint8 array, shape (num_keys, num_bits), most significant bit first.
        sizes: Sizes of the registers in the order they are printed; empty for no spaces.
    """
    rows = [row.tobytes().decode("ascii") for row in bits + np.uint8(_ZERO)]
    if len(sizes) < 2:
        return rows
    ends = np.cumsum(sizes)
    cuts = list(zip((ends - sizes).tolist(), ends.tolist(), strict=True))
    return [" ".join(row[start:stop] for start, stop in cuts) for row in rows]
