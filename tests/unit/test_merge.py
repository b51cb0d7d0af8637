"""A list of programs -> one circuit. Exact distributions are compared, not shots."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from qiskit import qpy, transpile
from qiskit.circuit import (
    AncillaRegister,
    AnnotatedOperation,
    ClassicalRegister,
    Clbit,
    ControlModifier,
    Gate,
    IfElseOp,
    Instruction,
    Parameter,
    ParameterVector,
    QuantumCircuit,
    QuantumRegister,
    Qubit,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import (
    C3XGate,
    GlobalPhaseGate,
    MCMTGate,
    MCXGate,
    MultiplierGate,
    PauliEvolutionGate,
    PermutationGate,
    UnitaryGate,
    XGate,
    ZGate,
)
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, random_unitary

from qiskit_halo.errors import HaloValueError
from qiskit_halo.programs.load import load_programs
from qiskit_halo.programs.merge import MergedPrograms, merge_programs
from qiskit_halo.programs.program import Program
from qiskit_halo.verification.equivalence import distribution_distance, outcome_distribution


def merge(*circuits: QuantumCircuit) -> MergedPrograms:
    return merge_programs(load_programs(circuits))


def check_exact(*circuits: QuantumCircuit) -> QuantumCircuit:
    """Merge, compare every program's outcomes with those of its own circuit, return the merged circuit."""
    merged = merge(*circuits).circuit
    for index, circuit in enumerate(circuits):
        assert distribution_distance(circuit, merged, index) < 1e-12
    return merged


def qpy_bytes(circuit: QuantumCircuit) -> bytes:
    file = io.BytesIO()
    qpy.dump(circuit, file)
    return file.getvalue()


def own_gate(name: str, angle: float) -> Gate:
    inner = QuantumCircuit(1, name=name)
    inner.rx(angle, 0)
    return inner.to_gate()


# ------------------------------------------------------------------------------------------ registers


def test_registers_are_named_and_ordered():
    first = QuantumCircuit(AncillaRegister(1, "h"), QuantumRegister(2, "q"), ClassicalRegister(2, "c"))
    first.measure([0, 1], [0, 1])
    second = QuantumCircuit(
        QuantumRegister(1, "q"), AncillaRegister(2, "h"), ClassicalRegister(1, "c"), ClassicalRegister(1, "d")
    )
    second.measure(0, 1)
    merged = merge(first, second)
    assert [(r.name, len(r)) for r in merged.circuit.qregs] == [
        ("p0_q", 2),
        ("p1_q", 1),
        ("p0_h", 1),
        ("p1_h", 2),
    ]
    assert [isinstance(r, AncillaRegister) for r in merged.circuit.qregs] == [False, False, True, True]
    assert [(r.name, len(r)) for r in merged.circuit.cregs] == [("p0_c", 2), ("p1_c", 1), ("p1_d", 1)]
    assert merged.qubits == ((3, 0, 1), (2, 4, 5))


def test_loose_bits_are_carried():
    circuit = QuantumCircuit([Qubit(), Qubit()], [Clbit(), Clbit()], ClassicalRegister(1, "c"))
    circuit.x(1)
    circuit.measure([0, 1], [0, 1])
    circuit.measure(1, 2)
    merged = check_exact(circuit, circuit)
    assert [(r.name, len(r)) for r in merged.cregs][:2] == [("p0_c", 1), ("p0_loose", 2)]
    assert outcome_distribution(merged, registers=["p1_c", "p1_loose"]) == {"101": 1.0}


def test_a_register_called_loose_keeps_its_name():
    circuit = QuantumCircuit(QuantumRegister(1, "q"), [Clbit()], ClassicalRegister(1, "loose"))
    circuit.measure(0, 1)
    assert [r.name for r in merge(circuit).circuit.cregs] == ["p0_loose", "p0_loose_1"]


def test_shared_bits_go_to_the_first_register_that_holds_them():
    circuit = QuantumCircuit(3)
    circuit.add_register(ClassicalRegister(3, "c"))
    circuit.add_register(ClassicalRegister(bits=[Clbit(), circuit.clbits[1], Clbit()], name="d"))
    circuit.add_register(ClassicalRegister(bits=[circuit.clbits[4], circuit.clbits[0]], name="e"))
    circuit.x([0, 1])
    circuit.measure([0, 1, 2], [1, 4, 0])
    merged = check_exact(circuit, circuit)
    assert [(r.name, len(r)) for r in merged.cregs[:2]] == [("p0_c", 3), ("p0_d", 2)]
    entry = merged.metadata["halo"]["programs"][0]
    assert entry["registers"][1] == {"name": "d", "size": 3, "bits": [["p0_d", 0], ["p0_c", 1], ["p0_d", 1]]}
    assert entry["registers"][2]["bits"] == [["p0_d", 1], ["p0_c", 0]]
    assert entry["merged_registers"] == [["p0_c", 3], ["p0_d", 2]]
    assert entry["aliases"] == []


