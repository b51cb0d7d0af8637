"""Same seed, same bytes: in two processes that hash strings differently, of which the second finds what the first has cached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from qiskit import QuantumCircuit
from qiskit.transpiler import InstructionProperties

from qiskit_halo import HaloOptions, MultiProgramCircuit, generate_halo_pass_manager
from tests.targets import make_target

ROOT = Path(__file__).parents[2]

SCRIPT = """
import hashlib, io, sys, warnings
from qiskit import qpy, transpile
from qiskit_halo import MultiProgramCircuit, generate_halo_pass_manager
from tests.programs import all_programs
from tests.targets import CONTROL_FLOW, make_target

warnings.simplefilter("ignore")
target = make_target(9)
# Before anything is compiled: Qiskit numbers circuits without a name, and how many a compilation makes depends on the cache.
programs = all_programs(list(CONTROL_FLOW))
for way, count in (("manager", None), ("plugin", None), ("plugin", 3)):
    batch = MultiProgramCircuit(programs[:count])
    if way == "manager":
        compiled = generate_halo_pass_manager(2, target=target, seed_transpiler=7).run(batch.circuit)
    else:
        compiled = transpile(
            batch.fold(9), target=target, layout_method="halo", scheduling_method="halo", seed_transpiler=7
        )
    data = io.BytesIO()
    qpy.dump(compiled, data)
    print(way, count, hashlib.sha256(data.getvalue()).hexdigest())
"""


def digests(hash_seed: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_bytes_are_the_same_in_every_process() -> None:
    first = digests("0")
    assert len(first.splitlines()) == 3
    assert digests("1") == first


def operations_of(circuit: QuantumCircuit) -> list[tuple[str, list[int]]]:
    return [(i.name, [circuit.find_bit(qubit).index for qubit in i.qubits]) for i in circuit.data]


@pytest.mark.parametrize("readout_error", [True, False])
@pytest.mark.parametrize("num_free", [2, 3, 4])
def test_equal_qubits_are_taken_in_the_same_order_each_time(num_free: int, readout_error: bool) -> None:
    """Qiskit's search for a layout goes through qubits without two-qubit gates in the order of a hash with a random seed."""
    circuit = QuantumCircuit(2 + num_free, 1)
    circuit.cx(0, 1)
    circuit.measure(range(2 + num_free), [0] * (2 + num_free))
    batch = MultiProgramCircuit([circuit] * 2).circuit
    target = make_target(12)
    if not readout_error:
        for qubit in range(12):
            stated = target["measure"][qubit,]
            target.update_instruction_properties("measure", (qubit,), InstructionProperties(stated.duration))
    seen = []
    for _ in range(12):
        passes = generate_halo_pass_manager(2, target=target, options=HaloOptions(cache=False), seed_transpiler=7)
        seen.append(operations_of(passes.run(batch)))
    assert all(own == seen[0] for own in seen)
