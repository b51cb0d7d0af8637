"""What the command line prints and writes, from reports and results built by hand."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.primitives import BitArray, DataBin, SamplerPubResult
from rich.console import Console

from qiskit_halo.cli.devices import load_device
from qiskit_halo.cli.output import check_folder, most_frequent, program_counts, write_counts, write_plan
from qiskit_halo.cli.qasm import ProgramFile
from qiskit_halo.cli.table import PIPE_WIDTH, report_table
from qiskit_halo.errors import HaloValueError
from qiskit_halo.report import HaloReport
from tests.report_samples import crowded_report, small_report


def printed(report: HaloReport, **kwargs: object) -> list[str]:
    text = io.StringIO()
    Console(file=text, width=PIPE_WIDTH).print(report_table(report, **kwargs))  # type: ignore[arg-type]
    return [line.rstrip() for line in text.getvalue().splitlines()]


class TestReportTable:
    def test_one_row_a_program_and_the_batch_below(self) -> None:
        lines = printed(small_report(), isolation="isolation check passed")
        cells = [line.split() for line in lines]
        assert cells[0] == ["start", "length", "success"]
        assert cells[1] == ["#", "program", "qubits", "helpers", "µs", "µs", "alone", "merged"]
        assert cells[2] == ["0", "ann", "2", "0", "0.00", "2.00", "0.900", "0.850"]
        assert cells[3] == ["1", "bo", "2", "1", "0.00", "8.00", "0.900", "0.850"]
        assert "3 programs on 4 of 5 qubits, 2 hand-overs" in lines
        assert "makespan: 8.00 µs" in lines
        assert any(line.endswith("2.9 at 250 µs, 2.6 at 50 µs, 1.5 at 0 µs") for line in lines)
        assert lines[-1] == "isolation check passed"

    def test_a_hundred_programs_keep_one_line_each(self) -> None:
        lines = printed(crowded_report(100), outcomes=dict.fromkeys(range(100), "01" * 12 + "… (7%)"))
        rows = lines[2:102]
        assert [row.split()[:2] for row in rows] == [[str(k), f"prog_{k}"] for k in range(100)]
        assert max(map(len, lines)) <= PIPE_WIDTH

    def test_fits_a_narrow_terminal(self) -> None:
        text = io.StringIO()
        outcomes = dict.fromkeys(range(3), "01" * 12 + "… (7%)")
        Console(file=text, width=80).print(report_table(small_report(), outcomes=outcomes))
        lines = text.getvalue().splitlines()
        assert [line.split()[1] for line in lines[2:5]] == ["ann", "bo", "cy"]
        assert all("0101" in line for line in lines[2:5])

    def test_unknown_values_show_as_such(self) -> None:
        nobody = replace(
            small_report().programs[0], index=None, name="(no owner)", success_alone=None, success_merged=None
        )
        lines = printed(small_report(programs=(nobody,)), outcomes={})
        assert lines[2].split() == ["-", "(no", "owner)", "2", "0", "0.00", "2.00", "-", "-", "-"]

    def test_names_are_not_markup(self) -> None:
        program = replace(small_report().programs[0], name="[bold]x[/]")
        assert "[bold]x[/]" in printed(small_report(programs=(program,)))[2]

    def test_says_how_sure_times_are(self) -> None:
        estimated = printed(small_report(timing="estimated"))
        assert "makespan: 8.00 µs (estimated: control flow)" in estimated
        ordered = printed(small_report(timing="order only", makespan_s=12.0, qpu_time_ratios={}))
        assert "makespan: not known: the device states no durations" in ordered
        assert any(line.endswith("by repetition delay: not known") for line in ordered)


def pub_result(**registers: list[str]) -> SamplerPubResult:
    arrays = {
        name: BitArray.from_samples([int(text, 2) for text in shots], num_bits=len(shots[0]))
        for name, shots in registers.items()
    }
    return SamplerPubResult(DataBin(**arrays, shape=()))


PROGRAM = ProgramFile(path=Path("a/prog.qasm"), name="prog", circuit=QuantumCircuit(1))


class TestCounts:
    def test_keys_are_those_of_the_users_circuit(self) -> None:
        counts = program_counts(3, PROGRAM, pub_result(c=["01", "01", "10"], d=["0", "1", "0"]))
        assert counts == {
            "version": 1,
            "index": 3,
            "program": "prog",
            "file": str(Path("a/prog.qasm")),
            "shots": 3,
            "counts": {"0 01": 1, "0 10": 1, "1 01": 1},
            "registers": {"c": {"01": 2, "10": 1}, "d": {"0": 2, "1": 1}},
        }

    def test_most_frequent_outcome(self) -> None:
        counts = program_counts(0, PROGRAM, pub_result(c=["01", "01", "10"]))
        assert most_frequent(counts) == "01 (67%)"
        wide = program_counts(0, PROGRAM, pub_result(c=["0" * 30 + "1" * 30]))
        assert most_frequent(wide) == f"{'0' * 12}…{'1' * 12} (100%)"
        empty = program_counts(0, PROGRAM, SamplerPubResult(DataBin(shape=())))
        assert most_frequent(empty) == "nothing measured"


class TestFolder:
    def test_plan_and_counts_are_written(self, tmp_path: Path) -> None:
        from qiskit import qpy

        folder = tmp_path / "deep" / "result"
        check_folder(folder, counts=True)
        circuit = QuantumCircuit(1, name="merged", metadata={"halo": {"version": 1}})
        written = write_plan(folder, small_report(), circuit, pictures=True)
        written += write_counts(folder, [program_counts(0, PROGRAM, pub_result(c=["01"]))])
        assert [str(path.relative_to(folder)) for path in written] == [
            "report.json",
            "merged.qpy",
            "chip.png",
            "timeline.png",
            "counts/prog.json",
        ]
        assert HaloReport.from_dict(json.loads(written[0].read_text())) == small_report()
        with written[1].open("rb") as file:
            assert qpy.load(file)[0].metadata == {"halo": {"version": 1}}
        assert all(path.read_bytes().startswith(b"\x89PNG") for path in written[2:4])
        assert json.loads(written[4].read_text())["counts"] == {"01": 1}

    def test_a_folder_below_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(HaloValueError, match=r"file/out cannot be written: Not a directory"):
            check_folder(tmp_path / "file" / "out", counts=True)

    def test_checking_leaves_nothing_behind(self, tmp_path: Path) -> None:
        check_folder(tmp_path, counts=False)
        assert list(tmp_path.rglob("*")) == []
        check_folder(tmp_path, counts=True)
        assert [path.name for path in tmp_path.rglob("*")] == ["counts"]


class TestDevices:
    @pytest.mark.parametrize("name", ["manila", "Manila", "fake_manila", "FakeManilaV2", "fake-manila"])
    def test_short_and_long_names(self, name: str) -> None:
        assert load_device(name).num_qubits == 5

    def test_unknown_name_gives_the_nearest(self) -> None:
        with pytest.raises(HaloValueError, match=r"no fake device named 'turino'; did you mean torino"):
            load_device("turino")

    def test_hopeless_name_gives_all(self) -> None:
        with pytest.raises(HaloValueError, match=r"known are .*brisbane.*torino"):
            load_device("xxxxxxxx")


def test_counts_agree_with_the_joined_result() -> None:
    samples = np.random.default_rng(0).integers(0, 4, size=50)
    result = pub_result(c=[f"{s & 1}" for s in samples], d=[f"{s >> 1}" for s in samples])
    joined = {key.replace(" ", ""): n for key, n in program_counts(0, PROGRAM, result)["counts"].items()}
    assert joined == result.join_data(["c", "d"]).get_counts()
