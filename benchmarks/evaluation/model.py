"""What workloads hand to systems, and systems to measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from qiskit.circuit import QuantumCircuit
from qiskit.providers import BackendV2


@dataclass(frozen=True)
class Job:
    """A program in the queue.

    Attributes:
        name: Its name, unique in the queue.
        suite: The family it is drawn from.
        circuit: The user's circuit; helper qubits are in an ``AncillaRegister``.
        shots: Shots it asks for.
        arrival_s: When it joins the queue, in seconds.
    """

    name: str
    suite: str
    circuit: QuantumCircuit
    shots: int = 1000
    arrival_s: float = 0.0


@dataclass(frozen=True)
class Batch:
    """One circuit that a system would send, and whose it is.

    Attributes:
        circuit: Physical circuit for the device, scheduled. Classical register ``c`` of member ``k`` is ``p{k}_c``.
        members: Index in the queue of each member, in order.
        shots: Shots the batch runs.
        makespan_s: Length of one shot without resets between shots and repetition delay, in seconds.
        compile_s: Process CPU time it took to choose and compile the batch, in seconds.
        facts: What else the system says about the batch, ready for JSON.
    """

    circuit: QuantumCircuit
    members: tuple[int, ...]
    shots: int
    makespan_s: float
    compile_s: float
    facts: dict[str, Any] = field(default_factory=dict)


class System(Protocol):
    """A way to run a queue of programs on one device."""

    name: str

    def next_batch(self, queue: Sequence[tuple[int, Job]], backend: BackendV2, seed: int) -> Batch:
        """Choose members among the waiting jobs (index in the whole queue, job), at least one, and compile them.

        Raises:
            SystemFailedError: The system cannot run what it is given; the message says why.
        """


class SystemFailedError(Exception):
    """A system could not run its queue: it is reported, never dropped."""
