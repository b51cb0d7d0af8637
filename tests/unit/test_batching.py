"""Plans: exact totals, limits, and close to the cheapest there is."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.providers.fake_provider import GenericBackendV2

from qiskit_halo.batch_plan import BatchPlan
from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import HaloOptions
from qiskit_halo.primitives.batching import plan_batches, plan_programs
from qiskit_halo.primitives.estimates import MakespanModel, ProgramEstimate, Room
from tests.targets import make_target

ROOM = Room(num_qubits=20, reset_s=1e-6, handover_s=2e-6)


def estimate(num_qubits: int = 3, length_us: float = 3.0) -> ProgramEstimate:
    return ProgramEstimate(num_qubits=num_qubits, length_s=length_us * 1e-6, busy_s=num_qubits * length_us * 1e-6)


def plan(
    shots: list[int],
    circuits: list[int] | None = None,
    *,
    estimates: list[ProgramEstimate] | None = None,
    parametrized: bool = False,
    weights: list[float] | None = None,
    room: Room = ROOM,
    **options: object,
) -> BatchPlan:
    circuits = list(range(len(shots))) if circuits is None else circuits
    estimates = estimates or [estimate() for _ in range(max(circuits) + 1)]
    return plan_programs(
        circuits=circuits,
        shots=shots,
        names=[f"program {index}" for index in range(len(shots))],
        estimates=estimates,
        room=room,
        options=HaloOptions(**options),
        parametrized=[parametrized] * len(estimates),
        weights=weights,
    )


def check(found: BatchPlan, options: HaloOptions) -> None:
    """Every program gets its shots, from cells of its own circuit, within all limits."""
    for program, shares in enumerate(found.shares()):
        assert sum(share.shots for share in shares) == found.shots[program]
        for share in shares:
            batch = found.batches[share.batch]
            assert batch.slots[share.slot] == found.circuits[program]
            assert share.shots <= batch.shots
    for batch in found.batches:
        assert len(batch.slots) <= options.max_batch_programs
        assert all(len(row) == len(batch.slots) for row in batch.cells)
        assert all(any(cell is not None for cell in row) for row in batch.cells)
        if options.max_copies is not None:
            assert batch.num_copies <= options.max_copies
        if options.max_executions is not None:
            assert batch.executions <= options.max_executions
        if options.max_duration_s is not None:
            assert batch.makespan_s <= options.max_duration_s or len(batch.slots) == 1


@given(
    shots=st.lists(st.integers(1, 3000), min_size=1, max_size=12),
    seed=st.integers(0, 1000),
    parametrized=st.booleans(),
    most=st.integers(1, 40),
    copies=st.none() | st.integers(1, 3),
    executions=st.none() | st.integers(200, 5000),
    circuits=st.none() | st.integers(1, 5),
    duration_us=st.none() | st.floats(1, 50),
    rep_delay_us=st.sampled_from([0.0, 50.0, 250.0]),
)
def test_totals_are_exact_and_limits_are_kept(
    shots, seed, parametrized, most, copies, executions, circuits, duration_us, rep_delay_us
):
    rng = np.random.default_rng(seed)
    own = rng.integers(0, 4, len(shots)).tolist()
    options = HaloOptions(
        max_batch_programs=most,
        max_copies=copies,
        max_executions=executions,
        max_circuits=circuits,
        max_duration_s=None if duration_us is None else duration_us * 1e-6,
        rep_delay_s=rep_delay_us * 1e-6,
    )
    found = plan(
        shots,
        own,
        estimates=[estimate(int(rng.integers(1, 6)), float(rng.uniform(1, 9))) for _ in range(4)],
        parametrized=parametrized,
        **{name: getattr(options, name) for name in options.to_dict()},
    )
    check(found, options)
    if parametrized and circuits is not None:
        assert all(batch.num_rows <= circuits for batch in found.batches)
    if copies is None and executions is None and not parametrized and len(shots) < 8:
        assert found.qpu_time_s <= found.one_by_one_s * 1.03


def test_equal_input_gives_an_equal_plan():
    shots = [200, 300, 4000, 17, 999]
    assert plan(shots) == plan(shots)


def test_a_lone_program_is_replicated():
    found = plan([10_000])
    (batch,) = found.batches
    assert batch.num_copies > 50
    assert batch.executions == math.ceil(10_000 / batch.num_copies)
    assert found.ratio > 30


def test_a_sweep_runs_one_merged_circuit_with_few_rows():
    found = plan([1000] * 500, [0] * 500, parametrized=True)
    (batch,) = found.batches
    assert (batch.num_rows, batch.shots) == (4, 1000)
    assert len(batch.slots) == 125


def test_copies_can_be_refused():
    found = plan([100, 1000], max_copies=1)
    check(found, HaloOptions(max_copies=1))
    assert sum(batch.executions for batch in found.batches) == 1000


def test_without_copies_programs_with_more_shots_are_carried_over_where_only_packing_counts():
    found = plan([100] * 20 + [5000], max_copies=1, rep_delay_s=0.0)
    assert len(found.batches) == 2
    assert {share.batch for share in found.shares()[20]} == {0, 1}
    assert found.qpu_time_s < 5000 * (ROOM.reset_s + float(_makespan(21)))


def _makespan(copies: int) -> float:
    return float(MakespanModel([estimate()], ROOM).makespan_s(np.array([copies]), np.array([0])))


def test_programs_that_are_too_wide_for_each_other_run_apart_where_only_packing_counts():
    found = plan([1000] * 4, estimates=[estimate(18, 9.0)] * 4, max_copies=1, rep_delay_s=0.0)
    assert [batch.programs for batch in found.batches] == [(0,), (1,), (2,), (3,)]
    assert found.ratio == pytest.approx(1.0)


def test_few_shots_do_not_ride_along_for_the_many():
    spread = np.geomspace(200, 20_000, 30).round().astype(int).tolist()
    found = plan(spread, room=Room(num_qubits=128, reset_s=1.7e-6, handover_s=3.4e-6))
    together = max(spread) * (3e-6 * 30 / 10 + 252e-6)
    assert found.qpu_time_s < 0.2 * together


def test_heavy_programs_come_first():
    found = plan([100] * 6, weights=[1, 1, 1, 5, 1, 5], max_batch_programs=2, max_copies=1)
    assert found.batches[0].programs == (3, 5)


def test_of_equal_weight_short_batches_come_first():
    found = plan([5000, 50], max_batch_programs=1, max_copies=1)
    assert [batch.programs for batch in found.batches] == [(1,), (0,)]


@pytest.mark.parametrize("shots", [[7, 7], [3, 8], [1, 10, 4], [6, 6, 6], [12], [2, 9, 9]])
@pytest.mark.parametrize("rep_delay_us", [0.0, 50.0])
def test_the_plan_is_close_to_the_best_of_all_single_batches(shots: list[int], rep_delay_us: float):
    most = 6
    found = plan(shots, max_batch_programs=most, rep_delay_s=rep_delay_us * 1e-6)
    model = MakespanModel([estimate() for _ in shots], ROOM)
    best = math.inf
    for copies in itertools.product(range(1, most + 1), repeat=len(shots)):
        if sum(copies) <= most:
            executions = max(-(-n // c) for n, c in zip(shots, copies, strict=True))
            length = float(model.makespan_s(np.array(copies), np.arange(len(shots))))
            best = min(best, executions * (length + ROOM.reset_s + rep_delay_us * 1e-6))
    assert found.qpu_time_s <= best * 1.02


def test_circuits_are_told_apart_by_object_and_sweeps_share_slots():
    angle = Parameter("a")
    sweep = QuantumCircuit(1)
    sweep.ry(angle, 0)
    sweep.measure_all()
    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    found = plan_batches([sweep, bell, sweep], [10, 20, 30], make_target(8))
    assert found.circuits == (0, 1, 0)
    check(found, HaloOptions())
    assert found == plan_batches([sweep, bell, sweep], [10, 20, 30], make_target(8))
    assert found.names == (sweep.name, bell.name, f"{sweep.name}_1")


def test_a_backend_will_do_and_errors_are_those_of_programs():
    bell = QuantumCircuit(2, name="bell")
    bell.h(0)
    with pytest.raises(HaloValueError, match=r"Program 0 \('bell'\) has no measurement"):
        plan_batches([bell], 10, GenericBackendV2(3, seed=1))
    bell.measure_all()
    assert plan_batches([bell], 10, GenericBackendV2(3, seed=1)).shots == (10,)
    with pytest.raises(HaloValueError, match="there are 1 weights for 2 programs"):
        plan([1, 2], weights=[1.0])
