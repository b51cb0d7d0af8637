"""The command as a user meets it when something is wrong: one line, the right exit code, before any work."""

from __future__ import annotations

import importlib.util
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from qiskit_halo.cli import main, run
from qiskit_halo.errors import HaloError, HaloWarning, IsolationError

ROOT = Path(__file__).parents[2]
BELL = str(ROOT / "examples" / "programs" / "bell.qasm")

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command on arguments and return exit code, standard output and standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["qiskit-halo", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        assert code is None or isinstance(code, int)
        captured = capsys.readouterr()
        return code or 0, captured.out, captured.err

    return call


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let compiling fail the test."""

    def compile_nothing(*_: object, **__: object) -> None:
        pytest.fail("compiled although the input is wrong")

    monkeypatch.setattr(run, "generate_halo_pass_manager", compile_nothing)


def assert_one_line(error: str, message: str) -> None:
    assert re.fullmatch(rf"error: .*{message}.*\n", error), error


@pytest.mark.usefixtures("no_work")
class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--device", "turino"], r"no fake device named 'turino'; did you mean torino"),
            (["--device", "?"], r"no fake device named '\?'; known are .*, torino, .*[^?]"),
            (["--device", "manila", "--seed", "-1"], r"--seed must be at least 0, not -1"),
            (["--device", "manila", "--shots", "many"], r"--shots takes whole numbers .* not 'many'"),
            (["--device", "manila", "--shots", "10,20"], r"--shots gives 2 numbers for 1 programs"),
            (["--device", "manila", "--shots", "0"], r"shots"),
            (["--device", "manila", "--level", "4"], r"--level must be 0, 1, 2 or 3, not 4"),
            (["--device", "manila", "--exclude", "1;2"], r"--exclude takes whole numbers"),
            (["--device", "manila", "--sharing", "some"], r"sharing must be one of none, helpers, all"),
            (["--device", "manila", "--success-floor", "2"], r"success_floor must lie in \[0, 1\]"),
            (["--device", "manila", "--policy", "mine"], r"policy must be one of auto, round_robin, packed"),
            (["--device", "manila", "--weak-success", "2"], r"weak_success must lie in \[0, 1\]"),
            (["--device", "manila", "--max-wait", "-1"], r"max_wait_s must be seconds of at least 0"),
            (["--device", "manila", "--weights", "1;2"], r"--weights takes numbers with commas"),
            (["--device", "manila", "--weights", "1,2", "--no-run"], r"weights gives 2 numbers for 1 programs"),
            (["--device", "manila", "--idle-fill", "x"], r"idle_fill must be one of delay, dd"),
            (["--device", "manila", "--reset-model", "x"], r"reset_model must be one of stays, flips"),
            (["--device", "manila", "--feed-forward", "-1"], r"feed_forward_s must be seconds of at least 0"),
            (
                ["--device", "manila", "--crosstalk", "no.json"],
                r"--crosstalk cannot read no.json as JSON: .*No such file",
            ),
            (["--device", "manila", "--crosstalk", str(BELL)], r"--crosstalk cannot read .* as JSON: Expecting value"),
            (["--device", "manila", "--readout-crosstalk", "1"], r"readout_crosstalk must lie in \[0, 1\), not 1.0"),
            (["--device", "manila", "--helpers", "work"], r"no program has a quantum register named 'work'"),
        ],
    )
    def test_options(self, call: Call, arguments: list[str], message: str) -> None:
        code, out, err = call("run", BELL, *arguments)
        assert (code, out) == (2, "")
        assert_one_line(err, message)

    def test_missing_file(self, call: Call, tmp_path: Path) -> None:
        code, out, err = call("run", str(tmp_path / "no.qasm"), "--device", "manila")
        assert (code, out) == (2, "")
        assert_one_line(err, r"no\.qasm: cannot be read: No such file or directory")

    def test_file_that_does_not_parse(self, call: Call, tmp_path: Path) -> None:
        path = tmp_path / "bad.qasm"
        path.write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nh q[1];\n')
        code, _, err = call("run", BELL, str(path), "--device", "manila")
        assert code == 2
        assert_one_line(err, r"bad\.qasm: line 4: ")

    def test_program_without_measurement(self, call: Call, tmp_path: Path) -> None:
        path = tmp_path / "silent.qasm"
        path.write_text('OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\nh q[0];\n')
        code, _, err = call("run", BELL, str(path), "--device", "manila")
        assert code == 2
        assert_one_line(err, r"1 \('silent'\).*measure")

    def test_output_folder_is_tried_before_any_work(self, call: Call, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        out_folder = tmp_path / "file" / "out"
        code, out, err = call("run", str(BELL), "--device", "manila", "--out", str(out_folder))
        assert (code, out) == (2, "")
        assert_one_line(err, r"output folder .*file/out cannot be written: Not a directory")

    @pytest.mark.parametrize(
        ("module", "extra", "way_out"),
        [("qiskit_aer", "aer", "--no-run"), ("matplotlib", "visualization", "--no-pictures")],
    )
    def test_missing_extra_is_seen_first(
        self,
        call: Call,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        module: str,
        extra: str,
        way_out: str,
    ) -> None:
        find_spec = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda name, *rest: None if name == module else find_spec(name, *rest),
        )
        code, _, err = call("run", BELL, "--device", "manila", "--out", str(tmp_path))
        assert code == 2
        assert_one_line(err, rf"pip install 'qiskit-halo\[{extra}\]', or go without by {way_out}")

    def test_a_folder_instead_of_a_file(self, call: Call, tmp_path: Path) -> None:
        code, out, err = call("run", str(tmp_path), "--device", "manila")
        assert (code, out) == (2, "")
        assert_one_line(err, r"is a folder; name the files in it, as in .*/\*\.qasm")


class TestHowErrorsAreTold:
    @pytest.mark.parametrize(("error", "code"), [(HaloError("odd\n thing"), 2), (IsolationError("odd thing"), 1)])
    def test_one_line_and_no_traceback(
        self, call: Call, monkeypatch: pytest.MonkeyPatch, error: HaloError, code: int
    ) -> None:
        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr(run, "run", fail)
        assert call("run", BELL, "--device", "manila") == (code, "", "error: odd thing\n")

    def test_faults_of_the_program_keep_their_traceback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(run, "run", fail)
        monkeypatch.setattr("sys.argv", ["qiskit-halo", "run", BELL, "--device", "manila"])
        with pytest.raises(ZeroDivisionError):
            main()

    def test_warnings_are_one_line_too(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        def warn(*_: object) -> None:
            warnings.warn("something is\nnot as asked", HaloWarning, stacklevel=1)
            raise HaloError("stop")

        monkeypatch.setattr(run, "run", warn)
        _, _, err = call("run", BELL, "--device", "manila")
        assert err == "warning: something is not as asked\nerror: stop\n"


class TestHelp:
    def test_version(self, call: Call) -> None:
        code, out, _ = call("--version")
        assert code == 0
        assert re.fullmatch(r"qiskit-halo \d+\.\d+\.\d+\S*\n", out)

    def test_every_option_is_explained(self, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "200")
        code, out, _ = call("run", "--help")
        assert code == 0
        names = "device shots seed level helpers sharing success-floor weak-success resets buffer max-duration exclude reuse out"
        names += " policy max-wait weights scrub idle-fill feed-forward crosstalk readout-crosstalk reset-model"
        for option in (*names.split(), "no-run", "no-noise", "no-pictures", "json"):
            assert f"--{option}" in out

    def test_device_is_required(self, call: Call) -> None:
        code, _, err = call("run", BELL)
        assert code == 2
        assert "--device" in err
