from __future__ import annotations

from qiskit.circuit import Delay, Measure, QuantumCircuit
from qiskit.circuit.classical import expr
from qiskit.circuit.library import QFTGate

from qiskit_halo.verification._components import cut_at_resets, find_components, step_nodes
from qiskit_halo.verification._step_list import read_steps
from qiskit_halo.verification._steps import block_steps


class OddMeasure(Measure):
    """As a user may derive one."""


def all_kinds() -> QuantumCircuit:
    inner = QuantumCircuit(2, 1, name="inner")
    inner.h(0)
    inner.cx(0, 1)
    inner.measure(1, 0)
    circuit = QuantumCircuit(4, 4)
    variable = circuit.add_var("v", False)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.append(QFTGate(2), [1, 2])
    circuit.append(inner.to_instruction(), [2, 3], [3])
    circuit.measure(0, 2)
    circuit.append(OddMeasure(), [1], [1])
    circuit.barrier()
    circuit.reset(0)
    circuit.append(Delay(5), [0])
    circuit.delay(expr.lift(circuit.add_stretch("s")), 1)
    circuit.store(variable, expr.lift(circuit.clbits[2]))
    with circuit.if_test(variable):
        circuit.x(3)
        circuit.measure(3, 0)
    circuit.x(0)
    return circuit


def test_columns_say_what_records_say():
    circuit = all_kinds()
    qubits = {bit: index for index, bit in enumerate(circuit.qubits)}
    clbits = {bit: index for index, bit in enumerate(circuit.clbits)}
    wanted = list(block_steps(circuit, qubits, clbits))
    found = read_steps(circuit)

    def plain(steps):
        return [
            step._replace(source=step.source.name, clbits=dict(step.clbits), blocks=len(step.blocks)) for step in steps
        ]

    assert plain(found) == plain(wanted)
    assert plain(found[:]) == plain(wanted)
    assert plain([found[-1]]) == plain(wanted[-1:])
    assert found.kinds == [step.kind for step in wanted]
    assert found.qubits == [step.qubits for step in wanted]
    assert found.ties == {
        index: (step.reads, step.writes, step.variables)
        for index, step in enumerate(wanted)
        if step.reads or step.writes or step.variables
    }


def test_everything_but_resets_barriers_and_delays_is_in_one_component():
    circuit = all_kinds()
    cut = cut_at_resets(read_steps(circuit), circuit.num_qubits)
    components = find_components(cut)
    held = sorted(index for component in components for index in component.steps)
    assert held == [i for i, step in enumerate(cut.steps) if not step.passive and step.kind != "reset"]
    for component in components:
        nodes = [node for index in component.steps for node in step_nodes(cut, index)]
        assert component.segments == tuple(sorted({node for node in nodes if isinstance(node, int)}))
        assert component.clbits == tuple(sorted({node[1] for node in nodes if isinstance(node, tuple)}))
