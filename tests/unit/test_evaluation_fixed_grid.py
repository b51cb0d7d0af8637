"""HyperQ's regions, areas and rules, as they were found in its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from qiskit.circuit import QuantumCircuit

from benchmarks.evaluation.model import Job, SystemFailedError
from benchmarks.evaluation.systems.fixed_grid import FixedGrid, _bad_regions, area_target
from benchmarks.evaluation.systems.grid_lattice import find_lattice
from benchmarks.evaluation.systems.grid_packing import Packing, Seat, choose_shapes
from benchmarks.evaluation.systems.grid_regions import Grid, Shape, find_grid
from qiskit_halo import verify_isolation
from tests.lattices import heavy_hex, square
from tests.targets import TargetBackend, make_target

TORINO = heavy_hex(7, 15, dangling=True)


@pytest.fixture(scope="module")
def grid() -> Grid:
    return find_grid(*TORINO)


class TestRegions:
    def test_133_qubits_have_nine_regions_of_seven(self, grid: Grid) -> None:
        assert TORINO[0] == 133
        assert len(grid.regions) == 9
        assert grid.regions[0, 0] == (3, 4, 5, 16, 22, 23, 24)
        assert grid.regions[2, 2] == (87, 88, 89, 94, 106, 107, 108)

    def test_areas_have_the_published_sizes(self, grid: Grid) -> None:
        sizes = {shape: grid.templates[shape][0] for shape in grid.shapes}
        assert list(sizes.items()) == [
            ((1, 1), 7),
            ((1, 2), 16),
            ((2, 1), 17),
            ((1, 3), 25),
            ((3, 1), 27),
            ((2, 2), 36),
            ((2, 3), 55),
            ((3, 2), 56),
            ((3, 3), 85),
        ]
        assert grid.templates[1, 1][1] == ((0, 1), (1, 2), (1, 3), (3, 5), (4, 5), (5, 6))

    def test_areas_of_a_shape_are_alike_and_their_spacers_are_in_order(self, grid: Grid) -> None:
        couplers = {frozenset(pair) for pair in TORINO[1]}
        for shape in grid.shapes:
            size, inside = grid.templates[shape]
            assert len(grid.areas(shape)) == (4 - shape[0]) * (4 - shape[1])
            for area in grid.areas(shape).values():
                assert len(set(area)) == len(area) == size
                assert all({area[a], area[b]} in couplers for a, b in inside)
        assert grid.areas((1, 2))[0, 0][14:] == (6, 25)  # A beside the upper runs, B beside the lower ones
        # v1 - v2 - v3: lower run's 4 - v1, and v3 - upper run's 0 of the region below.
        assert grid.areas((2, 1))[0, 0][14:] == (21, 34, 40)
        # In a block of four, v1 and v3 of the second column are spacers beside each other already.
        assert grid.areas((2, 2))[0, 0][28:] == (6, 25, 44, 63, 21, 34, 40, 35)

    def test_spacers_are_to_the_right_where_more_are_there(self) -> None:
        grid = find_grid(*heavy_hex(4, 8, start=1))
        assert grid.regions[0, 0] == (0, 1, 2, 8, 10, 11, 12)
        assert [area[14:] for area in grid.areas((2, 1)).values()] == [(13, 18, 23), (17, 19, 27)]

    def test_a_square_grid_has_regions_of_nine(self) -> None:
        grid = find_grid(*square(7, 7))
        assert grid.regions[1, 1] == (32, 33, 34, 39, 40, 41, 46, 47, 48)
        assert {shape: grid.templates[shape][0] for shape in grid.shapes} == {
            (1, 1): 9,
            (1, 2): 21,
            (2, 1): 21,
            (2, 2): 48,
        }
        assert grid.areas((1, 2))[0, 0][18:] == (3, 10, 17)
        assert grid.half_places == ((0, 1, 2), (6, 7, 8))

    def test_rows_are_found_wherever_they_start(self) -> None:
        """As on 127 qubits, where the first row lacks its last qubit: all numbers after it are one less."""
        size, couplers = heavy_hex(3, 7)
        couplers = [(a - (a > 6), b - (b > 6)) for a, b in couplers if 6 not in (a, b)]
        lattice = find_lattice(size - 1, couplers)
        assert [cell for cell, qubit in sorted(lattice.items(), key=lambda item: item[1])][:8] == [
            *((0, x) for x in range(6)),
            (1, 0),
            (1, 4),
        ]
        assert lattice[2, 0] == 8

    @pytest.mark.parametrize(
        ("size", "couplers", "why"),
        [
            (4, [(0, 1), (1, 2), (2, 3)], "has no region"),
            (4, [(0, 2), (1, 3)], "no rows of coupled qubits"),
            (9, [*square(3, 3)[1], (0, 8)], "do not fit into rows and columns"),
        ],
    )
    def test_other_devices_are_refused(self, size: int, couplers: list[tuple[int, int]], why: str) -> None:
        with pytest.raises(SystemFailedError, match=why):
            find_grid(size, couplers)


@dataclass
class Program:
    """A program of which only figures are known."""

    num_qubits: int
    layers: int = 100
    half_layers: int = 80
    is_sensitive: bool = False
    grid: Grid = field(default_factory=lambda: find_grid(*TORINO))

    @property
    def shapes(self) -> tuple[Shape, ...]:
        return choose_shapes(self.grid, self.num_qubits)

    def depth(self, shape: Shape) -> int:
        return self.layers + shape[0]

    def half_depth(self) -> int:
        return self.half_layers

    def sensitive(self) -> bool:
        return self.is_sensitive


def seats(grid: Grid, queue: Sequence[Program], **options: object) -> list[Seat]:
    return Packing(grid, queue, **{"in_time": False, **options}).seats


class TestPacking:
    @pytest.mark.parametrize(
        ("width", "shapes"),
        [
            (7, [(1, 1)]),
            (16, [(1, 2), (2, 1)]),
            (17, [(2, 1)]),
            (25, [(1, 3), (3, 1)]),
            (26, [(3, 1)]),
            (85, [(3, 3)]),
            (86, []),
        ],
    )
    def test_shapes(self, grid: Grid, width: int, shapes: list[Shape]) -> None:
        assert list(choose_shapes(grid, width)) == shapes

    def test_nine_programs_of_four_to_seven_qubits_fill_the_device(self, grid: Grid) -> None:
        queue = [Program(4 + i % 4) for i in range(12)]
        assert [(seat.position, seat.place) for seat in seats(grid, queue)] == [(i, divmod(i, 3)) for i in range(9)]

    def test_smaller_programs_overtake(self, grid: Grid) -> None:
        """36 qubits take 2 x 2; the next such program has no block left, later ones do: lying, then standing, then single."""
        queue = [Program(36), Program(36), Program(16), Program(7), Program(16), Program(7)]
        found = {seat.position: (seat.place, seat.shape) for seat in seats(grid, queue)}
        assert found == {
            0: ((0, 0), (2, 2)),
            2: ((2, 0), (1, 2)),
            3: ((0, 2), (1, 1)),
            4: ((1, 2), (2, 1)),
        }

    def test_narrow_programs_share_a_region(self, grid: Grid) -> None:
        queue = [Program(3), *[Program(5)] * 8, Program(7), Program(2), Program(3)]
        found = seats(grid, queue)
        assert found[0] == Seat(0, (1, 1), (0, 0), half=0)
        assert found[9:] == [Seat(10, (1, 1), (0, 0), half=1)]

    def test_a_region_lasts_as_long_as_its_longer_half(self, grid: Grid) -> None:
        """The guest makes the shared region the longest, and so closed to second turns; then the host is."""
        queue = [Program(7, 300), Program(3, 10), *[Program(7, 300)] * 7, Program(3, 0, half_layers=400)]
        turns = [seat.place for seat in seats(grid, [*queue, *[Program(7, 10)] * 2], in_time=True) if seat.turn]
        assert turns == [(0, 0), (0, 2)]
        queue[1], queue[-1] = Program(3, 500), Program(3, 0, half_layers=80)
        turns = [seat.place for seat in seats(grid, [*queue, *[Program(7, 10)] * 2], in_time=True) if seat.turn]
        assert turns == [(0, 0), (0, 2)]

    def test_ceiling(self, grid: Grid) -> None:
        assert len(seats(grid, [Program(2)] * 50)) == 18
        assert len(seats(grid, [Program(1, 10), *[Program(2, 0, 0)] * 60], in_time=True)) == 18
        assert len(seats(grid, [Program(4, 900), *[Program(2, 1, 1)] * 60], in_time=True)) == 33

    def test_second_turns_end_before_the_longest_region(self, grid: Grid) -> None:
        """The longest lasts 301 layers: 101 + 50 + 149 is less, 101 + 50 + 150 is not."""
        first = [Program(7, 300), *[Program(7, 100)] * 8]
        queue = [*first, Program(7, 149), Program(7, 100), Program(7, 148)]
        assert [seat for seat in seats(grid, queue, in_time=True) if seat.turn] == [
            Seat(10, (1, 1), (0, 1), turn=1),
            Seat(11, (1, 1), (0, 2), turn=1),
        ]
        assert not [seat for seat in seats(grid, queue) if seat.turn]

    def test_no_second_turns_where_all_regions_last_as_long(self, grid: Grid) -> None:
        queue = [Program(7, 300), *[Program(7, 251)] * 8, Program(7, 0)]
        assert len(seats(grid, queue, in_time=True)) == 9

    def test_no_region_serves_three(self, grid: Grid) -> None:
        queue = [Program(7, 900), *[Program(7, 10)] * 30]
        found = seats(grid, queue, in_time=True)
        assert len(found) == 9 + 8
        assert sum(seat.turn for seat in found) == 8

    def test_a_wide_second_turn_waits_for_its_deepest_region(self, grid: Grid) -> None:
        queue = [Program(7, 300), Program(7, 10), Program(7, 200), *[Program(7, 290)] * 6, Program(16, 40)]
        assert [seat.place for seat in seats(grid, queue, in_time=True) if seat.turn] == [(0, 1)]  # 201 + 50 + 41 < 301
        queue[-1] = Program(16, 49)
        assert not [seat for seat in seats(grid, queue, in_time=True) if seat.turn]

    def test_bad_regions_are_for_programs_that_do_not_care(self, grid: Grid) -> None:
        bad = [(0, 0), (1, 1), (2, 2)]
        queue = [Program(7, is_sensitive=True), Program(7), Program(16), Program(17, is_sensitive=True), Program(17)]
        found = {seat.position: (seat.place, seat.shape) for seat in seats(grid, queue, bad=bad)}
        assert found == {
            0: ((0, 1), (1, 1)),
            1: ((0, 0), (1, 1)),
            2: ((1, 0), (1, 2)),
            3: ((0, 2), (2, 1)),
        }

    def test_a_sensitive_program_may_find_nothing_for_ever(self, grid: Grid) -> None:
        """Three bad regions on a diagonal meet all rows and columns: HyperQ then loops, we place nobody."""
        assert seats(grid, [Program(26, is_sensitive=True)], bad=[(0, 0), (1, 1), (2, 2)]) == []


def test_bad_regions_have_the_worst_couplers(grid: Grid) -> None:
    target = make_target(*TORINO)
    for region, error in (((1, 0), 0.3), ((0, 2), 0.2), ((2, 2), 0.1), ((0, 0), 0.011)):
        qubits = grid.regions[region]
        for a, b in ((qubits[0], qubits[1]), (qubits[1], qubits[0])):
            properties = target["cz"][a, b]
            properties.error = error
            target.update_instruction_properties("cz", (a, b), properties)
    assert _bad_regions(grid, target) == ((1, 0), (0, 2), (2, 2))


def test_an_area_is_a_device_without_calibration() -> None:
    area = area_target(make_target(5), 3, [(0, 1), (1, 2)])
    assert area.num_qubits == 3
    assert sorted(area["cz"]) == [(0, 1), (1, 0), (1, 2), (2, 1)]
    assert area["cz"][0, 1] is None
    assert area.instruction_supported("reset", (2,))
    assert area.instruction_supported("if_else", (0,))


def test_second_turns_start_with_a_reset_of_all_that_was_used() -> None:
    """On two regions: a long program keeps its own, two short ones take turns on the other, and narrow ones share it."""
    backend = TargetBackend(make_target(*heavy_hex(2, 11)))
    long, short = QuantumCircuit(4, 1, name="long"), QuantumCircuit(4, 1, name="short")
    for angle in range(60):
        long.rx(0.1 * angle, 0)
        for qubit in range(3):
            long.cx(qubit, qubit + 1)
            long.rx(0.1 + angle, qubit + 1)
    long.measure(3, 0)
    short.h(0)
    short.cx(0, 3)
    short.measure(3, 0)
    queue = [(i, Job(f"j{i}", "", circuit)) for i, circuit in enumerate((long, short, short))]
    batch = FixedGrid("space and time").next_batch(queue, backend, 1)
    assert batch.members == (0, 1, 2)
    assert batch.facts | {"dead_gates": 0} == batch.facts
    assert (batch.facts["second_turns"], batch.facts["resets"]) == (1, 7)
    assert batch.circuit.count_ops()["reset"] == 7
    report = verify_isolation(batch.circuit, target=backend.target)
    assert report.programs == (0, 1, 2)
    assert report.fewest_resets == 1
    assert FixedGrid("space").next_batch(queue, backend, 1).members == (0, 1)
