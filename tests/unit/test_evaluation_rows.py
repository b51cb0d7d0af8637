from __future__ import annotations

import math

import pytest

from benchmarks.evaluation.bars import queue_bars, rank_bars
from benchmarks.evaluation.measures.time_model import CLOCKS
from benchmarks.evaluation.names import ALONE, GRID_SPACE, GRID_TIME, OURS
from benchmarks.evaluation.rows import make_row
from benchmarks.evaluation.tables import markdown, number, quality_table, throughput_table


def batch(members: list[int], success: list[float], **changes: object) -> dict[str, object]:
    return {
        "members": members,
        "success": success,
        "shots": 1000,
        "makespan_s": 20e-6,
        "reset_s": 2e-6,
        "busy_s": 100e-6,
        "resets_s": 10e-6,
        "between": 3,
        "within": 1,
        "two_qubit": 12,
        "crossing": 0,
        "dead": 0,
        "joined": 0,
        "violation": "",
        "compile_s": 0.5,
        "num_qubits": 6,
        "facts": {},
    } | changes


def sample(job: int, fidelity: float | None, floor: float = 0.1) -> dict[str, object]:
    flips = None if fidelity is None else fidelity / 2
    found = {
        "job": job,
        "fidelity": fidelity,
        "fidelity_flips": flips,
        "floor": floor,
        "ceiling": 1.0,
        "predicted": 0.5,
    }
    return found if fidelity is None else {**found, "hellinger": fidelity, "hellinger_flips": flips}


def cell(system: str, batches: list[dict[str, object]], samples: list[dict[str, object]], failure: str = "") -> dict:
    finished = len({member for own in batches for member in own["members"]})
    return {
        "system": system,
        "failure": failure,
        "finished": finished,
        "jobs": [{}] * 4,
        "batches": batches,
        "sample": samples,
    }


ONE_BY_ONE = cell(
    ALONE,
    [
        batch([0], [0.8], two_qubit=4),
        batch([1], [0.5], two_qubit=4),
        batch([2], [1e-13], two_qubit=4, dead=1),
        batch([3], [0.4], two_qubit=4),
    ],
    [sample(0, 0.8), sample(1, 0.5), sample(2, 0.4), sample(3, 0.19)],
)
TOGETHER = cell(
    OURS,
    [batch([0, 1, 2], [0.72, 0.5, 0.6]), batch([3], [0.4], num_qubits=2, makespan_s=10e-6, facts={"deadlocks": 2})],
    [sample(0, 0.7), sample(1, 0.5), sample(2, 0.6), sample(3, None)],
)


def test_row_by_hand() -> None:
    row = make_row(TOGETHER, ONE_BY_ONE, 10)
    assert row.seconds[0] == pytest.approx(0.272 + 0.262)
    assert row.seconds[1] == pytest.approx(2.534)
    assert row.throughput(CLOCKS[0]) == pytest.approx(4 / 0.534)
    assert row.qubits == pytest.approx((6 * 0.272 + 2 * 0.262) / 0.534)
    assert row.busy == pytest.approx(200 / (10 * 30))
    assert row.packing == pytest.approx(220 / (10 * 30))
    assert row.busy_delay == pytest.approx(200 / (10 * 530))
    assert (row.between, row.within, row.finished, row.batches) == (6, 2, 4, 2)
    assert row.two_qubit_ratio == pytest.approx(24 / 16)
    assert row.predicted == pytest.approx((0.72 + 0.5 + 0.6 + 0.4) / 4)
    assert row.predicted_ratio == pytest.approx((0.9 + 1 + 1) / 3)  # job 2 alone uses a dead coupler
    assert row.facts == {"deadlocks": 2}
    fidelity = row.fidelity
    assert fidelity is not None
    assert (fidelity.count, fidelity.wide, fidelity.left_out) == (2, 1, 1)
    assert fidelity.ratio == pytest.approx(1.2 / 1.3)
    assert fidelity.error == pytest.approx(0.05 / 0.65)  # differences -0.1 and 0: their mean is known to 0.05
    flips = row.fidelity_flips
    assert flips is not None
    assert (flips.count, flips.mean) == (2, pytest.approx(fidelity.mean / 2))
    assert make_row(ONE_BY_ONE, ONE_BY_ONE, 10).predicted_ratio == 1


def test_programs_below_twice_their_floor_say_nothing() -> None:
    other = cell(OURS, [batch([0, 1, 2, 3], [1.0] * 4)], [sample(0, 0.7), sample(3, 0.19)])
    fidelity = make_row(other, ONE_BY_ONE, 10).fidelity
    assert fidelity is not None
    assert (fidelity.count, fidelity.left_out) == (1, 1)


def test_a_row_without_any_batch() -> None:
    row = make_row(cell("broken", [], [], failure="SystemFailedError: no"), ONE_BY_ONE, 10)
    assert row.throughput(CLOCKS[0]) == 0
    assert math.isnan(row.predicted)
    text = quality_table([row])
    assert "| broken | 0/4 | 0 | - |" in text
    assert "* **broken failed** after 0 programs: SystemFailedError: no" in text
    assert "| broken (failed) |" in throughput_table([row])


def test_bars_by_hand() -> None:
    rows = {name: make_row({**TOGETHER, "system": name}, ONE_BY_ONE, 10) for name in (GRID_SPACE, GRID_TIME, OURS)}
    rows[ALONE] = make_row(ONE_BY_ONE, ONE_BY_ONE, 10)
    bars = {bar.what: bar for bar in queue_bars("queue", "small", rows)}
    assert bars[f"throughput over {ALONE}"].figure == pytest.approx(4 * 0.272 / 0.534)
    assert bars[f"throughput over {ALONE}"].least == 40
    assert bars[f"throughput over {GRID_SPACE}"].figure == bars[f"throughput over {GRID_TIME}"].figure == 1
    for model in ("stays", "flips"):
        assert bars[f"mean fidelity over one by one, a failing reset {model}"].figure == pytest.approx(1.2 / 1.3)
    assert len(bars) == 7
    medium = queue_bars("queue", "arithmedium", rows)
    assert [bar.least for bar in medium] == [15, 0.90, 0.90]


def test_a_failed_rival_leaves_no_figure() -> None:
    rows = {
        OURS: make_row(TOGETHER, ONE_BY_ONE, 10),
        ALONE: make_row({**ONE_BY_ONE, "failure": "SystemFailedError: no"}, ONE_BY_ONE, 10),
    }
    bar = queue_bars("queue", "small", rows)[0]
    assert math.isnan(bar.figure)
    assert not bar.met
    assert bar.note == f"failed: {ALONE}"


def test_rank() -> None:
    samples = [
        {"predicted": x, "fidelity": x**2, "predicted_flips": y, "fidelity_flips": z}
        for x, y, z in ((0.1, 0.1, 0.4), (0.5, 0.2, 0.3), (0.3, 0.3, 0.2))
    ]
    assert [bar.figure for bar in rank_bars([*samples, sample(0, None)])] == pytest.approx([1, -0.5, -1])
    assert math.isnan(rank_bars([])[0].figure)


def test_cells_of_a_table() -> None:
    assert [number(value) for value in (None, math.nan, 0.12345, 12.345, 12345.6)] == [
        "-",
        "-",
        "0.123",
        "12.3",
        "12346",
    ]
    assert markdown(["a", "b"], [["x|y", "1"]]) == "| a | b |\n| --- | ---: |\n| x/y | 1 |\n"
