"""Bad input, as a user meets it: what was wrong, which program, what to do; and nothing half-done."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from qiskit import transpile
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.transpiler import Target

from qiskit_halo import HaloError, HaloWarning, LocalSampler, MultiProgramCircuit, generate_halo_pass_manager
from tests.targets import make_target

COMMAND = str(Path(sys.executable).parent / "qiskit-halo")
BELL = Path(__file__).parents[2] / "examples" / "programs" / "bell.qasm"

Compile = Callable[[MultiProgramCircuit, Target], QuantumCircuit]


def ghz(num_qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, num_qubits)
    circuit.h(0)
    for qubit in range(num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def merge(*widths: int) -> MultiProgramCircuit:
    return MultiProgramCircuit([ghz(width) for width in widths], names=["ann", "bo", "cy"][: len(widths)])


def sweep() -> tuple[QuantumCircuit, list[list[float]]]:
    circuit = QuantumCircuit(1, 1)
    circuit.ry(Parameter("a"), 0)
    circuit.measure(0, 0)
    return circuit, [[0.1], [0.2]]


class TestPrograms:
    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: MultiProgramCircuit([]), "there are no programs; give at least one circuit"),
            (
                lambda: MultiProgramCircuit([ghz(2), QuantumCircuit(2, 2)], names=["ann", "bo"]),
                "Program 1 ('bo') has no measurement, so it has no result; add one",
            ),
            (
                lambda: MultiProgramCircuit([ghz(2), ghz(2)], shots=[10, 0], names=["ann", "bo"]),
                "Program 1 ('bo'): shots must be a whole number of at least 1, not 0",
            ),
            (
                lambda: MultiProgramCircuit([ghz(2), ghz(2)], shots=[10]),
                "there are 1 numbers of shots for 2 programs; give one number for all, or one a program",
            ),
            (
                lambda: MultiProgramCircuit([ghz(2), ghz(2)], names=["ann"]),
                "there are 1 names for 2 programs; give one name a program",
            ),
            (
                lambda: MultiProgramCircuit([ghz(2), ghz(2)], names=["ann", "ann"]),
                "programs 0 and 1 are both named 'ann'; give every program its own name",
            ),
            (
                lambda: MultiProgramCircuit([ghz(2), sweep()]),
                "Program 1 is a PUB with a parameter sweep of shape (2,); give one set of values, and one PUB for each",
            ),
        ],
    )
    def test_cannot_be_merged(self, make: Callable[[], object], message: str) -> None:
        with pytest.raises(HaloError, match=re.escape(message)):
            make()


def by_transpile(merged: MultiProgramCircuit, target: Target) -> QuantumCircuit:
    return transpile(
        merged.fold(target.num_qubits),
        target=target,
        layout_method="halo",
        scheduling_method="halo",
        optimization_level=1,
        seed_transpiler=0,
    )


def by_pass_manager(merged: MultiProgramCircuit, target: Target) -> QuantumCircuit:
    return generate_halo_pass_manager(1, target=target, seed_transpiler=0).run(merged.circuit)


def without_reset() -> Target:
    full, target = make_target(4, control_flow=False), Target(num_qubits=4, dt=1e-9)
    for name in full.operation_names:
        if name != "reset":
            target.add_instruction(full.operation_from_name(name), full[name], name=name)
    return target


@pytest.mark.parametrize("compiled", [by_transpile, by_pass_manager])
class TestDevices:
    def test_a_program_wider_than_the_device(self, compiled: Compile) -> None:
        with pytest.raises(HaloError, match=r"Program 1 \('bo'\) .* 6 .* 4 .*; .*(leave it out|larger device)"):
            compiled(merge(2, 6), make_target(4))

    def test_without_reset_sharing_is_off_and_said_to_be_once(self, compiled: Compile) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            isa = compiled(merge(2, 2), without_reset())
        assert [str(w.message).split(",")[0] for w in caught] == ["the device has no reset"]
        assert "reset" not in isa.count_ops()

    def test_without_reset_programs_that_do_not_fit_side_by_side(self, compiled: Compile) -> None:
        message = r"Program 1 \('bo'\) finds no free qubits on this device of 4 .*; take a device that has a reset"
        with (
            pytest.warns(HaloWarning, match="has no reset"),
            pytest.raises(HaloError, match=message),
        ):
            compiled(merge(3, 3), without_reset())

    def test_without_calibration_qubits_count_alike_and_that_is_said_once(self, compiled: Compile) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            compiled(merge(2, 3), make_target(5, errors=False))
        assert [str(w.message).split(":")[0] for w in caught] == ["the device states no errors"]


def test_an_initial_layout_for_a_folded_circuit() -> None:
    with pytest.raises(
        HaloError, match=r"initial_layout cannot be used with a folded circuit.*; leave it out, or merge"
    ):
        transpile(merge(3, 3).fold(4), target=make_target(4), layout_method="halo", initial_layout=[0, 1, 2, 3])


class TestResults:
    def test_of_another_circuit(self) -> None:
        result = LocalSampler(None, noise=False).run([ghz(2)], shots=10).result()
        with pytest.raises(HaloError, match=r"Program 0 \('ann'\) needs register 'p0_c', .*; split the result of this"):
            merge(2, 3).split(result)

    def test_with_registers_of_other_sizes(self) -> None:
        result = LocalSampler(None, noise=False).run([merge(2, 2).circuit], shots=1024).result()
        with pytest.raises(
            HaloError, match=r"Program 1 \('bo'\) has 3 bits in register 'p1_c', but the result has 2; "
        ):
            merge(2, 3).split(result)

    def test_counts_of_another_width(self) -> None:
        with pytest.raises(
            HaloError, match=r"key '00 00' of the counts has 4 bits, but the merged circuit has 5; pass "
        ):
            merge(2, 3).split_counts({"00 00": 5})


class TestCommandLine:
    def refuse(self, *arguments: str | Path, folder: Path) -> str:
        """Run the command, which must fail before it writes anything, and return the one line it says."""
        before = sorted(folder.rglob("*"))
        done = subprocess.run(
            [COMMAND, "run", *map(str, arguments)], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode != 0
        assert sorted(folder.rglob("*")) == before
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) == 1
        return done.stderr

    @pytest.mark.parametrize(
        "header", ['OPENQASM 2.0;\ninclude "qelib1.inc";', 'OPENQASM 3.0;\ninclude "stdgates.inc";']
    )
    def test_a_file_that_does_not_parse(self, header: str, tmp_path: Path) -> None:
        declare = "qreg q[2];" if "2.0" in header else "qubit[2] q;"
        (tmp_path / "bad.qasm").write_text(f"{header}\n{declare}\nfoo q[0];\n")
        said = self.refuse(BELL, "bad.qasm", "--device", "torino", folder=tmp_path)
        assert re.match(r"error: bad.qasm: line 4: .*'?foo'? is not defined", said)

    def test_an_unknown_device(self, tmp_path: Path) -> None:
        said = self.refuse(BELL, "--device", "torinoo", "--out", "out", folder=tmp_path)
        assert said == "error: there is no fake device named 'torinoo'; did you mean torino or toronto?\n"

    def test_an_output_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "taken").write_text("a file")
        said = self.refuse(BELL, "--device", "torino", "--out", "taken/out", folder=tmp_path)
        assert said == "error: output folder taken/out cannot be written: Not a directory; choose another with --out\n"
