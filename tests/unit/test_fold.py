"""A merged circuit on fewer wires."""

from __future__ import annotations

import pytest
from qiskit import transpile
from qiskit.circuit import AncillaRegister, ClassicalRegister, Parameter, QuantumCircuit, QuantumRegister
from qiskit.circuit.classical import expr
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp

from qiskit_halo.errors import HaloValueError
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.verification.equivalence import distribution_distance


def ghz(num_qubits: int, name: str = "ghz") -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, num_qubits, name=name)
    circuit.h(0)
    for qubit in range(num_qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def ladder(num_helpers: int) -> QuantumCircuit:
    """Helpers that live one after another beside one data qubit."""
    circuit = QuantumCircuit(
        QuantumRegister(1, "q"), AncillaRegister(num_helpers, "h"), ClassicalRegister(1, "c"), name="ladder"
    )
    circuit.ry(0.7, 0)
    circuit.barrier()
    for helper in range(1, num_helpers + 1):
        circuit.cx(0, helper)
        circuit.ry(0.2, 0)
        circuit.cx(0, helper)
        circuit.barrier()
    circuit.measure(0, 0)
    return circuit


def check_exact(circuits: list[QuantumCircuit], folded: QuantumCircuit) -> None:
    for index, circuit in enumerate(circuits):
        assert distribution_distance(circuit, folded, index) < 1e-12


def wires_of(folded: QuantumCircuit, program: int) -> list[list[int] | None]:
    return folded.metadata["halo"]["fold"]["wires"][program]


def test_a_circuit_that_fits_comes_back_as_it_is():
    mpc = MultiProgramCircuit([ghz(2), ghz(3)])
    assert mpc.fold(5) is mpc.circuit
    assert mpc.fold(50) is mpc.circuit
    assert not mpc.circuit.metadata["halo"]["folded"]
    assert "fold" not in mpc.circuit.metadata["halo"]


@pytest.mark.parametrize("width", [3, 4, 5, 6, 7])
def test_folded_circuits_are_exact_and_have_the_fewest_resets(width):
    circuits = [ghz(3), ghz(2), ghz(3)]
    folded = MultiProgramCircuit(circuits).fold(width)
    check_exact(circuits, folded)
    assert [(r.name, len(r)) for r in folded.qregs] == [("w", width)]
    assert folded.count_ops()["reset"] == 8 - width
    assert folded.metadata["halo"]["folded"]
    assert folded.metadata["halo"]["fold"]["boundaries"] == 8 - width
    assert [r.name for r in folded.cregs] == ["p0_c", "p1_c", "p2_c"]


def test_the_qubits_of_a_program_keep_their_order_on_distinct_wires():
    folded = MultiProgramCircuit([ghz(2), ghz(3), ghz(2)]).fold(4)
    for program in range(3):
        wires = [wire for wire, _ in wires_of(folded, program)]
        assert wires == sorted(set(wires))
    assert wires_of(folded, 0) == [[0, 0], [1, 0]]
    assert wires_of(folded, 1) == [[0, 1], [2, 0], [3, 0]]


def test_the_wires_in_the_metadata_are_the_wires_in_the_circuit():
    folded = MultiProgramCircuit([ghz(2), ghz(3), ghz(2)]).fold(3)
    measured = {}
    for instruction in folded.data:
        if instruction.name == "measure":
            register, place = folded.find_bit(instruction.clbits[0]).registers[0]
            measured[register.name, place] = folded.find_bit(instruction.qubits[0]).index
    for program, size in enumerate((2, 3, 2)):
        for qubit in range(size):
            assert wires_of(folded, program)[qubit][0] == measured[f"p{program}_c", qubit]


def test_wires_that_are_free_first_are_used_first():
    long, short = ghz(1, "long"), ghz(1, "short")
    for _ in range(20):
        long.x(0)
    folded = MultiProgramCircuit([long, short, short, short]).fold(2)
    assert [wires_of(folded, k)[0] for k in range(4)] == [[0, 0], [1, 0], [1, 1], [1, 2]]


def test_idle_qubits_need_no_wire():
    circuit = QuantumCircuit(6, 1)
    circuit.barrier()
    circuit.x(4)
    circuit.measure(4, 0)
    mpc = MultiProgramCircuit([circuit, circuit])
    folded = mpc.fold(2)
    check_exact([circuit, circuit], folded)
    assert "reset" not in folded.count_ops()
    assert not folded.metadata["halo"]["folded"]
    assert wires_of(folded, 1) == [None] * 4 + [[1, 0], None]
    assert folded.num_qubits == 2


def test_a_program_wider_than_the_device_reuses_its_own_helpers():
    circuits = [ladder(4), ghz(2)]
    folded = MultiProgramCircuit(circuits).fold(2)
    check_exact(circuits, folded)
    assert folded.num_qubits == 2
    assert folded.count_ops()["reset"] == 7 - 2
    assert max(len(i.qubits) for i in folded.data) == 2  # barriers too


def test_a_program_with_too_many_live_qubits_is_named():
    mpc = MultiProgramCircuit([ghz(2), ghz(4, "big")])
    with pytest.raises(HaloValueError, match=r"Program 1 \('big'\) has 4 qubits in use at the same time, .* 3 wires"):
        mpc.fold(3)


def test_live_qubits_are_counted_from_first_to_last_operation():
    circuit = ladder(4)
    for helper in range(1, 5):
        circuit.z(helper)  # after all of them: now they live until the end
    mpc = MultiProgramCircuit([circuit])
    with pytest.raises(HaloValueError, match="has 5 qubits in use at the same time"):
        mpc.fold(4)


@pytest.mark.parametrize("width", [0, -1, 2.5, True, None, "4"])
def test_a_width_that_is_no_positive_whole_number(width):
    with pytest.raises(HaloValueError, match="num_qubits must be a whole number of at least 1, not"):
        MultiProgramCircuit([ghz(1)]).fold(width)


def test_control_flow_variables_and_phases_survive():
    circuit = QuantumCircuit(2, 2, global_phase=0.2)
    flag = circuit.add_var("flag", False)
    circuit.add_stretch("s")
    circuit.h(0)
    circuit.measure(0, 0)
    circuit.store(flag, expr.lift(circuit.clbits[0]))
    with circuit.if_test(flag), circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(1)
    circuit.measure(1, 1)
    circuits = [circuit, circuit, circuit]
    folded = MultiProgramCircuit(circuits).fold(3)
    check_exact(circuits, folded)
    assert folded.num_declared_vars == 3
    assert folded.num_stretches == 3
    assert folded.global_phase == pytest.approx(0.6)


def test_folded_and_merged_circuits_are_bound_apart():
    theta = Parameter("t")
    circuit = ghz(2)
    circuit.append(PauliEvolutionGate(SparsePauliOp(["ZZ"]), time=theta), [0, 1])
    mpc = MultiProgramCircuit([circuit, circuit])
    folded = mpc.fold(2)
    folded.assign_parameters(dict.fromkeys(folded.parameters, 0.5), inplace=True)
    assert len(mpc.circuit.parameters) == 2
    assert mpc.circuit.data[-1].operation.params[0].parameters
    folded.metadata["halo"]["programs"].clear()
    assert len(mpc.circuit.metadata["halo"]["programs"]) == 2


@pytest.mark.parametrize("level", [0, 2])
def test_a_folded_circuit_runs_where_the_merged_one_does_not_fit(level):
    circuits = [ghz(3), ghz(2), ghz(3)]
    backend = GenericBackendV2(4, seed=1)
    isa = transpile(MultiProgramCircuit(circuits).fold(4), backend, optimization_level=level, seed_transpiler=0)
    for index, circuit in enumerate(circuits):
        assert distribution_distance(circuit, isa, index) < 1e-9


def test_fold_keeps_parallel_programs_parallel():
    circuits = [ghz(2) for _ in range(12)]
    folded = MultiProgramCircuit(circuits).fold(6)
    assert folded.depth() == 4 * ghz(2).depth() + 3
