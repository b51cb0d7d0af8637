"""Results of merged circuits -> one result for each pub, of the shape and shots that its user asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from qiskit.primitives import BitArray, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qiskit_halo.batch_plan import BatchPlan, PlannedBatch, Share
from qiskit_halo.errors import HaloValueError
from qiskit_halo.primitives.compiled import CompiledBatch
from qiskit_halo.primitives.workload import Workload
from qiskit_halo.results.fields import make_data_bin
from qiskit_halo.results.split import split_data

Fields = list[dict[str, Any]]
"""For each slot of a batch its registers, with axes (row, shot, ...)."""


def shots_of_runs(batch: PlannedBatch, compiled: CompiledBatch, num_runs: int) -> list[int]:
    """Return the shots to ask for in each of ``num_runs`` runs; without parameters all rows are one."""
    total = batch.shots if compiled.columns else batch.executions
    even, rest = divmod(total, num_runs)
    return [even + (run < rest) for run in range(num_runs) if even + (run < rest)]


def split_batch(results: Sequence[SamplerPubResult], batch: PlannedBatch, compiled: CompiledBatch) -> Fields:
    """Return the registers of each slot.

    Args:
        results: Results of the merged circuit, one a run.
        batch: How it was run.
        compiled: What was run.

    Raises:
        HaloValueError: A result is not that of this circuit, or has fewer shots.
    """
    shots = shots_of_runs(batch, compiled, len(results))
    runs = [split_data(result.data, compiled.metadata, own) for result, own in zip(results, shots, strict=True)]
    fields: Fields = []
    for parts in zip(*runs, strict=True):
        found: dict[str, Any] = {}
        for name, value in parts[0].items():
            packed = isinstance(value, BitArray)
            arrays = [part[name].array if packed else np.asarray(part[name]) for part in parts]
            axis = parts[0].ndim
            array = arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=axis)
            # (rows, shots, ...) for a sweep, (rows * shots, ...) else.
            rows = array.reshape(batch.num_rows, batch.shots, *array.shape[axis + 1 :])
            found[name] = _Bits(rows, value.num_bits) if packed else rows
        fields.append(found)
    return fields


class _Bits:
    """Packed shots of one register, and how many bits they hold."""

    def __init__(self, array: np.ndarray, num_bits: int) -> None:
        self.array = array
        self.num_bits = num_bits


def assemble(
    workload: Workload,
    plan: BatchPlan,
    compiled: Sequence[CompiledBatch],
    fields: Mapping[int, Fields],
) -> list[SamplerPubResult | None]:
    """Return one result for each pub, ``None`` where a batch that it needs is missing.

    Args:
        workload: The pubs and their programs.
        plan: Where the shots of each program come from.
        compiled: The merged circuit of each batch.
        fields: Batch -> its registers, for the batches that are finished.
    """
    shares = plan.shares()
    programs: list[list[int]] = [[] for _ in workload.pubs]
    for program, pub in enumerate(workload.pub.tolist()):
        programs[pub].append(program)
    results: list[SamplerPubResult | None] = []
    for pub, own in zip(workload.pubs, programs, strict=True):
        if any(share.batch not in fields for program in own for share in shares[program]):
            results.append(None)
            continue
        data = _blank(pub) if not own else _join(pub, own, workload, shares, fields)
        metadata: dict[str, Any] = {"shots": pub.shots, "circuit_metadata": pub.circuit.metadata}
        if own:
            metadata["halo"] = _describe(own, shares, compiled)
        results.append(SamplerPubResult(make_data_bin(data, pub.shape), metadata))
    return results


def _blank(pub: SamplerPub) -> dict[str, Any]:
    """Return the registers of a circuit that measures nothing: all bits are 0."""
    return {
        register.name: BitArray(
            np.zeros((*pub.shape, pub.shots, -(-register.size // 8)), dtype=np.uint8), register.size
        )
        for register in pub.circuit.cregs
    }


def _join(
    pub: SamplerPub,
    programs: Sequence[int],
    workload: Workload,
    shares: Sequence[Sequence[Share]],
    fields: Mapping[int, Fields],
) -> dict[str, Any]:
    first = shares[programs[0]][0]
    joined: dict[str, Any] = {}
    for name, sample in fields[first.batch][first.slot].items():
        packed = isinstance(sample, _Bits)
        like = sample.array if packed else sample
        out = np.zeros((pub.parameter_values.size, pub.shots, *like.shape[2:]), dtype=like.dtype)
        for program in programs:
            start, target = 0, out[workload.point[program]]
            for share in shares[program]:
                value = fields[share.batch][share.slot][name]
                array = value.array if packed else value
                target[start : start + share.shots] = array[share.row, : share.shots]
                start += share.shots
            if start != pub.shots:
                raise HaloValueError(
                    f"program {program} got {start} of {pub.shots} shots; this is a bug, please report the plan"
                )
        out = out.reshape(*pub.shape, *out.shape[1:])
        joined[name] = BitArray(out, sample.num_bits) if packed else out
    return joined


def _describe(
    programs: Sequence[int], shares: Sequence[Sequence[Share]], compiled: Sequence[CompiledBatch]
) -> dict[str, Any]:
    """Return where a pub's shots come from, and the predicted success there over that alone."""
    own = [share for program in programs for share in shares[program]]
    reports = {index: compiled[index].report.programs for index in dict.fromkeys(share.batch for share in own)}
    kept = []
    for share in own:
        program = reports[share.batch][share.slot]
        if program.success_merged is not None and program.success_alone:
            kept.append((program.success_merged / program.success_alone, share.shots))
    total = sum(shots for _, shots in kept)
    return {
        "batches": list(reports),
        "cells": len(own),
        "success_kept": sum(ratio * shots for ratio, shots in kept) / total if total else None,
        "least_success_kept": min((ratio for ratio, _ in kept), default=None),
    }
