"""Pictures of the chip: who is drawn where, and where each qubit is drawn."""

from __future__ import annotations

import builtins
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Wedge
from qiskit.transpiler import CouplingMap

from qiskit_halo.errors import HaloError, HaloValueError
from qiskit_halo.visualization._colours import ANONYMOUS, PALETTE, program_colours
from qiskit_halo.visualization._coordinates import qubit_coordinates, row_cells
from qiskit_halo.visualization._occupancy import qubit_users
from qiskit_halo.visualization.chip import plot_placement
from tests.report_samples import crowded_report, heavy_hex_133, small_report


def circles(figure: Figure) -> list[str]:
    return [to_hex(p.get_facecolor()) for p in figure.axes[0].patches if isinstance(p, Circle)]


def wedges(figure: Figure) -> list[Wedge]:
    return [p for p in figure.axes[0].patches if isinstance(p, Wedge)]


def texts(figure: Figure) -> list[str]:
    return [t.get_text() for t in figure.axes[0].texts]


class TestPlotPlacement:
    def test_whole_batch_fills_single_users_and_slices_shared_qubits(self) -> None:
        figure = plot_placement(small_report())
        second = PALETTE[1].lower()
        assert circles(figure) == ["#ffffff", "#ffffff", "#ffffff", second, second]
        assert [to_hex(w.get_facecolor()) for w in wedges(figure)] == [
            PALETTE[0].lower(),
            PALETTE[2].lower(),
        ] * 2

    def test_slices_run_clockwise_from_the_top_in_order_of_time(self) -> None:
        first, then = wedges(plot_placement(small_report()))[:2]
        assert (first.theta1, first.theta2) == (-90, 90)
        assert (then.theta1, then.theta2) == (-270, -90)

    def test_an_instant_shows_who_holds_each_qubit_then(self) -> None:
        colours = [c.lower() for c in PALETTE]
        early = plot_placement(small_report(), at_s=1e-6)
        assert circles(early) == [colours[0], colours[0], "#ffffff", colours[1], colours[1]]
        late = plot_placement(small_report(), at_s=5e-6)
        assert circles(late) == [colours[2], colours[2], "#ffffff", colours[1], colours[1]]
        assert not wedges(late)

    def test_a_qubit_in_reset_is_hatched(self) -> None:
        figure = plot_placement(small_report(), at_s=3e-6)
        hatched = [p.get_hatch() for p in figure.axes[0].patches if isinstance(p, Circle)]
        assert hatched == ["////", "////", None, None, None]
        labels = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
        assert labels == ["0 ann", "1 bo", "2 cy", "being reset"]

    def test_numbers_every_qubit_and_names_programs_that_hold_theirs_alone(self) -> None:
        shown = texts(plot_placement(small_report()))
        assert {"0", "1", "2", "3", "4", "1 bo"} <= set(shown)
        assert "0 ann" not in shown
        assert "0 ann" in texts(plot_placement(small_report(), at_s=0.0))

    def test_couplers_inside_one_program_take_its_colour(self) -> None:
        figure = plot_placement(small_report())
        (lines,) = [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]
        assert len(lines.get_segments()) == 4
        assert [to_hex(c) for c in lines.get_colors()].count(PALETTE[1].lower()) == 1

    def test_title_says_how_many_share(self) -> None:
        title = plot_placement(small_report()).axes[0].get_title()
        assert title == "3 programs on 4 of 5 qubits (whole batch, at most 2 programs on one qubit)"
        title = plot_placement(small_report(), at_s=3e-6).axes[0].get_title()
        assert title == "1 program on 2 of 5 qubits (at 3.00 µs)"

    def test_many_programs_get_no_legend_but_their_index_in_every_slice(self) -> None:
        figure = plot_placement(crowded_report(60))
        assert figure.axes[0].get_legend() is None
        assert {str(index) for index in range(60)} <= set(texts(figure))

    def test_draws_on_the_axes_given(self) -> None:
        figure = Figure()
        axes = figure.subplots(1, 2)
        assert plot_placement(small_report(), ax=axes[1]) is figure
        assert not axes[0].patches
        assert len(axes[1].patches) == 9, "five discs and two rings of two slices"

    def test_draws_a_batch_without_leases(self) -> None:
        figure = plot_placement(small_report(programs=(), leases=()))
        assert set(circles(figure)) == {"#ffffff"}

    @pytest.mark.parametrize("at_s", [-1e-9, 9e-6])
    def test_an_instant_outside_of_the_batch_is_refused(self, at_s: float) -> None:
        with pytest.raises(HaloValueError, match=r"runs from 0 to 8e-06 seconds"):
            plot_placement(small_report(), at_s=at_s)

    def test_missing_matplotlib_names_the_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real_import = builtins.__import__

        def no_matplotlib(name: str, *args: object, **kwargs: object) -> object:
            if name.startswith("matplotlib"):
                raise ImportError(name)
            return real_import(name, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(builtins, "__import__", no_matplotlib)
        with pytest.raises(HaloError, match=r"qiskit-halo\[visualization\]"):
            plot_placement(small_report())


class TestQubitUsers:
    def test_a_program_that_comes_back_counts_once(self) -> None:
        lease = small_report().leases[0]
        report = small_report(leases=(lease, lease))
        assert qubit_users(report)[0] == (0,)

    def test_leases_are_half_open(self) -> None:
        assert qubit_users(small_report(), at_s=2e-6)[0] == ()


class TestProgramColours:
    def test_few_programs_differ_all(self) -> None:
        colours = program_colours(crowded_report(len(PALETTE)))
        assert len(set(colours.values())) == len(PALETTE) + 1
        assert colours[None] == ANONYMOUS

    def test_programs_that_meet_on_a_qubit_differ_also_when_colours_repeat(self) -> None:
        report = crowded_report(100)
        colours = program_colours(report)
        for held in qubit_users(report):
            assert len({colours[program] for program in held}) == len(held)


class TestQubitCoordinates:
    def test_heavy_hex_lies_on_bricks(self) -> None:
        points = qubit_coordinates(133, heavy_hex_133())
        assert points[[0, 14, 15, 19, 37, 132]].tolist() == [
            [0, 0],
            [14, 0],
            [0, -1],
            [0, -2],
            [14, -3],
            [12, -13],
        ]

    @pytest.mark.parametrize("cut_off", [(16,), (40,), (113, 114, 129), (132,)])
    def test_qubits_without_couplers_stay_where_their_numbers_belong(self, cut_off: tuple[int, ...]) -> None:
        couplers = [pair for pair in heavy_hex_133() if not set(pair) & set(cut_off)]
        assert row_cells(133, couplers) == row_cells(133, heavy_hex_133())

    def test_a_long_line_is_folded(self) -> None:
        couplers = CouplingMap.from_line(40, bidirectional=False).get_edges()
        points = qubit_coordinates(40, couplers)
        assert np.ptp(points[:, 0]) == 15
        assert [np.abs(points[a] - points[b]).sum() for a, b in couplers] == [1.0] * 39

    def test_a_shuffled_grid_is_drawn_as_a_grid(self, rng: np.random.Generator) -> None:
        order = rng.permutation(36)
        couplers = [(int(order[a]), int(order[b])) for a, b in CouplingMap.from_grid(6, 6).get_edges()]
        assert row_cells(36, couplers) is None
        points = qubit_coordinates(36, couplers)
        lengths = np.array([np.linalg.norm(points[a] - points[b]) for a, b in couplers])
        assert lengths.std() / lengths.mean() < 0.15
        apart = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(36) * 9
        assert apart.min() > 0.6 * lengths.mean()

    @pytest.mark.parametrize(
        ("num_qubits", "couplers"),
        [
            (1, []),
            (7, []),
            (5, [(0, 1), (1, 2), (2, 0)]),
            (12, CouplingMap.from_full(12).get_edges()),
            (20, CouplingMap.from_ring(20).get_edges()),
        ],
    )
    def test_every_device_has_a_drawing_without_coincidences(
        self, num_qubits: int, couplers: list[tuple[int, int]]
    ) -> None:
        points = qubit_coordinates(num_qubits, couplers)
        assert points.shape == (num_qubits, 2)
        apart = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(num_qubits)
        assert apart.min() > 0.1
        assert np.array_equal(points, qubit_coordinates(num_qubits, couplers))


def test_the_whole_legend_fits_however_small_the_chip() -> None:
    programs = tuple(replace(small_report().programs[0], index=k, name=f"prog_{k}") for k in range(18))
    figure = plot_placement(small_report(programs=programs), at_s=3e-6)
    figure.draw_without_rendering()
    assert len(figure.axes[0].get_legend().get_texts()) == 19
    assert figure.axes[0].get_legend().get_window_extent().y0 >= 0