def test_a_condition_on_a_register_that_shares_bits_gets_an_alias():
    circuit = QuantumCircuit(2)
    circuit.add_register(ClassicalRegister(2, "c"))
    circuit.add_register(ClassicalRegister(bits=[circuit.clbits[1], circuit.clbits[0]], name="back"))
    circuit.x(0)
    circuit.measure(0, 0)
    with circuit.if_test((0, 1)), circuit.if_test((circuit.cregs[1], 2)):
        circuit.x(1)
    circuit.measure(1, 1)
    merged = check_exact(circuit, circuit)
    assert [r.name for r in merged.cregs] == ["p0_c", "p1_c", "p0_back_alias", "p1_back_alias"]
    assert list(merged.cregs[3]) == [merged.cregs[1][1], merged.cregs[1][0]]
    assert merged.metadata["halo"]["programs"][1]["aliases"] == ["p1_back_alias"]
    assert outcome_distribution(merged, registers=["p1_c"]) == {"11": 1.0}


def test_a_condition_on_a_register_equal_to_a_base_register_needs_no_alias():
    circuit = QuantumCircuit(1)
    circuit.add_register(ClassicalRegister(2, "c"))
    circuit.add_register(ClassicalRegister(bits=list(circuit.clbits), name="same"))
    with circuit.if_test((circuit.cregs[1], 0)):
        circuit.x(0)
    circuit.measure(0, 0)
    assert [r.name for r in check_exact(circuit).cregs] == ["p0_c"]


def test_names_that_become_equal_stay_apart():
    circuit = QuantumCircuit(QuantumRegister(1, "a.b"))
    for name in ("a b", "a_b", "a-b"):
        circuit.add_register(ClassicalRegister(1, name))
    circuit.measure(0, 2)
    merged = merge(circuit).circuit
    assert [r.name for r in merged.cregs] == ["p0_a_b_1", "p0_a_b", "p0_a_b_2"]
    assert merged.qregs[0].name == "p0_a_b_3"


def test_names_that_look_like_ours_stay_apart():
    circuit = QuantumCircuit(QuantumRegister(1, "q"), ClassicalRegister(1, "p1_c"), ClassicalRegister(1, "c"))
    circuit.measure(0, 0)
    names = [r.name for r in merge(circuit, circuit).circuit.cregs]
    assert names == ["p0_p1_c", "p0_c", "p1_p1_c", "p1_c"]


def test_a_register_of_no_bits_is_only_in_the_metadata():
    circuit = QuantumCircuit(QuantumRegister(1), ClassicalRegister(0, "none"), ClassicalRegister(1, "c"))
    circuit.measure(0, 0)
    merged = check_exact(circuit)
    assert [r.name for r in merged.cregs] == ["p0_c"]
    assert merged.metadata["halo"]["programs"][0]["registers"][0] == {"name": "none", "size": 0, "bits": []}


def test_a_helper_that_shares_a_register_with_data():
    circuit = QuantumCircuit(QuantumRegister(2, "q"), ClassicalRegister(1, "c"))
    circuit.add_register(AncillaRegister(bits=None, size=1, name="h"))
    circuit.add_register(QuantumRegister(bits=[circuit.qubits[2], Qubit()], name="mixed"))
    circuit.measure(0, 0)
    merged = check_exact(circuit)
    assert [(r.name, len(r)) for r in merged.qregs] == [("p0_q", 2), ("p0_mixed", 1), ("p0_h", 1)]


# ----------------------------------------------------------------------------------------- operations


def test_everything_that_is_no_gate():
    circuit = QuantumCircuit(3, 3, global_phase=0.3)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.delay(100, 0)
    circuit.delay(1e-6, 1, unit="s")
    circuit.barrier()
    circuit.barrier(0, 2)
    circuit.swap(0, 1)
    circuit.append(UnitaryGate(random_unitary(4, seed=1)), [1, 2])
    circuit.measure([0, 1], [1, 2])
    circuit.reset([0, 1, 2])
    merged = check_exact(circuit, circuit)
    counts = merged.count_ops()
    assert (counts["reset"], counts["barrier"], counts["delay"], counts["swap"]) == (8, 4, 4, 2)
    assert merged.global_phase == pytest.approx(0.6)
    assert {len(i.qubits) for i in merged.data if i.name == "barrier"} == {2, 3}


