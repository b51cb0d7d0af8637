from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks._optimum import Batch, Optimum, least_cost
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.placement import packing
from qiskit_halo.placement.filling import Filling
from qiskit_halo.placement.items import PackingItem
from tests.fragment_samples import bell
from tests.targets import make_target
from tests.unit.test_packing import item, no_other, worse_readout

pytest.importorskip("ortools", reason="exact optima need OR-tools")

SECONDS = 60.0


def both(device: DeviceModel, items: Sequence[PackingItem], delay_s: float) -> tuple[Filling, float, Optimum]:
    packer = packing._Packer(items, device, HaloOptions(rep_delay_s=delay_s), no_other)
    filling = packer.one_by_one()
    optimum = least_cost(Batch.of(packer), 2 * filling.length, SECONDS)
    assert optimum is not None
    return filling, packer.badness(filling)[1], optimum


@pytest.mark.parametrize("delay_s", [0.0, 250e-6])
def test_bells_one_after_another_are_the_optimum(delay_s: float) -> None:
    device = DeviceModel(make_target(2))
    filling, cost, optimum = both(device, [item(device)] * 3, delay_s)
    assert (optimum.slots, optimum.found) == (filling.length, pytest.approx(cost, abs=1e-3))
    assert optimum.bound == pytest.approx(optimum.found, abs=1e-6)


def test_the_optimum_sees_what_nobody_would_choose_for_itself() -> None:
    # Whoever goes first on the middle pair leaves a fresh qubit to each of the two that follow: one slot less.
    device = DeviceModel(make_target(4))
    filling, cost, optimum = both(device, [item(device)] * 3, 0.0)
    assert optimum.slots == filling.length - 1
    assert optimum.found < cost


def test_who_cannot_pay_for_a_hand_over_comes_first() -> None:
    device = DeviceModel(make_target(2))
    strict, loose = item(device, floor=1.0), item(device, floor=0.5)
    filling, cost, optimum = both(device, [loose, strict], 0.0)
    assert not any(filling.faults)
    assert optimum.found == pytest.approx(cost, abs=1e-3)
    packer = packing._Packer([strict, strict], device, HaloOptions(), no_other)
    assert least_cost(Batch.of(packer), 200, SECONDS) is None


def test_a_better_place_is_worth_waiting_for_where_time_is_cheap() -> None:
    device = DeviceModel(worse_readout(4, 3, 0.05))
    slots = []
    for delay_s in (0.0, 5e-3):
        filling, cost, optimum = both(device, [item(device)] * 2, delay_s)
        assert optimum.found == pytest.approx(cost, abs=1e-2)  # a chord lies above its curve
        assert optimum.slots == filling.length
        slots.append(optimum.slots)
    assert slots[0] < slots[1]


def test_a_qubit_of_ones_own_is_not_in_the_model() -> None:
    device = DeviceModel(make_target(2))
    packer = packing._Packer([item(device, bell(1), exclusive=(0,))], device, HaloOptions(), no_other)
    with pytest.raises(ValueError, match="share all their qubits"):
        least_cost(Batch.of(packer), 100, SECONDS)
