"""OpenQASM files to circuits with marked helpers."""

from __future__ import annotations

from pathlib import Path

import pytest
from qiskit import QuantumCircuit, QuantumRegister
from qiskit.circuit import AncillaRegister, IfElseOp
from qiskit.quantum_info import Operator

from qiskit_halo.cli.qasm import load_circuit, load_programs, mark_helpers
from qiskit_halo.errors import HaloValueError

HEADER_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEADER_3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str, name: str = "program.qasm") -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


class TestLoadCircuit:
    def test_version_is_read_behind_comments(self, write) -> None:
        two = load_circuit(write("// OPENQASM 3.0;\n\n" + HEADER_2 + "qreg q[2]; creg c[1]; h q[0];"))
        three = load_circuit(write("// OPENQASM 2.0;\n/* a\nb */ " + HEADER_3 + "qubit[2] q; bit[1] c; h q[0];"))
        assert two.count_ops() == three.count_ops() == {"h": 1}

    def test_include_is_found_beside_the_file(self, write) -> None:
        write("gate mine a { h a; x a; }", "mine.inc")
        path = write('OPENQASM 2.0; include "qelib1.inc"; include "mine.inc"; qreg q[1]; mine q[0];')
        assert load_circuit(path).count_ops() == {"mine": 1}

    def test_single_bits_are_gathered_in_order(self, write) -> None:
        circuit = load_circuit(
            write(HEADER_3 + "qubit[2] bits; bit a; bit[1] c; bit b; a = measure bits[0]; b = measure bits[1];")
        )
        assert [(r.name, r.size) for r in circuit.cregs] == [("c", 1), ("bits_2", 2)]
        written = [instruction.clbits[0] for instruction in circuit.data]
        assert written == list(circuit.cregs[1])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (HEADER_2 + "qreg q[2];\nh q[3];\n", r"line 4: index 3 is out-of-range"),
            (HEADER_2 + "qreg q[2]\nh q[1];\n", r"line 4: needed ';'"),
            (HEADER_3 + "qubit[2] q;\nfoo q[0];\n", r"line 4: gate 'foo' is not defined"),
            (HEADER_3 + "qubit[2] q\nh q[1];\n", r"line 4: syntax error at 'h'"),
            (HEADER_3 + "qubit[2] q;\n\nh q[3];\n", r"line 5: index out of range"),
            (HEADER_3 + "qubit q; @@ $%", r"line 3: syntax error"),
            ("hello", r"line 1: is not OpenQASM 2 or 3; begin it with"),
            ("OPENQASM 4.0;", r"line 1: is not OpenQASM 2 or 3"),
            (HEADER_3 + "input float[64] a; qubit q; rz(a) q;", r"input 'a' has no value"),
        ],
    )
    def test_errors_give_file_and_line(self, write, text: str, message: str) -> None:
        path = write(text)
        with pytest.raises(HaloValueError, match=message) as caught:
            load_circuit(path)
        assert caught.value.message.startswith(f"{path}: ")
        assert "\n" not in caught.value.message

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(HaloValueError, match=r"nowhere\.qasm: cannot be read: No such file"):
            load_circuit(tmp_path / "nowhere.qasm")

    def test_binary_file(self, tmp_path: Path) -> None:
        path = tmp_path / "picture.qasm"
        path.write_bytes(b"\x89PNG\xff")
        with pytest.raises(HaloValueError, match="not a text file"):
            load_circuit(path)


class TestMarkHelpers:
    def test_positions_and_action_stay(self) -> None:
        circuit = QuantumCircuit(QuantumRegister(1, "anc"), QuantumRegister(2, "q"), global_phase=0.5, name="n")
        circuit.h(0)
        circuit.ccx(0, 2, 1)
        marked = mark_helpers(circuit, ["anc*"])
        assert [marked.find_bit(bit).index for bit in marked.ancillas] == [0]
        assert [type(r) for r in marked.qregs] == [AncillaRegister, QuantumRegister]
        assert Operator(marked) == Operator(circuit)
        assert (marked.name, marked.metadata) == ("n", circuit.metadata)

    def test_control_flow_and_overlapping_registers_survive(self, write) -> None:
        path = write(
            HEADER_3
            + "qubit[2] q; qubit[2] helper; let all = q ++ helper; bit[2] c; bit[2] d;\n"
            + "h helper[1]; c[1] = measure helper[1];\n"
            + "if (c == 2) { x q[0]; if (c[1]) { cx helper[1], q[1]; } } else { h all; }\n"
            + "d = measure q;"
        )
        (program,) = load_programs([path])
        circuit = program.circuit
        assert [circuit.find_bit(bit).index for bit in circuit.ancillas] == [2, 3]
        assert [circuit.find_bit(bit).index for bit in circuit.qregs[-1]] == [0, 1, 2, 3]
        plain = load_circuit(path)
        (branch,) = [i for i in circuit.data if isinstance(i.operation, IfElseOp)]
        (plain_branch,) = [i for i in plain.data if isinstance(i.operation, IfElseOp)]
        assert [b.count_ops() for b in branch.operation.blocks] == [
            b.count_ops() for b in plain_branch.operation.blocks
        ]
        assert branch.operation.condition == plain_branch.operation.condition
        assert branch.clbits == plain_branch.clbits
        positions = [circuit.find_bit(bit).index for bit in branch.qubits]
        assert positions == [plain.find_bit(bit).index for bit in plain_branch.qubits]

    def test_without_helpers_nothing_is_touched(self) -> None:
        circuit = QuantumCircuit(2)
        assert mark_helpers(circuit, ["anc*"]) is circuit


class TestLoadPrograms:
    def test_helper_registers_by_name(self, write) -> None:
        text = HEADER_2 + "qreg q[2]; qreg anc1[1]; qreg helpers[2]; qreg spare[3]; creg c[1];"
        path = write(text)
        assert [p.circuit.num_ancillas for p in load_programs([path])] == [3]
        assert [p.circuit.num_ancillas for p in load_programs([path], helpers=["spa?e"])] == [6]

    def test_unknown_helper_register(self, write) -> None:
        path = write(HEADER_2 + "qreg q[2]; qreg anc[1];")
        with pytest.raises(HaloValueError, match=r"named 'work'.* the registers are q, anc"):
            load_programs([path], helpers=["work"])

    def test_names_are_those_of_the_files_made_unique(self, write) -> None:
        text = HEADER_2 + "qreg q[1]; creg c[1];"
        paths = [write(text, name) for name in ("a.qasm", "sub/a.qasm", "a_2.qasm", "a.qasm")]
        assert [p.name for p in load_programs(paths)] == ["a", "a_3", "a_2", "a_4"]
