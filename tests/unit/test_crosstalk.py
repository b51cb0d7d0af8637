from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.device.crosstalk import MOST_ERROR, CrosstalkModel, disturbed_log
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.crosstalk import Overlaps, crosstalk_loss
from qiskit_halo.timeline.summary import summarize
from qiskit_halo.timeline.timeline import make_timeline
from tests.policies import AsGiven
from tests.targets import make_target

X = 0.1
READ = math.log1p(-X)
"""Log of what one foreign readout leaves in these tests."""


def batch(num_qubits: int, num_programs: int = 2) -> QuantumCircuit:
    registers = [ClassicalRegister(2, f"p{k}_c") for k in range(num_programs)]
    return QuantumCircuit(QuantumRegister(num_qubits, "q"), *registers)


def losses(circuit: QuantumCircuit, *, resets: int = 2, **crosstalk: object) -> dict[tuple[int, ...], float]:
    """Loss of each piece by its owners, where nobody makes way for anybody."""
    device = DeviceModel(make_target(circuit.num_qubits))
    timeline = make_timeline(circuit, device, HaloOptions(resets=resets), policy=AsGiven())
    model = CrosstalkModel(device, HaloOptions(**crosstalk))  # type: ignore[arg-type]
    found = crosstalk_loss(timeline, device, model).tolist()
    return {timed.piece.owners: log for timed, log in zip(timeline.pieces, found, strict=True)}


def gates(num_first: int, num_second: int, *, delay: int = 0) -> QuantumCircuit:
    """Program 0 drives (0, 1) and program 1 (2, 3); every gate takes 300 ticks, and ``delay`` comes before program 1."""
    circuit = batch(4)
    circuit.x([0, 2])
    for _ in range(num_first):
        circuit.cz(0, 1)
    if delay:
        circuit.delay(delay, 2)
    for _ in range(num_second):
        circuit.cz(2, 3)
    circuit.measure([0, 1, 2, 3], range(4))
    return circuit


class TestGates:
    TABLE = (((0, 1), (2, 3), 5.0),)

    def test_the_gate_that_overlaps_has_its_error_multiplied(self) -> None:
        found = losses(gates(1, 1), crosstalk=self.TABLE)
        assert found == {(0,): pytest.approx(math.log(0.95 / 0.99)), (1,): 0.0}

    def test_each_direction_has_a_factor_of_its_own(self) -> None:
        table = (*self.TABLE, ((2, 3), (0, 1), 2.0))
        assert losses(gates(1, 1), crosstalk=table)[1,] == pytest.approx(math.log(0.98 / 0.99))

    def test_only_gates_during_which_the_other_coupler_is_driven_count(self) -> None:
        # Program 0 drives in [40, 1240) with four gates, program 1 in [40, 640) with two.
        assert losses(gates(4, 2), crosstalk=self.TABLE)[0,] == pytest.approx(2 * math.log(0.95 / 0.99))
        # In [340, 940): the second and the third. One tick more touches the fourth.
        assert losses(gates(4, 2, delay=300), crosstalk=self.TABLE)[0,] == pytest.approx(2 * math.log(0.95 / 0.99))
        assert losses(gates(4, 2, delay=301), crosstalk=self.TABLE)[0,] == pytest.approx(3 * math.log(0.95 / 0.99))
        assert losses(gates(1, 1, delay=300), crosstalk=self.TABLE)[0,] == 0.0

    def test_of_several_factors_the_largest_counts(self) -> None:
        circuit = batch(6, 3)
        for k in range(3):
            circuit.cz(2 * k, 2 * k + 1)
            circuit.measure([2 * k, 2 * k + 1], circuit.cregs[k])
        table = (((0, 1), (2, 3), 5.0), ((0, 1), (4, 5), 3.0))
        assert losses(circuit, crosstalk=table)[0,] == pytest.approx(math.log(0.95 / 0.99))

    def test_a_program_does_not_pay_for_itself(self) -> None:
        circuit = QuantumCircuit(QuantumRegister(4, "q"), ClassicalRegister(4, "p0_c"))
        circuit.cz([0, 2], [1, 3])
        circuit.measure(range(4), range(4))
        assert losses(circuit, crosstalk=self.TABLE) == {(0,): 0.0}

    def test_a_factor_below_one_is_no_gain(self) -> None:
        assert losses(gates(1, 1), crosstalk=(((0, 1), (2, 3), 0.5),))[0,] == 0.0

    def test_success_never_becomes_impossible(self) -> None:
        lost = losses(gates(1, 1), crosstalk=(((0, 1), (2, 3), 1e9),))[0,]
        assert lost == pytest.approx(math.log1p(-MOST_ERROR) - math.log(0.99))
        assert disturbed_log(1.0, 5.0) == 0.0

    def test_a_gate_inside_a_branch_may_run_at_any_time_of_it(self) -> None:
        circuit = batch(4)
        circuit.measure(0, 0)
        with circuit.if_test((circuit.clbits[0], 1)):
            circuit.cz(0, 1)
        circuit.measure([0, 1], [0, 1])
        for _ in range(6):
            circuit.cz(2, 3)
        circuit.measure([2, 3], [2, 3])
        assert losses(circuit, crosstalk=self.TABLE)[0,] == pytest.approx(math.log(0.95 / 0.99))

    def test_couplers_must_be_there(self) -> None:
        device = DeviceModel(make_target(4))
        for pair in ((0, 2), (3, 4)):
            with pytest.raises(
                HaloTranspilerError, match=r"crosstalk names coupler \(\d, \d\), which this device of 4"
            ):
                CrosstalkModel(device, HaloOptions(crosstalk=((pair, (0, 1) if pair[0] == 3 else (1, 3), 2.0),)))

    def test_no_model_unless_it_is_asked_for(self) -> None:
        assert CrosstalkModel.of(DeviceModel(make_target(2)), HaloOptions()) is None


