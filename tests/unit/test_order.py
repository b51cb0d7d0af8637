from __future__ import annotations

import itertools

import rustworkx as rx
from hypothesis import given, settings
from hypothesis import strategies as st

from qiskit_halo.placement.order import OrderGraph

Leases = dict[int, tuple[int, int]]


def has_order(pieces: list[Leases]) -> bool:
    """Whether an order of whole pieces agrees with every qubit, by Qiskit's graph library."""
    graph = rx.PyDiGraph()
    graph.add_nodes_from(range(len(pieces)))
    for one, two in itertools.permutations(range(len(pieces)), 2):
        if any(pieces[one][q] < pieces[two][q] for q in pieces[one] if q in pieces[two]):
            graph.add_edge(one, two, None)
    return rx.is_directed_acyclic_graph(graph)


def overlaps(one: Leases, two: Leases) -> bool:
    return any(one[q][0] < two[q][1] and two[q][0] < one[q][1] for q in one if q in two)


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[int, Leases]]:
    """(start, leases) of pieces that hold no qubit at the same time, but lie in each other's holes."""
    pieces: list[tuple[int, Leases]] = []
    for _ in range(draw(st.integers(1, 9))):
        start = draw(st.integers(0, 12))
        qubits = draw(st.lists(st.integers(0, 3), unique=True, min_size=1, max_size=3))
        leases = {}
        for qubit in qubits:
            begin = start + draw(st.integers(-2, 8))
            leases[qubit] = (begin, begin + draw(st.integers(1, 3)))
        if not any(overlaps(leases, other) for _, other in pieces):
            pieces.append((start, leases))
    return pieces


@settings(max_examples=400)
@given(batches())
def test_a_piece_is_accepted_just_where_an_order_is_left(pieces: list[tuple[int, Leases]]) -> None:
    graph = OrderGraph()
    taken: dict[int, tuple[int, Leases]] = {}
    for index, (start, leases) in enumerate(pieces):
        qubits, spans = list(leases), list(leases.values())
        accepted = graph.accepts(qubits, spans, start)
        assert accepted == has_order([*(own for _, own in taken.values()), leases])
        if accepted:
            graph.add(index, qubits, spans, start)
            taken[index] = (start, leases)
    order = graph.sorted({index: start for index, (start, _) in taken.items()})
    assert sorted(order) == sorted(taken)
    for one, two in itertools.combinations(order, 2):
        first, second = taken[one][1], taken[two][1]
        assert all(first[q] < second[q] for q in first if q in second)
    for qubit in range(4):
        own = [(leases[qubit][0], index) for index, (_, leases) in taken.items() if qubit in leases]
        assert graph.first(qubit) == min(own, default=None)


def test_who_is_free_to_go_either_way_goes_by_its_start() -> None:
    graph = OrderGraph()
    for index, start in enumerate([5, 3, 3, 0]):
        graph.add(index, [index], [(start, start + 1)], start)
    assert graph.sorted({0: 5, 1: 3, 2: 3, 3: 0}) == [3, 1, 2, 0]


# Two pieces of two qubits: the first holds qubit 0 early and qubit 1 late, the second the other way round.
EARLY_LATE = ((0, 100), (2000, 2100))
LATE_EARLY = ((2000, 2100), (0, 100))


def test_pieces_that_are_before_each_other_are_refused() -> None:
    graph = OrderGraph()
    graph.add(0, (0, 1), EARLY_LATE, 0)
    assert not graph.accepts((0, 1), LATE_EARLY, 0)
    assert graph.accepts((0, 1), ((2100, 2200), (2100, 2200)), 2100)
    assert graph.accepts((0, 2), LATE_EARLY, 0)


def test_a_way_back_over_other_pieces_is_found() -> None:
    graph = OrderGraph()
    graph.add(0, (0, 1), ((0, 1), (9, 10)), 0)
    graph.add(1, (1, 2), ((7, 8), (2, 3)), 1)
    # 1 comes before 0; whoever comes after 0 and before 1 closes the circle.
    assert not graph.accepts((0, 2), ((3, 4), (0, 1)), 0)
    assert graph.accepts((0, 2), ((3, 4), (4, 5)), 3)


def test_a_way_back_is_found_though_every_neighbour_starts_in_time() -> None:
    graph = OrderGraph()
    graph.add(0, (0, 1), ((0, 1), (19, 20)), 0)
    graph.add(1, (1, 2), ((12, 13), (14, 15)), 10)
    # 1 starts after 0 and yet comes before it on qubit 1.
    assert not graph.accepts((0, 2), ((6, 7), (8, 9)), 5)
    assert graph.accepts((0, 2), ((6, 7), (16, 17)), 5)
