"""Same seed, same bytes: in two processes that hash strings differently, of which the second finds what the first has cached."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