class TestReadout:
    def test_a_live_neighbour_pays_once_a_readout(self) -> None:
        # Program 0 measures qubit 1 in [0, 1000) and [1000, 2000); program 1 lives on qubit 2 in [0, 1040).
        circuit = batch(4)
        circuit.measure(1, 0)
        circuit.measure(1, 1)
        circuit.x(2)
        circuit.measure(2, 2)
        assert losses(circuit, readout_crosstalk=X) == {(0,): pytest.approx(READ), (1,): pytest.approx(2 * READ)}

    def test_who_is_two_hops_away_or_no_longer_alive_does_not(self) -> None:
        circuit = batch(4)
        circuit.measure(0, 0)
        circuit.measure(2, 2)
        assert set(losses(circuit, readout_crosstalk=X).values()) == {0.0}
        circuit = batch(2)
        circuit.x(0)
        circuit.delay(960, 0)
        circuit.measure(0, 0)
        circuit.measure(1, 2)
        # Program 1 is measured in [0, 1000), program 0 in [1000, 2000) but alive throughout.
        assert losses(circuit, readout_crosstalk=X) == {(0,): pytest.approx(READ), (1,): 0.0}

    def test_a_reset_of_ones_own_disturbs_others_only(self) -> None:
        circuit = batch(3)
        for _ in range(2):
            circuit.reset(1)
            circuit.cz(0, 1)
            circuit.measure(1, 0)
        for _ in range(200):
            circuit.x(2)
        circuit.measure(2, 2)
        # Program 1 lives all the time beside two measurements and the reset between them; the first reset is dropped.
        assert losses(circuit, readout_crosstalk=X) == {(0,): 0.0, (1,): pytest.approx(3 * READ)}

    @pytest.mark.parametrize("resets", [1, 2, 3])
    def test_each_reset_of_a_hand_over_counts_for_everybody(self, resets: int) -> None:
        circuit = batch(2, 3)
        circuit.x(0)
        circuit.measure(0, 0)
        circuit.reset(0)
        circuit.x(0)
        circuit.measure(0, 2)
        for _ in range(200):
            circuit.x(1)
        circuit.measure(1, 4)
        # Program 2 lives on qubit 1 all the time, beside both measurements and the resets between.
        assert losses(circuit, resets=resets, readout_crosstalk=X)[2,] == pytest.approx((2 + resets) * READ)


def test_overlaps_agree_with_looking_at_every_pair(rng: np.random.Generator) -> None:
    def draw(count: int) -> np.ndarray:
        starts = rng.integers(-5, 30, count)
        return np.stack(
            [rng.integers(0, 4, count), rng.integers(0, 3, count), starts, starts + rng.integers(0, 9, count)]
        )

    own, asked = draw(80), draw(60)
    times = rng.integers(1, 4, 80)
    found = Overlaps(*own, times).count(*asked)
    expected = [
        sum(
            int(n)
            for n, (place, program, start, stop) in zip(times, own.T, strict=True)
            if place == p and program != g and max(start, s) < min(stop, e)
        )
        for p, g, s, e in asked.T
    ]
    assert found.tolist() == expected


@pytest.mark.parametrize(("factor", "share"), list(product((1.0, 3.0, 50.0), (0.0, 0.2))))
def test_a_report_counts_it_and_never_gains(factor: float, share: float) -> None:
    device = DeviceModel(make_target(4))
    options = HaloOptions(crosstalk=(((0, 1), (2, 3), factor),), readout_crosstalk=share)
    timeline = make_timeline(gates(2, 2), device, HaloOptions(), policy=AsGiven())
    plain = summarize(timeline, device, {}, 2)
    priced = summarize(timeline, device, {}, 2, CrosstalkModel.of(device, options))
    lost = crosstalk_loss(timeline, device, CrosstalkModel(device, options))
    for before, after, log in zip(plain.programs, priced.programs, lost, strict=True):
        assert before.success_merged is not None
        assert after.success_merged == pytest.approx(before.success_merged * math.exp(log))
        assert after.success_merged <= before.success_merged
    assert (lost < 0).tolist() == [factor > 1 or share > 0, share > 0]
