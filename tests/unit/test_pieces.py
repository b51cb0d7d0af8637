from __future__ import annotations

from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.segments.find import find_components
from qiskit_halo.segments.pieces import Piece, find_pieces, piece_instructions


def batch(num_qubits: int, *sizes: int) -> QuantumCircuit:
    """Program k has a register of ``sizes[k]`` bits."""
    registers = [ClassicalRegister(size, f"p{k}_c") for k, size in enumerate(sizes)]
    return QuantumCircuit(QuantumRegister(num_qubits, "q"), *registers)


def pieces(circuit: QuantumCircuit) -> tuple[Piece, ...]:
    return find_pieces(find_components(circuit))


def lines(circuit: QuantumCircuit, piece: Piece, least_resets: int = 1) -> list[tuple[str, list[int]]]:
    found = piece_instructions(circuit, find_components(circuit), piece, least_resets)
    return [(i.name, [circuit.find_bit(q).index for q in i.qubits]) for i in found]


def test_a_barrier_holds_the_components_of_its_program():
    circuit = batch(3, 2)
    circuit.measure(0, 0)  # 0
    circuit.barrier()  # 1
    circuit.measure(1, 1)  # 2
    assert pieces(circuit) == (
        Piece(
            owners=(0,),
            components=(0, 1),
            segments=(0, 1),
            operations=(0, 2),
            barriers=((1, (0, 1)),),
            wires=(0, 1),
            clbits=(0, 1),
        ),
    )


def test_a_barrier_over_several_programs_is_one_a_program():
    circuit = batch(5, 2, 2)
    circuit.measure([0, 1, 2, 3], range(4))
    circuit.x(4)
    circuit.barrier(3, 1, 4, 0, 2, label="all")
    first, second, third = pieces(circuit)
    assert [(p.owners, p.wires) for p in (first, second, third)] == [((0,), (0, 1)), ((1,), (2, 3)), ((), (4,))]
    assert lines(circuit, first) == [("measure", [0]), ("measure", [1]), ("barrier", [1, 0])]
    assert lines(circuit, second) == [("measure", [2]), ("measure", [3]), ("barrier", [3, 2])]
    labels = [i.label for i in piece_instructions(circuit, find_components(circuit), first)]
    assert labels == [None, None, "all"]


def test_an_anonymous_component_goes_with_the_first_program_that_holds_it():
    circuit = batch(4, 1, 1)
    circuit.x([2, 3])
    circuit.barrier(2, 3)
    circuit.measure(0, 0)
    circuit.barrier(0, 2)
    circuit.measure(1, 1)
    circuit.barrier(1, 3)
    assert [(p.owners, p.wires) for p in pieces(circuit)] == [((0,), (0, 2, 3)), ((1,), (1,))]


def test_resets_inside_are_kept_and_the_opening_ones_are_not():
    circuit = batch(1, 2)
    circuit.reset(0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.reset(0)
    with circuit.if_test((0, 1)):
        circuit.x(0)
    circuit.measure(0, 1)
    circuit.reset(0)
    (piece,) = pieces(circuit)
    assert lines(circuit, piece) == [
        ("measure", [0]),
        ("reset", [0]),
        ("reset", [0]),
        ("if_else", [0]),
        ("measure", [0]),
    ]


def test_only_a_change_to_or_from_an_anonymous_component_gets_more_resets():
    circuit = batch(2, 2)
    circuit.measure(0, 0)
    circuit.barrier(0, 1)
    circuit.reset(0)
    circuit.measure(0, 1)
    circuit.reset(0)
    circuit.x(0)
    circuit.measure(1, 1)
    circuit.barrier(0, 1)
    (piece,) = pieces(circuit)
    assert [name for name, _ in lines(circuit, piece, least_resets=3)] == [
        "measure",
        "barrier",
        "reset",
        "measure",
        "reset",
        "reset",
        "reset",
        "x",
        "measure",
        "barrier",
    ]


def test_a_barrier_before_a_reset_stays_with_the_earlier_segment():
    circuit = batch(2, 1, 1)
    circuit.measure(0, 0)
    circuit.barrier()
    circuit.reset(0)
    circuit.measure(0, 1)
    assert [(p.owners, p.barriers) for p in pieces(circuit)] == [((0,), ((1, (0,)),)), ((1,), ())]
