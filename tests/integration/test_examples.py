"""The example programs give the answers that their headers state, and the example scripts run."""

from __future__ import annotations

import math
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from qiskit import transpile
from qiskit_aer import AerSimulator

from qiskit_halo.cli.qasm import load_programs

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOTS = 4000

# Program -> outcome in the order of the registers -> probability.
EXPECTED: dict[str, dict[tuple[str, ...], float]] = {
    "adder": {("101",): 1.0},
    "bell": {("00",): 0.5, ("11",): 0.5},
    "bernstein_vazirani": {("1011",): 1.0},
    "ghz_parity": {("0000", "0"): 0.5, ("1111", "0"): 0.5},
    "inverse_qft": {("0101",): 1.0},
    "iterative_phase": {("011",): 1.0},
    "repetition_code": {("11", "11", "101"): 1.0},
    "teleportation": {
        (phase, flip, out): (3 if out == "1" else 1) / 16 for phase in "01" for flip in "01" for out in "01"
    },
    "toffoli_ladder": {("1111", "1"): 1.0},
    "w_state": {("001",): 1 / 3, ("010",): 1 / 3, ("100",): 1 / 3},
}
FILES = sorted((EXAMPLES / "programs").glob("*.qasm"))


def test_every_program_has_an_expected_answer() -> None:
    assert {path.stem for path in FILES} == set(EXPECTED)
    assert all("\n// Expected: " in path.read_text(encoding="utf-8") for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_program_gives_its_answer(path: Path) -> None:
    (program,) = load_programs([path])
    simulator = AerSimulator(seed_simulator=11)
    circuit = transpile(program.circuit, simulator, optimization_level=0)
    measured: Counter[tuple[str, ...]] = Counter()
    for key, number in simulator.run(circuit, shots=SHOTS).result().get_counts().items():
        measured[tuple(reversed(key.split()))] += number
    expected = EXPECTED[path.stem]
    assert set(measured) == set(expected)
    distance = sum(abs(measured[key] / SHOTS - expected[key]) for key in expected) / 2
    # Weissman and others (2003), with a false-alarm rate of 1e-9.
    assert distance < math.sqrt((len(expected) * math.log(2) + math.log(1e9)) / (2 * SHOTS))


def test_helpers_are_marked() -> None:
    helpers = {program.name: program.circuit.num_ancillas for program in load_programs(FILES)}
    assert {name: number for name, number in helpers.items() if number} == {
        "adder": 1,
        "bernstein_vazirani": 1,
        "ghz_parity": 1,
        "iterative_phase": 1,
        "repetition_code": 1,
        "toffoli_ladder": 2,
    }


CLIENTS = ("qiskit_addon_cutting", "qiskit_algorithms", "qiskit_experiments")
"""Packages of optional extras; their scripts run in test_clients.py where they are installed."""


@pytest.mark.parametrize("name", ["transpile_example", "pass_manager_example", "sampler_example", "primitives_example"])
def test_script_runs(name: str) -> None:
    done = subprocess.run([sys.executable, str(EXAMPLES / f"{name}.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 3


def test_scripts_do_nothing_when_imported(capsys: pytest.CaptureFixture[str]) -> None:
    for path in EXAMPLES.glob("*_example.py"):
        try:
            runpy.run_path(str(path), run_name="imported")
        except ModuleNotFoundError as error:
            assert error.name in CLIENTS  # noqa: PT017
    assert capsys.readouterr().out == ""