def test_a_composite_that_hides_a_reset_is_opened():
    inner = QuantumCircuit(2, 1, name="inner")
    inner.cx(0, 1)
    inner.reset(1)
    inner.measure(0, 0)
    outer = QuantumCircuit(2, 1, name="outer", global_phase=0.25)
    outer.h(0)
    outer.append(inner.to_instruction(), [1, 0], [0])
    circuit = QuantumCircuit(2, 2)
    circuit.ry(0.4, 1)
    circuit.append(outer.to_instruction(), [1, 0], [1])
    with circuit.if_test((1, 0)):
        circuit.append(outer.to_instruction(), [0, 1], [0])
    circuit.initialize([0, 1], 0)
    circuit.measure([0, 1], [0, 1])
    merged = check_exact(circuit, circuit)
    names = list(merged.count_ops())
    assert "outer" not in names
    assert "inner" not in names
    block = next(i.operation.blocks[0] for i in merged.data if i.name == "if_else")
    assert dict(block.count_ops()) == {"h": 1, "cx": 1, "reset": 1, "measure": 1}
    assert block.global_phase == 0.25


def test_a_definition_with_its_own_condition_is_opened():
    definition = QuantumCircuit(1, 2)
    definition.x(0)
    definition.measure(0, 1)
    with definition.if_test((definition.cregs[0], 2)):
        definition.x(0)
    opaque = Instruction("conditional", 1, 2, [])
    opaque.definition = definition
    circuit = QuantumCircuit(1, 3)
    circuit.append(opaque, [0], [2, 1])
    with circuit.if_test((1, 1)):
        circuit.append(opaque, [0], [0, 2])
    circuit.measure(0, 0)
    merged = check_exact(circuit, circuit)
    assert "conditional" not in merged.count_ops()


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_equal_gate_names_with_different_definitions(level):
    circuits = []
    for angle in (0.4, 2.1):
        circuit = QuantumCircuit(2, 2)
        circuit.h(0)
        circuit.append(own_gate("oracle", angle), [1])
        circuit.append(own_gate("oracle", angle).control(), [0, 1])
        circuit.append(own_gate("h", angle), [0])  # a name that Qiskit knows as another gate
        circuit.append(AnnotatedOperation(own_gate("h", angle), ControlModifier(1)), [1, 0])
        circuit.measure([0, 1], [0, 1])
        circuits.append(circuit)
    merged = check_exact(*circuits)
    isa = transpile(merged, GenericBackendV2(4, seed=1), optimization_level=level, seed_transpiler=1)
    for index, circuit in enumerate(circuits):
        assert distribution_distance(circuit, isa, index) < 1e-9


def test_an_operation_without_definition_stays():
    circuit = QuantumCircuit(4, 1)
    circuit.append(Gate("native", 1, []), [0])
    circuit.mcx([0, 1, 2], 3)
    circuit.measure(0, 0)
    assert merge(circuit, circuit).circuit.count_ops()["native"] == 2


