"""One merged result in, one result per program out: what each user would have got alone."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives import BitArray, DataBin, PrimitiveResult, PubResult, SamplerPubResult

from qiskit_halo.errors import HaloValueError
from qiskit_halo.results.entries import METADATA_VERSION, ProgramEntry, UserRegister, read_entries
from qiskit_halo.results.fields import make_data_bin


def split_result(
    result: SamplerPubResult | DataBin | PrimitiveResult[Any], metadata: Mapping[str, Any]
) -> list[SamplerPubResult]:
    """Return one result per program, in the order of the batch.

    Every field has the user's own register name, in the user's order, with the user's own bit order, the shape of
    the pub, and exactly the first n shots, in shot order, where n is what the program asked for. Bits in no
    register are left out, as samplers do alone; a program that has only such bits gets an empty data bin.

    Packed bits are passed through, not decoded: where a user's register is one register of the merged circuit, its
    ``BitArray`` is a view of the merged one (copy ``.array`` before changing it in place). Only a register that
    shares bits with another one is put together anew. Fields that are not bit arrays, such as kerneled
    measurements, have the axis of the shots right after the shape of the pub and are cut there; where a further
    axis counts the bits, a sampler may give those of the register or those of the whole circuit.

    The metadata of each result holds its own program's entry only, under ``"halo"``.

    Args:
        result: Result of the merged circuit, whole or of its one pub, or the data of that.
        metadata: ``circuit.metadata["halo"]`` of the merged circuit.

    Raises:
        HaloValueError: The result is not from this merge (a register is missing or has a wrong size, or there are
            fewer shots than a program asked for), holds several pubs, or the metadata is not of a merged circuit.

    Examples:
        >>> from qiskit_halo import MultiProgramCircuit
        >>> from qiskit.circuit import QuantumCircuit
        >>> from qiskit.primitives import StatevectorSampler
        >>> one = QuantumCircuit(1)
        >>> _ = one.x(0)
        >>> one.measure_all()
        >>> two = QuantumCircuit(2)
        >>> two.measure_all()
        >>> mpc = MultiProgramCircuit([one, two], shots=[10, 20])
        >>> merged = StatevectorSampler().run([mpc.circuit], shots=mpc.shots).result()
        >>> [p.data.meas.get_counts() for p in split_result(merged, mpc.circuit.metadata["halo"])]
        [{'1': 10}, {'00': 20}]
    """
    entries = read_entries(metadata)
    data, result_metadata = _unwrap(result)
    return [
        SamplerPubResult(data_bin, _program_metadata(entry, result_metadata))
        for entry, data_bin in zip(entries, _split(data, entries), strict=True)
    ]


def split_data(data: DataBin, metadata: Mapping[str, Any], shots: int) -> list[DataBin]:
    """Return the data of each program, with ``shots`` for all of them; otherwise as :func:`split_result`.

    For callers that give out the shots themselves and have metadata of their own.
    """
    return _split(data, tuple(dataclasses.replace(entry, shots=shots) for entry in read_entries(metadata)))


def _split(data: DataBin, entries: Sequence[ProgramEntry]) -> list[DataBin]:
    offsets: dict[str, int] = {}
    width = 0
    for entry in entries:
        for name, size in entry.bases.items():
            offsets[name] = width
            width += size
    return [_program_data(entry, data, offsets, width) for entry in entries]


def _unwrap(result: SamplerPubResult | DataBin | PrimitiveResult[Any]) -> tuple[DataBin, Mapping[str, Any]]:
    if isinstance(result, PrimitiveResult):
        if len(result) != 1:
            raise HaloValueError(
                f"the result holds {len(result)} pubs, and one merged circuit is one pub; "
                "split each merged circuit's own result[i]"
            )
        result = result[0]
    if isinstance(result, PubResult):
        return result.data, result.metadata
    if isinstance(result, DataBin):
        return result, {}
    raise HaloValueError(f"split takes a SamplerPubResult, a DataBin or a PrimitiveResult, not {type(result).__name__}")


def _program_data(entry: ProgramEntry, data: DataBin, offsets: Mapping[str, int], width: int) -> DataBin:
    for name, size in entry.bases.items():
        _check_field(entry, data, name, size, width)
    fields: dict[str, Any] = {}
    for register in entry.registers:
        base = register.base
        if base is not None and entry.bases.get(base) == register.size:
            fields[register.name] = _cut(entry, data, base, offsets[base], width)
        else:
            fields[register.name] = _rebuild(entry, data, register, offsets, width)
    return make_data_bin(fields, data.shape)


def _check_field(entry: ProgramEntry, data: DataBin, name: str, size: int, width: int) -> None:
    """Refuse a field that cannot come from this merge."""
    if size == 0:
        return
    if name not in data:
        raise HaloValueError(
            f"{entry.label} needs register {name!r}, which is not among the {len(data)} fields of the result; "
            "split the result of this merged circuit, not of another one"
        )
    value = data[name]
    if isinstance(value, BitArray):
        if value.num_bits != size:
            raise HaloValueError(
                f"{entry.label} has {size} bits in register {name!r}, but the result has {value.num_bits}; "
                "split the result of this merged circuit, not of another one"
            )
        shots = value.num_shots
    else:
        axes = np.shape(value)[data.ndim :]
        if not axes:
            raise HaloValueError(
                f"{entry.label}: field {name!r} of the result has no axis of shots after the pub's shape "
                f"{data.shape}; it was averaged over the batch and cannot be split"
            )
        if len(axes) > 1 and axes[-1] not in (size, width):
            raise HaloValueError(
                f"{entry.label} has {size} bits in register {name!r}, but the result has {axes[-1]}; "
                "split the result of this merged circuit, not of another one"
            )
        shots = axes[0]
    if shots < entry.shots:
        raise HaloValueError(
            f"{entry.label} asked for {entry.shots} shots, but register {name!r} of the result has {shots}; "
            "run the merged circuit with at least that many"
        )


def _cut(entry: ProgramEntry, data: DataBin, base: str, offset: int, width: int) -> Any:
    """Return a whole base register, cut to the program's shots: a view."""
    value, size = data[base], entry.bases[base]
    if isinstance(value, BitArray):
        return BitArray(value.array[..., : entry.shots, :], value.num_bits)
    value = np.asarray(value)
    value = value[(slice(None),) * data.ndim + (slice(entry.shots),)]
    if value.ndim > data.ndim + 1 and value.shape[-1] == width != size:
        # Qiskit's BackendSamplerV2 gives every register the kerneled values of the whole circuit.
        value = value[..., offset : offset + size]
    return value


