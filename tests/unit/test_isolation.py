"""Isolation: what is accepted, what is refused, and what the messages say."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from qiskit.circuit import (
    ClassicalRegister,
    Clbit,
    Delay,
    Gate,
    Measure,
    Parameter,
    QuantumCircuit,
    QuantumRegister,
    Qubit,
    Reset,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.controlflow import IfElseOp
from qiskit.circuit.library import CZGate, RZGate, XGate
from qiskit.transpiler import InstructionProperties, Target

import qiskit_halo.verification
from qiskit_halo.errors import HaloValueError, IsolationError
from qiskit_halo.verification.isolation import find_joined_programs, inspect_isolation, verify_isolation

TICK = 1e-9


def circuit_for(num_qubits: int, num_programs: int = 2, size: int = 1) -> QuantumCircuit:
    registers = [ClassicalRegister(size, f"p{index}_c") for index in range(num_programs)]
    return QuantumCircuit(QuantumRegister(num_qubits, "q"), *registers)


def line_target(
    num_qubits: int = 4, *, dead: tuple[int, int] | None = None, durations: bool = True, downwards: bool = False
) -> Target:
    """A line of qubits with x, rz, cz from the lower qubit to the higher (or ``downwards``), measure, reset and if_else."""
    target = Target(num_qubits=num_qubits, dt=TICK)

    def properties(ticks: int, error: float = 0.01) -> InstructionProperties:
        return InstructionProperties(duration=ticks * TICK if durations else None, error=error)

    singles = [(qubit,) for qubit in range(num_qubits)]
    target.add_instruction(XGate(), {place: properties(10) for place in singles})
    target.add_instruction(RZGate(Parameter("a")), {place: properties(0) for place in singles})
    target.add_instruction(Measure(), {place: properties(100) for place in singles})
    target.add_instruction(Reset(), {place: properties(50) for place in singles})
    target.add_instruction(Delay(Parameter("t")), dict.fromkeys(singles))
    pairs = [(qubit + 1, qubit) if downwards else (qubit, qubit + 1) for qubit in range(num_qubits - 1)]
    target.add_instruction(CZGate(), {pair: properties(20, 1.0 if pair == dead else 0.01) for pair in pairs})
    target.add_instruction(IfElseOp, name="if_else")
    return target


# --- accepted ---------------------------------------------------------------------------------------------


def test_two_programs_side_by_side_and_one_after_them():
    circuit = circuit_for(4, 3)
    circuit.cx(0, 1)
    circuit.measure(0, 0)
    circuit.cx(2, 3)
    circuit.measure(2, 1)
    circuit.reset([1, 2])
    circuit.cx(1, 2)
    circuit.measure(1, 2)
    report = verify_isolation(circuit)
    assert report.programs == (0, 1, 2)
    assert (report.num_components, report.num_anonymous, report.num_segments) == (3, 0, 6)
    assert (report.num_handovers, report.fewest_resets) == (2, 1)
    assert (report.device_checked, report.timing, report.joined) == (False, "unused", ())


def test_a_plain_circuit_is_one_program():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    report = verify_isolation(circuit)
    assert (report.programs, report.num_handovers, report.fewest_resets) == ((-1,), 0, None)


def test_an_empty_circuit():
    assert verify_isolation(QuantumCircuit(2)).programs == ()


def test_the_report_is_json():
    circuit = circuit_for(1)
    circuit.measure(0, 0)
    report = verify_isolation(circuit, target=line_target(), resets=2)
    data = json.loads(json.dumps(report.to_dict()))
    assert data["programs"] == [0]
    assert (data["required_resets"], data["device_checked"]) == (2, True)


def test_one_program_may_come_back_to_a_qubit_with_a_single_reset():
    circuit = circuit_for(1, 1)
    for _ in range(2):
        circuit.x(0)
        circuit.measure(0, 0)
        circuit.reset(0)
    assert verify_isolation(circuit, resets=2).num_handovers == 0


def test_delays_and_barriers_do_not_interrupt_resets():
    circuit = circuit_for(2)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.delay(100, 0)
    circuit.barrier()
    circuit.reset(0)
    circuit.delay(100, 0)
    circuit.measure(0, 1)
    assert verify_isolation(circuit, resets=2).fewest_resets == 2


def test_a_barrier_joins_nobody():
    circuit = circuit_for(2)
    circuit.x([0, 1])
    circuit.barrier()
    circuit.measure([0, 1], [0, 1])
    assert verify_isolation(circuit).num_components == 2


def test_a_composite_instruction_is_judged_by_what_is_inside():
    inner = QuantumCircuit(4)
    inner.cx(0, 1)
    inner.cx(2, 3)
    circuit = circuit_for(4)
    circuit.append(inner.to_gate(), range(4))
    circuit.measure([0, 2], [0, 1])
    assert verify_isolation(circuit).num_components == 2


def test_a_reset_hidden_in_a_composite_counts():
    inner = QuantumCircuit(1)
    inner.reset(0)
    circuit = circuit_for(1)
    circuit.measure(0, 0)
    circuit.append(inner.to_instruction(), [0])
    circuit.measure(0, 1)
    assert verify_isolation(circuit).fewest_resets == 1


def test_an_alias_register_belongs_to_its_program():
    bits = [Clbit(), Clbit()]
    circuit = QuantumCircuit([Qubit()], bits)
    circuit.add_register(ClassicalRegister(bits=bits, name="p3_c"), ClassicalRegister(bits=bits[1:], name="p3_c_alias"))
    with circuit.if_test((circuit.cregs[1], 1)):
        circuit.x(0)
    circuit.measure(0, 0)
    assert verify_isolation(circuit).programs == (3,)


# --- joined ------------------------------------------------------------------------------------------------


def test_a_two_qubit_gate_between_programs():
    circuit = circuit_for(3)
    circuit.metadata = {"halo": {"programs": [{"index": 0, "name": "ann"}, {"index": 1, "name": "bo"}]}}
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.measure(0, 0)
    circuit.measure(2, 1)
    message = (
        r"^.operation 1 \(cx\) on qubits 1, 2 joins program 0 \('ann'\) and program 1 \('bo'\); keep every operation "
        r"inside one program.$"
    )
    with pytest.raises(IsolationError, match=message):
        verify_isolation(circuit)
    assert find_joined_programs(circuit) == ((0, 1),)


def test_a_gate_between_programs_inside_control_flow():
    circuit = circuit_for(2)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.cx(0, 1)
    circuit.measure(1, 1)
    with pytest.raises(IsolationError, match=r"operation 1 \(if_else\) on qubits 0, 1 joins program 0 and program 1"):
        verify_isolation(circuit)


def test_a_gate_between_programs_hidden_in_a_composite():
    inner = QuantumCircuit(2)
    inner.cx(0, 1)
    outer = QuantumCircuit(2)
    outer.append(inner.to_instruction(), [1, 0])
    circuit = circuit_for(2)
    circuit.append(outer.to_instruction(), [0, 1])
    circuit.measure([0, 1], [0, 1])
    with pytest.raises(IsolationError, match=r"operation 0 \(cx\) on qubits 1, 0 joins"):
        verify_isolation(circuit)


def test_a_reset_inside_control_flow_does_not_cut():
    circuit = circuit_for(1)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.reset(0)
    circuit.measure(0, 1)
    with pytest.raises(
        IsolationError, match=r"operation 2 \(measure\) on qubits 0 of program 0 writes clbit p1_c\[0\]"
    ):
        verify_isolation(circuit)


def test_a_measurement_into_two_programs():
    circuit = circuit_for(1)
    circuit.measure(0, [0])
    circuit.measure(0, [1])
    with pytest.raises(IsolationError, match=r"writes clbit .* of program 1; give each program clbits"):
        verify_isolation(circuit)


def reading_circuits() -> list[tuple[str, QuantumCircuit]]:
    found = []

    def start(name: str) -> QuantumCircuit:
        circuit = circuit_for(2, size=2)
        circuit.measure(1, 2)
        found.append((name, circuit))
        return circuit

    def finish(circuit: QuantumCircuit) -> None:
        circuit.measure(0, 0)

    circuit = start("condition")
    with circuit.if_test((circuit.clbits[2], 1)):
        circuit.x(0)
    finish(circuit)
    circuit = start("manual condition")
    body = QuantumCircuit(1)
    body.x(0)
    circuit.if_test((circuit.cregs[1], 1), body, [0], [])
    finish(circuit)
    circuit = start("expression")
    with circuit.if_test(expr.equal(circuit.cregs[1], 2)):
        circuit.x(0)
    finish(circuit)
    circuit = start("switch")
    with circuit.switch(circuit.cregs[1]) as case, case(1):
        circuit.x(0)
    finish(circuit)
    circuit = start("loop")
    with circuit.while_loop((circuit.clbits[2], 1)):
        circuit.x(0)
    finish(circuit)
    circuit = start("nested")
    with circuit.for_loop(range(2)), circuit.if_test((circuit.clbits[0], 1)), circuit.if_test((circuit.clbits[2], 1)):
        circuit.x(0)
    finish(circuit)
    return found


@pytest.mark.parametrize(("name", "circuit"), reading_circuits())
def test_reading_another_programs_clbit(name: str, circuit: QuantumCircuit):
    with pytest.raises(IsolationError, match=r"of program 0 reads clbit p1_c\[0\] of program 1"):
        verify_isolation(circuit)


def test_storing_another_programs_clbit():
    circuit = circuit_for(1)
    circuit.add_var("p0_flag", expr.lift(circuit.clbits[1]))
    with pytest.raises(
        IsolationError, match=r"reads clbit p1_c\[0\] of program 1|uses variable 'p0_flag' of program 0"
    ):
        verify_isolation(circuit)


def test_sharing_a_variable():
    circuit = circuit_for(2)
    flag = circuit.add_var("p1_flag", False)
    circuit.store(flag, expr.lift(circuit.clbits[1]))
    with circuit.if_test(flag):
        circuit.x(0)
    circuit.measure(0, 0)
    with pytest.raises(IsolationError, match=r"of program 0 uses variable 'p1_flag' of program 1"):
        verify_isolation(circuit)


def test_a_clbit_in_registers_of_two_programs():
    bit = Clbit()
    circuit = QuantumCircuit([Qubit()], [bit])
    circuit.add_register(ClassicalRegister(bits=[bit], name="p0_c"), ClassicalRegister(bits=[bit], name="p1_c"))
    with pytest.raises(IsolationError, match="clbit 0 is in register 'p0_c' of program 0 and in register 'p1_c'"):
        verify_isolation(circuit)


def test_the_unnamed_program_is_a_program_too():
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "p0_c"), ClassicalRegister(1, "mine"))
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    with pytest.raises(IsolationError, match="joins program 0 and the unnamed program"):
        verify_isolation(circuit)


def test_joined_programs_may_count_as_one_owner():
    circuit = circuit_for(3, 3)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    circuit.reset(0)
    circuit.measure(0, 1)
    circuit.measure(2, 2)
    report = inspect_isolation(circuit, target=None, resets=3, buffer=0, joined_allowed=True)
    assert report.joined == ((0, 1),)
    assert report.num_handovers == 0
    circuit.reset(2)
    circuit.measure(2, 0)
    with pytest.raises(IsolationError, match=r"qubit 2 passes from program 2 to program 0 .* after 1 consecutive"):
        inspect_isolation(circuit, target=None, resets=3, buffer=0, joined_allowed=True)


def test_the_first_violation_is_named_and_the_others_counted():
    circuit = circuit_for(4, size=2)
    circuit.measure(2, 1)
    circuit.reset(2)
    circuit.measure(2, 3)
    circuit.cx(0, 1)
    circuit.cx(1, 0)
    circuit.measure([0, 1], [0, 2])
    with pytest.raises(IsolationError, match=r"qubit 2 passes .* insert 1 more \(and 2 more violations\)"):
        verify_isolation(circuit, resets=2)


# --- hand-overs ---------------------------------------------------------------------------------------------


def test_too_few_resets():
    circuit = circuit_for(1)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.x(0)
    circuit.measure(0, 1)
    message = (
        r"qubit 0 passes from program 0 to program 1 at operation 2 \(x\) after 1 consecutive resets where 2 are "
        r"required; insert 1 more"
    )
    with pytest.raises(IsolationError, match=message):
        verify_isolation(circuit, resets=2)
    assert verify_isolation(circuit, resets=1).fewest_resets == 1


def test_an_operation_between_two_resets_starts_the_count_anew():
    circuit = circuit_for(1)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.x(0)
    circuit.reset(0)
    circuit.measure(0, 1)
    report = verify_isolation(circuit)
    assert (report.num_anonymous, report.num_handovers, report.fewest_resets) == (1, 2, 1)
    with pytest.raises(IsolationError, match=r"passes from program 0 to a component that writes no clbit"):
        verify_isolation(circuit, resets=2)


def test_every_hand_over_counts_its_own_resets():
    circuit = circuit_for(1, 3)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.reset(0)
    circuit.measure(0, 1)
    circuit.reset(0)
    circuit.measure(0, 2)
    assert verify_isolation(circuit).fewest_resets == 1
    with pytest.raises(IsolationError, match="from program 1 to program 2 at operation 5"):
        verify_isolation(circuit, resets=2)


def test_two_anonymous_components_are_two_owners():
    circuit = QuantumCircuit(1)
    circuit.x(0)
    circuit.reset(0)
    circuit.x(0)
    report = verify_isolation(circuit)
    assert (report.num_anonymous, report.num_handovers) == (2, 1)


# --- device -------------------------------------------------------------------------------------------------


def test_a_dead_coupler():
    circuit = circuit_for(4)
    circuit.cz(1, 2)
    circuit.measure(1, 0)
    assert verify_isolation(circuit, target=line_target()).device_checked
    with pytest.raises(IsolationError, match=r"operation 0 \(cz\) of program 0 on qubits 1, 2: its error there is 1"):
        verify_isolation(circuit, target=line_target(dead=(1, 2)))


@pytest.mark.parametrize(
    ("pair", "gate", "reason"),
    [
        ((0, 2), "cz", "does not have it there"),
        ((1, 0), "cz", "not have it there"),
        ((0, 1), "cx", "no such operation"),
    ],
)
def test_an_operation_that_the_target_lacks(pair: tuple[int, int], gate: str, reason: str):
    circuit = circuit_for(4)
    getattr(circuit, gate)(*pair)
    circuit.measure(pair[0], 0)
    with pytest.raises(IsolationError, match=rf"\({gate}\) of program 0 on qubits {pair[0]}, {pair[1]}: .*{reason}"):
        verify_isolation(circuit, target=line_target())


def test_operations_inside_control_flow_are_looked_up():
    circuit = circuit_for(4)
    circuit.measure(0, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.cz(2, 3)
    assert verify_isolation(circuit, target=line_target()).device_checked
    with pytest.raises(IsolationError, match=r"operation 1 \(cz\) of program 0 on qubits 2, 3: its error"):
        verify_isolation(circuit, target=line_target(dead=(2, 3)))


def test_blocks_are_looked_up_behind_a_gate_that_is_called_like_control_flow():
    circuit = circuit_for(4)
    circuit.measure(0, 0)
    circuit.append(Gate("if_else", 2, []), [2, 3])
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.cz(2, 3)
    with pytest.raises(IsolationError, match=r"operation 2 \(cz\) of program 0 on qubits 2, 3: its error"):
        verify_isolation(circuit, target=line_target(dead=(2, 3)))


def test_control_flow_that_the_target_lacks():
    circuit = circuit_for(4)
    with circuit.for_loop(range(2)):
        circuit.x(0)
    circuit.measure(0, 0)
    with pytest.raises(IsolationError, match=r"\(for_loop\).* no such operation"):
        verify_isolation(circuit, target=line_target())


def test_delays_and_barriers_need_no_support():
    circuit = circuit_for(4)
    circuit.barrier()
    circuit.delay(5, 0)
    circuit.x(0)
    circuit.measure(0, 0)
    assert verify_isolation(circuit, target=line_target()).device_checked


def test_a_circuit_wider_than_the_target():
    circuit = circuit_for(5)
    circuit.measure(4, 0)
    with pytest.raises(IsolationError, match="has 5 qubits but the target 4"):
        verify_isolation(circuit, target=line_target())


def test_an_opaque_gate_joins_what_it_touches():
    circuit = circuit_for(2)
    circuit.append(Gate("magic", 2, []), [0, 1])
    circuit.measure([0, 1], [0, 1])
    with pytest.raises(IsolationError, match=r"\(magic\) on qubits 0, 1 joins"):
        verify_isolation(circuit)


# --- buffer -------------------------------------------------------------------------------------------------


def neighbours(distance: int, delay: int) -> QuantumCircuit:
    circuit = circuit_for(4)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.delay(delay, distance)
    circuit.x(distance)
    circuit.measure(distance, 1)
    return circuit


def test_neighbours_active_at_the_same_time():
    message = r"program 0 on qubit 0 and program 1 on qubit 1 are active at the same time .* buffer=1 couplers apart"
    with pytest.raises(IsolationError, match=message):
        verify_isolation(neighbours(1, 109), target=line_target(), buffer=1)
    assert verify_isolation(neighbours(1, 0), target=line_target()).timing == "unused"


def test_neighbours_one_after_the_other():
    assert verify_isolation(neighbours(1, 110), target=line_target(), buffer=1).timing == "exact"


def test_the_distance_must_exceed_the_buffer():
    assert verify_isolation(neighbours(2, 0), target=line_target(), buffer=1).buffer == 1
    for downwards in (False, True):  # hops do not follow the direction of gates
        with pytest.raises(IsolationError, match="buffer=2"):
            verify_isolation(neighbours(2, 0), target=line_target(downwards=downwards), buffer=2)
    assert verify_isolation(neighbours(3, 0), target=line_target(), buffer=2).buffer == 2


def test_a_two_qubit_gate_occupies_both_qubits():
    circuit = circuit_for(4)
    circuit.cz(0, 1)
    circuit.measure(1, 0)
    circuit.delay(100, 2)
    circuit.x(2)
    circuit.measure(2, 1)
    with pytest.raises(IsolationError, match="program 0 on qubit 1 and program 1 on qubit 2"):
        verify_isolation(circuit, target=line_target(), buffer=1)
    later = circuit_for(4)
    later.cz(0, 1)
    later.measure(1, 0)
    later.delay(120, 2)
    later.measure(2, 1)
    assert verify_isolation(later, target=line_target(), buffer=1).timing == "exact"


def test_without_durations_only_order_keeps_programs_apart():
    target = line_target(durations=False)
    with pytest.raises(IsolationError, match="active at the same time"):
        verify_isolation(neighbours(1, 110), target=target, buffer=1)
    circuit = circuit_for(4)
    circuit.measure(0, 0)
    circuit.barrier()
    circuit.measure(1, 1)
    assert verify_isolation(circuit, target=target, buffer=1).timing == "order only"


def test_a_hand_over_orders_the_neighbours_behind_it():
    """Program 0 on 0, 1; then program 1 takes over 1 and works on 2, beside where program 0 was."""
    circuit = circuit_for(4, 3)
    circuit.cz(0, 1)
    circuit.measure(0, 0)
    circuit.barrier(0, 1)
    circuit.reset(1)
    circuit.cz(1, 2)
    circuit.measure(1, 1)
    assert verify_isolation(circuit, target=line_target(durations=False), buffer=1).timing == "order only"


def test_control_flow_makes_times_unknown():
    circuit = neighbours(2, 0)
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    assert verify_isolation(circuit, target=line_target(), buffer=1).timing == "order only"


def test_an_anonymous_component_keeps_its_distance_too():
    circuit = circuit_for(4)
    circuit.x([0, 1])
    circuit.measure(0, 0)
    with pytest.raises(IsolationError, match="component that writes no clbit"):
        verify_isolation(circuit, target=line_target(), buffer=1)


def test_a_virtual_gate_at_the_start_opens_a_segment():
    circuit = circuit_for(4)
    circuit.rz(0.3, 1)
    circuit.delay(200, 1)
    circuit.x(1)
    circuit.measure(1, 1)
    circuit.x(0)
    circuit.measure(0, 0)
    with pytest.raises(IsolationError, match="active at the same time"):
        verify_isolation(circuit, target=line_target(), buffer=1)


# --- arguments ----------------------------------------------------------------------------------------------


def test_wrong_arguments():
    with pytest.raises(HaloValueError, match="resets must be a whole number of at least 1, not 0"):
        verify_isolation(QuantumCircuit(1), resets=0)
    with pytest.raises(HaloValueError, match="buffer must be a whole number of at least 0, not -1"):
        verify_isolation(QuantumCircuit(1), buffer=-1)
    with pytest.raises(HaloValueError, match="buffer=1 needs a target"):
        verify_isolation(QuantumCircuit(1), buffer=1)


def test_variables_of_equal_type_in_two_programs_are_apart():
    circuit = circuit_for(2)
    for index in range(2):
        flag = circuit.add_var(f"p{index}_flag", expr.lift(False, types.Bool()))
        with circuit.if_test(flag):
            circuit.x(index)
        circuit.measure(index, index)
    assert verify_isolation(circuit).num_components == 2


def test_the_judge_shares_no_code_with_the_judged():
    allowed = {"errors", "ownership", "verification"}
    for path in Path(qiskit_halo.verification.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qiskit_halo"):
                assert node.module.split(".")[1] in allowed, f"{path.name} imports {node.module}"
