"""``qiskit-halo run`` from files to files, in a process of its own as a user starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from qiskit import qpy

from qiskit_halo.report import HaloReport
from qiskit_halo.verification.isolation import verify_isolation

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "examples" / "programs"
COMMAND = str(Path(sys.executable).parent / "qiskit-halo")


def run(*arguments: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [COMMAND, "run", *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    folder = tmp_path_factory.mktemp("work")
    files = [PROGRAMS / name for name in ("bell.qasm", "bernstein_vazirani.qasm", "bell.qasm")]
    done = run(*files, "--device", "guadalupe", "--shots", "300,200,100", "--out", "out", folder=folder)
    return folder / "out", done


class TestFiles:
    def test_each_program_has_its_own_counts(self, result: tuple[Path, object]) -> None:
        folder, _ = result
        counts = {p.stem: json.loads(p.read_text()) for p in sorted((folder / "counts").iterdir())}
        assert {name: c["shots"] for name, c in counts.items()} == {
            "bell": 300,
            "bell_2": 100,
            "bernstein_vazirani": 200,
        }
        assert all(sum(c["counts"].values()) == c["shots"] for c in counts.values())
        assert counts["bernstein_vazirani"]["counts"]["1011"] > 100
        assert counts["bell"]["counts"]["00"] + counts["bell"]["counts"]["11"] > 200

    def test_merged_circuit_is_isolated_and_carries_the_report(self, result: tuple[Path, object]) -> None:
        folder, _ = result
        with (folder / "merged.qpy").open("rb") as file:
            (isa,) = qpy.load(file)
        verify_isolation(isa, resets=2)
        report = json.loads((folder / "report.json").read_text())
        assert isa.metadata["halo"]["report"] == report
        assert [p.name for p in HaloReport.from_dict(report).programs if p.index is not None] == [
            "bell",
            "bernstein_vazirani",
            "bell_2",
        ]

    def test_pictures(self, result: tuple[Path, object]) -> None:
        folder, _ = result
        for name in ("chip.png", "timeline.png"):
            assert (folder / name).read_bytes().startswith(b"\x89PNG")

    def test_table(self, result: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
        _, done = result
        lines = done.stdout.splitlines()
        assert [line.split()[1] for line in lines[2:5]] == ["bell", "bernstein_vazirani", "bell_2"]
        assert lines[3].split()[2:4] == ["5", "4"], "five qubits, one of which is in use from beginning to end"
        assert "1011" in lines[3]
        assert lines[-1].startswith("isolation check passed")
        assert done.stderr == "", "no progress bar where nobody watches"


class TestJson:
    def test_plan_alone_is_one_document_and_no_file(self, tmp_path: Path) -> None:
        bell = PROGRAMS / "bell.qasm"
        done = run(bell, bell, "--device", "manila", "--no-run", "--json", folder=tmp_path)
        document = json.loads(done.stdout)
        assert sorted(document) == ["device", "files", "isolation", "programs", "report"]
        assert (document["device"], document["programs"], document["files"]) == ("manila", [], [])
        assert len(HaloReport.from_dict(document["report"]).programs) == 2
        assert list(tmp_path.iterdir()) == []

    def test_same_seed_same_document(self, tmp_path: Path) -> None:
        bell = PROGRAMS / "bell.qasm"
        arguments = (bell, bell, "--device", "manila", "--shots", "50", "--json")
        first, again, other = (run(*arguments, "--seed", seed, folder=tmp_path).stdout for seed in ("7", "7", "8"))
        assert first == again
        assert json.loads(first)["programs"] != json.loads(other)["programs"]


def test_more_programs_than_qubits_take_turns(tmp_path: Path) -> None:
    files = [PROGRAMS / "bell.qasm"] * 6
    done = run(*files, "--device", "manila", "--no-run", "--json", "--success-floor", "0", folder=tmp_path)
    report = HaloReport.from_dict(json.loads(done.stdout)["report"])
    assert report.num_handovers > 0
    assert {lease.kind for lease in report.leases} == {"program", "reset"}


def test_excluded_qubits_stay_free(tmp_path: Path) -> None:
    bell = PROGRAMS / "bell.qasm"
    done = run(bell, "--device", "manila", "--no-run", "--json", "--exclude", "0,1,2", folder=tmp_path)
    (program,) = HaloReport.from_dict(json.loads(done.stdout)["report"]).programs
    assert program.qubits == (3, 4)