def _rebuild(entry: ProgramEntry, data: DataBin, register: UserRegister, offsets: Mapping[str, int], width: int) -> Any:
    """Return a register whose bits lie in several base registers, or in part of one."""
    bases = dict.fromkeys(base for base, _ in register.bits)
    parts = {base: _cut(entry, data, base, offsets[base], width) for base in bases}
    if all(isinstance(part, BitArray) for part in parts.values()):
        out = np.zeros((*data.shape, entry.shots, -(-register.size // 8)), dtype=np.uint8)
        for position, (base, index) in enumerate(register.bits):
            out[..., -1 - position // 8] |= _bit(parts[base].array, index) << np.uint8(position % 8)
        return BitArray(out, register.size)
    if any(isinstance(part, BitArray) or part.ndim < data.ndim + 2 for part in parts.values()):
        raise HaloValueError(
            f"{entry.label}: register {register.name!r} shares bits with another one, and the result has no "
            "value for each single bit; ask the sampler for classified shots"
        )
    return np.stack([parts[base][..., index] for base, index in register.bits], axis=-1)


def _bit(packed: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
    """Return one bit of every shot as 0 or 1; the last byte holds bits 0 to 7, bit 0 the least significant."""
    return (packed[..., -1 - index // 8] >> np.uint8(index % 8)) & np.uint8(1)


def _program_metadata(entry: ProgramEntry, result_metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what one user may see: the program's own entry, and the batch's metadata without the others'."""
    of_batch = result_metadata.get("circuit_metadata") or {}
    circuit_metadata = {
        **{key: copy.deepcopy(value) for key, value in of_batch.items() if key != "halo"},
        **copy.deepcopy(dict(entry.raw.get("metadata") or {})),
    }
    return {
        "shots": entry.shots,
        "circuit_metadata": circuit_metadata,
        "halo": {"version": METADATA_VERSION, "programs": [copy.deepcopy(dict(entry.raw))]},
    }
