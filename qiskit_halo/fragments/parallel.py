"""Compile bodies in other processes, through any :class:`concurrent.futures.Executor`.

Bodies and results travel as QPY and JSON. What a worker returns is what the same body gives here, to the byte.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import threading
from collections.abc import Sequence
from concurrent.futures import Executor, Future

from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.fragments.serialize import (
    circuits_from_bytes,
    circuits_to_bytes,
    comes_back,
    fragments_from_bytes,
    fragments_to_bytes,
)
from qiskit_halo.fragments.settings import CompileSettings
from qiskit_halo.fragments.single import BodyCompiler
from qiskit_halo.options import ResetModel

logger = logging.getLogger(__name__)

MAX_CHUNKS, CHUNK_BODIES = 32, 3
"""Bodies are dealt into so many chunks at most, of so many bodies at least: each chunk carries the device."""

_turns: dict[int, threading.Lock] = {}
"""By process, since a fork would inherit a lock that nobody gives back: who compiles now.

Qiskit's passes all look things up in one library of equivalences, and 2.5.2 can panic when two threads do so at once.
"""

_last = threading.local()
"""The compiler that this thread has used last, and for what."""


def compile_elsewhere(
    executor: Executor,
    device: DeviceModel,
    settings: CompileSettings,
    identity: str,
    bodies: Sequence[tuple[QuantumCircuit, str, tuple[int, ...]]],
) -> dict[int, tuple[Fragment, ...]]:
    """Return the compiled forms of ``bodies`` by index; those that cannot travel, or were not done, are left out.

    Args:
        executor: Who does the work; only ``submit`` is called.
        device: The device.
        settings: How to compile.
        identity: Digest of device and settings, by which workers know them again.
        bodies: Circuits, what to call each in an error, and the connected physical qubits to compile it on.

    Whatever goes wrong elsewhere is left out too: compiled here it succeeds, or raises what it raises without executor.
    """
    how = settings.to_json()
    travelling = [index for index, (body, _, _) in enumerate(bodies) if comes_back(body)]
    if how is None or not travelling:
        return {}
    # Long bodies first, dealt out in turn: chunks of about equal work.
    travelling.sort(key=lambda index: (-len(bodies[index][0].data), index))
    number = min(MAX_CHUNKS, -(-len(travelling) // CHUNK_BODIES))
    chunks = [travelling[first::number] for first in range(number)]
    target = pickle.dumps(device.target)  # once, not by the executor for each chunk
    futures: list[Future[bytes]] = []
    found: dict[int, tuple[Fragment, ...]] = {}
    try:
        for chunk in chunks:
            data = circuits_to_bytes([bodies[index][0] for index in chunk])
            names = [bodies[index][1] for index in chunk]
            regions = [bodies[index][2] for index in chunk]
            model = (device.exclude_qubits, device.feed_forward_s, device.reset_model)
            futures.append(executor.submit(compile_chunk, identity, target, model, how, regions, names, data))
        for chunk, future in zip(chunks, futures, strict=True):
            try:
                found.update(zip(chunk, _split(future.result()), strict=True))
            except HaloTranspilerError as error:
                logger.debug("a worker reports: %s", error)
            except Exception as error:  # the engine's own, of any type
                logger.warning("a worker failed, so its %d bodies are compiled here: %r", len(chunk), error)
    finally:
        for future in futures:
            future.cancel()
    return found


def compile_chunk(
    identity: str,
    target: bytes,
    model: tuple[tuple[int, ...], float, ResetModel],
    settings: str,
    regions: Sequence[tuple[int, ...]],
    names: Sequence[str],
    bodies: bytes,
) -> bytes:
    """Return the compiled forms of several bodies, one after another: the task that a worker runs.

    Args:
        identity: Digest of all that results depend on besides bodies and regions.
        target: The device's target, pickled.
        model: Physical qubits that may not be used, the latency of a branch in seconds, and what a failing reset does.
        settings: What :meth:`~qiskit_halo.fragments.settings.CompileSettings.to_json` wrote.
        regions: Connected physical qubits for each body.
        names: What to call each body in an error.
        bodies: QPY.
    """
    if multiprocessing.parent_process() is not None:
        # What Qiskit tells its own workers: use no threads. A forked process has none of its parent's, and would wait
        # for them forever; and many workers with many threads each only get in each other's way.
        os.environ["QISKIT_IN_PARALLEL"] = "TRUE"
    with _turns.setdefault(os.getpid(), threading.Lock()):
        compiler = _compiler_for(identity, target, model, settings)
        parts = []
        for body, name, region in zip(circuits_from_bytes(bodies), names, regions, strict=True):
            own = fragments_to_bytes(compiler.compile(body, region, name))
            parts += [len(own).to_bytes(8, "big"), own]
        return b"".join(parts)


def _compiler_for(
    identity: str, target: bytes, model: tuple[tuple[int, ...], float, ResetModel], settings: str
) -> BodyCompiler:
    """Return the compiler that this thread has used last, or another if that is for something else."""
    if getattr(_last, "identity", None) != identity:
        exclude_qubits, feed_forward_s, reset_model = model
        device = DeviceModel(
            pickle.loads(target), exclude_qubits, feed_forward_s=feed_forward_s, reset_model=reset_model
        )
        _last.compiler = BodyCompiler(device, CompileSettings.from_json(settings))
        _last.identity = identity
    compiler: BodyCompiler = _last.compiler
    return compiler


def _split(data: bytes) -> list[tuple[Fragment, ...]]:
    found = []
    while data:
        stop = 8 + int.from_bytes(data[:8], "big")
        found.append(fragments_from_bytes(data[8:stop]))
        data = data[stop:]
    return found
