"""qc-parallelizer (VTT, MIT): circuits side by side by subgraph embedding, in an environment of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qiskit import qpy, transpile
from qiskit.circuit import ClassicalRegister, QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from benchmarks.evaluation.model import Batch, Job, SystemFailedError
from benchmarks.evaluation.systems._common import Waiting, blank, make_batch, merge, reported

VARIABLE = "QC_PARALLELIZER_PYTHON"
"""Environment variable that names the interpreter of an environment with qc-parallelizer."""
LIMIT_S = 900
"""A call that takes longer has failed."""
QPY_VERSION = 13
"""The oldest that we can write, so that most releases of Qiskit read it."""

_DRIVER = Path(__file__).with_name("_qc_parallelizer_driver.py")
_HOSTED = re.compile(r"(?:circ\d+\.|\d+:)p(?P<position>\d+)_(?P<name>.+)")
"""Registers of a host circuit: its own prefix, then ours. The prefix is of release 1, or of release 2."""


class QcParallelizer:
    """qc-parallelizer as installed: all who wait are packed into host circuits, and the host of the oldest is the batch.

    It pins other versions of Qiskit than we do, so it runs in its own environment, whose interpreter
    ``QC_PARALLELIZER_PYTHON`` names: ``pip install qc-parallelizer`` there. Programs, device and hosts pass through files.
    Packing is by its defaults. Hosts are mapped already; Qiskit's level 1 joins their one-qubit gates, and moves nothing.

    Args:
        python: The interpreter, instead of the environment variable's.
    """

    name = "qc-parallelizer"

    def __init__(self, python: str | None = None) -> None:
        self._python = python

    def next_batch(self, queue: Waiting, backend: BackendV2, seed: int) -> Batch:
        """Return the host circuit with the oldest job.

        Raises:
            SystemFailedError: It is not installed, or its call failed.
        """
        started = time.process_time()
        python = self._python or os.environ.get(VARIABLE)
        if not python:
            raise SystemFailedError(
                f"qc-parallelizer is not installed: set {VARIABLE} to the interpreter of an environment that has it"
            )
        with reported():
            programs = [_numbered(job, position) for position, (_, job) in enumerate(queue)]
            hosts, facts = _call(python, programs, backend.target, seed)
            positions, host = min(
                ((_positions(host), host) for host in hosts), key=lambda pair: pair[0][:1] or [len(queue)]
            )
            members = [queue[position] for position in positions]
            compiled = transpile(
                _renamed(host, positions, merge([job for _, job in members]).circuit, backend.num_qubits),
                backend,
                optimization_level=1,
                initial_layout=list(range(backend.num_qubits)),
                seed_transpiler=seed,
            )
            return make_batch(
                members, compiled, backend.target, started - facts["cpu_s"], {"release": facts["release"]}
            )


def _numbered(job: Job, position: int) -> QuantumCircuit:
    """Return a program whose registers say where in the queue it is."""
    alone = merge([job]).circuit
    registers = [
        ClassicalRegister(register.size, f"p{position}_{register.name.removeprefix('p0_')}") for register in alone.cregs
    ]
    numbered = QuantumCircuit(alone.num_qubits, name=f"p{position}")
    numbered.add_register(*registers)
    clbits = {
        bit: own[index]
        for own, register in zip(registers, alone.cregs, strict=True)
        for index, bit in enumerate(register)
    }
    numbered.compose(alone, clbits=[clbits[bit] for bit in alone.clbits], inplace=True)
    return numbered


def _call(
    python: str, programs: Sequence[QuantumCircuit], target: Target, seed: int
) -> tuple[list[QuantumCircuit], dict[str, Any]]:
    """Return the host circuits of all programs, and release and CPU time of the call."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Started from where it lies, it would find this module in place of the package of the same name.
        driver = shutil.copy(_DRIVER, folder / "driver.py")
        (folder / "device.json").write_text(json.dumps(_describe(target)), encoding="utf-8")
        with (folder / "programs.qpy").open("wb") as file:
            qpy.dump(list(programs), file, version=QPY_VERSION)
        try:
            done = subprocess.run(
                [python, driver, name],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
                env={**os.environ, "PYTHONHASHSEED": str(seed % 2**32)},  # it goes through sets
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SystemFailedError(f"qc-parallelizer did not run: {error}") from error
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise SystemFailedError(f"qc-parallelizer ended with code {done.returncode}: {lines[-1]}")
        with (folder / "hosts.qpy").open("rb") as file:
            hosts = qpy.load(file)
        facts: dict[str, Any] = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    if not hosts:
        raise SystemFailedError("qc-parallelizer returned no host circuit")
    return hosts, facts


def _describe(target: Target) -> dict[str, Any]:
    """Return a device as JSON: operations on qubits with durations and errors."""
    operations = {
        name: [
            {
                "qubits": list(qubits),
                "duration": None if stated is None else stated.duration,
                "error": None if stated is None else stated.error,
            }
            for qubits, stated in (target[name] or {}).items()
            if qubits is not None
        ]
        for name in target.operation_names
    }
    return {"num_qubits": target.num_qubits, "dt": target.dt, "operations": operations}


def _positions(host: QuantumCircuit) -> list[int]:
    """Return the places in the queue of the programs in a host, ascending."""
    found = (_HOSTED.fullmatch(register.name) for register in host.cregs)
    return sorted({int(match["position"]) for match in found if match})


def _renamed(host: QuantumCircuit, positions: Sequence[int], merged: QuantumCircuit, num_qubits: int) -> QuantumCircuit:
    """Return a host with the registers of the merged circuit of its members."""
    circuit = blank(merged, num_qubits)
    registers = {register.name: register for register in merged.cregs}
    clbits = {}
    for register in host.cregs:
        match = _HOSTED.fullmatch(register.name)
        if match is None:
            raise SystemFailedError(f"qc-parallelizer returned a register named {register.name!r} that is nobody's")
        own = registers[f"p{positions.index(int(match['position']))}_{match['name']}"]
        clbits.update(zip(register, own, strict=True))
    circuit.compose(host, range(host.num_qubits), [clbits[bit] for bit in host.clbits], inplace=True)
    return circuit