@pytest.mark.parametrize(
    "gate",
    [
        MCXGate(4),
        C3XGate(),
        MCXGate(4, ctrl_state=2),
        AnnotatedOperation(XGate(), ControlModifier(4)),
        MCMTGate(ZGate(), 3, 2),
        MultiplierGate(1),
        PermutationGate([2, 0, 1]),
    ],
    ids=lambda gate: gate.name,
)
def test_synthesis_borrows_no_qubit_of_another_program(gate):
    num_qubits = gate.num_qubits + 2  # two idle qubits a program, which synthesis likes best
    circuit = QuantumCircuit(num_qubits, num_qubits)
    for qubit in range(gate.num_qubits):
        circuit.ry(0.3 + 0.2 * qubit, qubit)
    circuit.append(gate, range(gate.num_qubits))
    circuit.measure(range(gate.num_qubits), range(gate.num_qubits))
    merged = check_exact(circuit, circuit)
    for level in (0, 2):
        out = transpile(merged, basis_gates=["cx", "rz", "sx"], optimization_level=level, seed_transpiler=1)
        for instruction in out.data:
            assert len({out.find_bit(q).index // num_qubits for q in instruction.qubits}) == 1


def test_synthesis_borrows_the_programs_own_idle_qubits():
    def size(num_idle: int) -> int:
        circuit = QuantumCircuit(5 + num_idle, 1)
        circuit.mcx([0, 1, 2, 3], 4)
        circuit.measure(4, 0)
        return merge(circuit).circuit.size()

    assert size(2) < size(0)


def test_high_level_gates_beside_control_flow_and_variables():
    circuit = QuantumCircuit(5, 2)
    flag = circuit.add_var("flag", False)
    stretch = circuit.add_stretch("s")
    circuit.h([0, 1, 2, 3])
    circuit.measure(3, 0)
    circuit.delay(stretch, 0)
    circuit.store(flag, expr.lift(circuit.clbits[0]))
    with circuit.if_test(flag):
        circuit.mcx([0, 1, 2], 4)
    with circuit.for_loop(range(3)):
        circuit.x(0)
        circuit.measure(0, 1)
        with circuit.if_test((1, 1)):
            circuit.break_loop()
        circuit.x(4)
    circuit.mcx([0, 1, 2, 3], 4)
    circuit.measure(4, 1)
    check_exact(circuit, circuit)


def test_a_global_phase_gate_becomes_a_global_phase():
    circuit = QuantumCircuit(1, 1)
    circuit.append(GlobalPhaseGate(0.5))
    circuit.measure(0, 0)
    merged = check_exact(circuit, circuit)
    assert merged.global_phase == pytest.approx(1.0)
    assert list(merged.count_ops()) == ["measure"]


def test_an_operation_that_cannot_be_synthesised_is_an_error():
    circuit = QuantumCircuit(4, 1, name="odd")
    circuit.append(AnnotatedOperation(Gate("native", 2, []), ControlModifier(2)), range(4))
    circuit.measure(0, 0)
    with pytest.raises(HaloValueError) as caught:
        merge(one_bit(), circuit)
    assert caught.value.message.startswith("Program 1 ('odd'): ")
    assert "native" in caught.value.message


def one_bit() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    return circuit


# ------------------------------------------------------------------------- control flow and variables


def test_nested_control_flow_on_own_clbits():
    circuit = QuantumCircuit(2, 3)
    circuit.h(0)
    circuit.measure(0, 2)
    with circuit.if_test((2, 1)) as otherwise, circuit.switch(circuit.cregs[0]) as case:
        with case(4):
            circuit.x(1)
            circuit.measure(1, 0)
            with circuit.if_test(expr.equal(circuit.cregs[0], 5)):
                circuit.h(1)
        with case(case.DEFAULT):
            circuit.y(0)
    with otherwise, circuit.while_loop((0, 0)):
        circuit.x(0)
        circuit.measure(0, 0)
    with circuit.for_loop([1, 2]) as i:
        circuit.rx(i * 0.2, 0)
    with circuit.box():
        circuit.z(0)
    circuit.measure([0, 1], [0, 1])
    merged = check_exact(circuit, one_bit(), circuit)
    for instruction in merged.data:
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                assert set(block.clbits) <= set(merged.clbits)  # nested conditions read bits that exist


def test_blocks_on_bits_of_their_own():
    inner = QuantumCircuit(1, 2)
    inner.x(0)
    body = QuantumCircuit([Qubit()], [Clbit(), Clbit()])
    own = ClassicalRegister(bits=[body.clbits[1], body.clbits[0]], name="own")
    body.add_register(own)
    body.append(IfElseOp((own, 1), inner), [0], [0, 1])
    circuit = QuantumCircuit(2, 3)
    circuit.x(0)
    circuit.measure(0, 1)
    circuit.append(IfElseOp((circuit.clbits[1], 1), body), [1], [2, 1])
    circuit.measure(1, 0)
    merged = check_exact(circuit, circuit)
    assert outcome_distribution(merged, registers=["p1_c"]) == {"011": 1.0}
    assert merged.metadata["halo"]["programs"][1]["aliases"] == ["p1_bits_alias"]


def test_variables_and_stretches_of_equal_names():
    circuit = QuantumCircuit(1, 2)
    count = circuit.add_var("c", expr.lift(0, types.Uint(3)))
    stretch = circuit.add_stretch("wait")
    circuit.delay(stretch, 0)
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.store(count, expr.add(count, expr.cast(circuit.clbits[0], types.Uint(3))))
    with circuit.if_test((0, 1)):
        local = circuit.add_var("local", True)
        with circuit.if_test(expr.logic_and(local, expr.equal(count, 1))):
            circuit.reset(0)
    circuit.measure(0, 1)
    merged = check_exact(circuit, circuit)
    assert sorted(var.name for var in merged.iter_declared_vars()) == ["p0_c_1", "p1_c_1"]  # p0_c is a register
    assert sorted(s.name for s in merged.iter_declared_stretches()) == ["p0_wait", "p1_wait"]
    blocks = [i.operation.blocks[0] for i in merged.data if i.name == "if_else"]
    assert [[v.name for v in block.iter_declared_vars()] for block in blocks] == [["p0_local"], ["p1_local"]]


def test_a_stretch_in_a_box():
    circuit = QuantumCircuit(1, 1)
    stretch = circuit.add_stretch("s")
    with circuit.box(duration=expr.mul(stretch, 2)):
        circuit.x(0)
    circuit.measure(0, 0)
    merged = merge(circuit, circuit).circuit
    durations = [i.operation.duration for i in merged.data if i.name == "box"]
    assert [d.left.name for d in durations] == ["p0_s", "p1_s"]


# ----------------------------------------------------------------------------------------- parameters


def with_parameters(*, storable: bool = False) -> tuple[QuantumCircuit, Parameter, ParameterVector]:
    """A circuit with all kinds of parameters.

    Qiskit writes an expression of several parameters, and a parameterised evolution, differently every time
    that it stores them, so ``storable`` leaves both out.
    """
    theta, vector = Parameter("θ"), ParameterVector("t", 11)
    circuit = QuantumCircuit(2, 2, global_phase=0.1 if storable else theta)
    circuit.rx(theta * 2, 0)
    for element in vector:
        circuit.ry(element, 1)
    if not storable:
        circuit.append(PauliEvolutionGate(SparsePauliOp(["XX"]), time=theta), [0, 1])
    inner = QuantumCircuit(1, name="g")
    inner.rz(theta, 0)
    circuit.append(inner.to_gate(), [0])
    with circuit.for_loop(range(2)) as loop:
        circuit.rx(loop if storable else loop * theta, 0)
    circuit.measure([0, 1], [0, 1])
    return circuit, theta, vector


def test_parameters_of_equal_names():
    circuit, theta, vector = with_parameters()
    other, other_theta, other_vector = with_parameters()
    merged = merge(circuit, other, circuit)
    names = [parameter.name for parameter in merged.circuit.parameters]
    one = [f"t[{i}]" for i in range(11)] + ["θ"]
    assert names == [f"p{k}_{name}" for k in range(3) for name in one]
    for index, (own, mine, vec) in enumerate(
        [(circuit, theta, vector), (other, other_theta, other_vector), (circuit, theta, vector)]
    ):
        mapping = merged.parameters[index]
        assert set(own.parameters) <= set(mapping)
        assert mapping[mine].name == f"p{index}_θ"
        assert isinstance(mapping[vec], ParameterVector)
        assert len(mapping[vec]) == 11
        assert [mapping[element] for element in vec] == list(mapping[vec])


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # the matrix of an evolution
def test_binding_the_merged_circuit_binds_each_program_and_no_user_circuit():
    circuit, theta, vector = with_parameters()
    programs = load_programs([circuit, circuit])
    merged = merge_programs(programs)
    for index, angle in enumerate((0.3, 1.2)):
        mapping = merged.parameters[index]
        merged.circuit.assign_parameters({mapping[theta]: angle, mapping[vector]: np.full(11, angle / 4)}, inplace=True)
        own = circuit.assign_parameters({theta: angle, vector: np.full(11, angle / 4)})
        assert distribution_distance(own, merged.circuit, index) < 1e-12
    assert merged.circuit.global_phase == pytest.approx(1.5)
    for kept in (circuit, programs[0].circuit):
        assert set(kept.parameters) == {theta, *vector}
        assert kept == circuit
        blocks = [i.operation.blocks[0] for i in kept.data if i.name == "for_loop"]
        assert theta in blocks[0].parameters


def test_two_vectors_of_one_name_in_one_program():
    first, second = ParameterVector("t", 2), ParameterVector("t", 2)
    circuit = one_bit()
    circuit.rx(first[0], 0)
    circuit.rx(second[1], 0)
    mapping = merge(circuit).parameters[0]
    assert [mapping[first].name, mapping[second].name] == ["p0_t", "p0_t_1"]


def test_two_loops_over_one_parameter():
    loop = Parameter("i")
    circuit = QuantumCircuit(1, 1)
    for _ in range(2):
        with circuit.for_loop(range(1, 3), loop):
            circuit.rx(0.2 * loop, 0)
    circuit.measure(0, 0)
    merged = check_exact(circuit, circuit)
    loops = [i.operation.params[1].name for i in merged.data if i.name == "for_loop"]
    assert loops == ["p0_loop", "p0_loop_1", "p1_loop", "p1_loop_1"]


# -------------------------------------------------------------------------- sharing and reproducibility


def test_the_users_metadata_is_copied():
    circuit = one_bit()
    circuit.metadata = {"deep": {"list": [1]}}
    merged = merge(circuit, circuit).circuit
    first, second = merged.metadata["halo"]["programs"]
    first["metadata"]["deep"]["list"].append(2)
    assert second["metadata"] == circuit.metadata == {"deep": {"list": [1]}}


def test_names_and_notes_of_blocks_are_dropped():
    circuit = one_bit()
    body = QuantumCircuit(1, metadata={"secret": 1}, name="mine")
    body.x(0)
    circuit.if_test((circuit.clbits[0], 1), body, [0], [])
    circuit.for_loop(range(2), Parameter("i"), body, [0], [])
    program = Program(index=0, name="x", circuit=circuit, shots=1)  # not a copy, which might drop them too
    merged = merge_programs([program]).circuit
    blocks = [i.operation.blocks[0] for i in merged.data if i.is_control_flow()]
    assert [(block.name, block.metadata) for block in blocks] == [("block", {}), ("block", {})]
    assert (body.name, body.metadata) == ("mine", {"secret": 1})


def test_equal_builds_give_equal_bytes():
    def build() -> QuantumCircuit:
        circuit, _, _ = with_parameters(storable=True)
        circuit.name = "same"
        circuit.add_var("v", False)
        return merge(circuit, circuit).circuit

    assert qpy_bytes(build()) == qpy_bytes(build())


def test_equal_builds_give_equal_bytes_in_processes_with_other_hash_seeds():
    script = textwrap.dedent(
        """
        import hashlib, io
        from qiskit import qpy
        from qiskit.circuit import *
        from qiskit.circuit.classical import expr, types
        from qiskit_halo.programs.load import load_programs
        from qiskit_halo.programs.merge import merge_programs
        def build():
            theta, vector = Parameter("theta"), ParameterVector("t", 3)
            circuit = QuantumCircuit(5, 2, name="x", metadata={"b": 1, "a": 2})
            circuit.add_register(ClassicalRegister(bits=circuit.clbits[::-1], name="back"))
            for name in "wv":
                circuit.add_var(name, False)
                circuit.add_stretch("s" + name)
            circuit.rx(theta * 2, 0)
            circuit.mcx([0, 1, 2, 3], 4)
            with circuit.if_test((circuit.cregs[1], 1)), circuit.for_loop(range(2)) as i:
                circuit.add_var("local", True)
                circuit.rx(i * 2, 0)
                circuit.rx(vector[2], 0)
            circuit.measure([0, 1], [0, 1])
            return merge_programs(load_programs([circuit, circuit])).circuit
        file = io.BytesIO()
        qpy.dump(build(), file)
        print(hashlib.sha256(file.getvalue()).hexdigest())
        """
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_merged_circuits_survive_qpy():
    circuit, _, _ = with_parameters(storable=True)
    circuit.add_var("v", False)
    merged = merge(circuit, circuit).circuit
    (loaded,) = qpy.load(io.BytesIO(qpy_bytes(merged)))
    assert loaded.metadata == merged.metadata
    assert loaded == merged


# ----------------------------------------------------------------------------------------------- sizes


def test_one_program_and_one_qubit():
    assert check_exact(one_bit()).num_qubits == 1


def test_five_hundred_programs_merge_in_linear_time():
    circuit = QuantumCircuit(5, 5)
    for _ in range(20):
        for qubit in range(5):
            circuit.rx(0.3, qubit)
        circuit.barrier()
    circuit.measure(range(5), range(5))
    circuits = [circuit.copy() for _ in range(500)]
    start = time.process_time()
    merged = merge(*circuits).circuit
    assert time.process_time() - start < 5  # takes 0.3 s; quadratic work took more than 20 s
    assert merged.num_qubits == 2500
    assert merged.cregs[499].name == "p499_c"
