"""Runs inside the environment of qc-parallelizer, and imports nothing of ours.

    python _qc_parallelizer_driver.py FOLDER

FOLDER has ``device.json`` and ``programs.qpy``; ``hosts.qpy`` and ``facts.json`` are written there.
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import qc_parallelizer
from qiskit import qpy
from qiskit.circuit import Delay, Measure, Parameter, QuantumCircuit, Reset
from qiskit.circuit.library import get_standard_gate_name_mapping
from qiskit.providers import BackendV2, Options
from qiskit.transpiler import InstructionProperties, Target

QPY_VERSION = 13
"""Read by every Qiskit from 1.3 on."""


class Recorder(BackendV2):
    """The device; keeps the circuits that it is to run."""

    def __init__(self, target: Target) -> None:
        super().__init__(name="recorder")
        self._target = target
        self.recorded: list[QuantumCircuit] = []

    @property
    def target(self) -> Target:
        return self._target

    @property
    def max_circuits(self) -> None:
        return None

    @classmethod
    def _default_options(cls) -> Options:
        return Options()

    def run(self, run_input: QuantumCircuit, **_: Any) -> SimpleNamespace:
        self.recorded.append(run_input)
        return SimpleNamespace(job_id=lambda: f"recorded-{len(self.recorded)}")


def read_target(device: dict[str, Any]) -> Target:
    """Return the target that the other side described."""
    known = {
        **get_standard_gate_name_mapping(),
        "measure": Measure(),
        "reset": Reset(),
        "delay": Delay(Parameter("t")),
    }
    target = Target(num_qubits=device["num_qubits"], dt=device["dt"])
    for name, places in device["operations"].items():
        if name in known:
            target.add_instruction(
                known[name],
                {
                    tuple(place["qubits"]): InstructionProperties(duration=place["duration"], error=place["error"])
                    for place in places
                },
                name=name,
            )
    return target


def pack(programs: list[QuantumCircuit], backend: Recorder) -> list[QuantumCircuit]:
    """Return the host circuits for all programs, by the defaults of the release that is installed."""
    if hasattr(qc_parallelizer, "rearrange"):  # up to 1.x
        return [host for hosts in qc_parallelizer.rearrange(programs, backend).values() for host in hosts]
    parallelizer = qc_parallelizer.Parallelizer()
    parallelizer.across(backend).run(programs)  # sends full hosts only
    return [*backend.recorded, *(part.to_circuit() for part in parallelizer.manager.bins if part.size)]


def main() -> None:
    folder = Path(sys.argv[1])
    device = json.loads((folder / "device.json").read_text(encoding="utf-8"))
    with (folder / "programs.qpy").open("rb") as file:
        programs = qpy.load(file)
    hosts = pack(programs, Recorder(read_target(device)))
    for host in hosts:
        host.metadata = {}
    with (folder / "hosts.qpy").open("wb") as file:
        qpy.dump(hosts, file, version=QPY_VERSION)
    try:
        release = version("qc-parallelizer")
    except PackageNotFoundError:
        release = "unknown"
    facts = {"release": release, "cpu_s": time.process_time()}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main()
