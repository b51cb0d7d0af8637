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

SECONDS = 60.0

NO_DELAY = HaloOptions(rep_delay_s=0.0)


def both(
    device: DeviceModel, items: Sequence[PackingItem], options: HaloOptions = NO_DELAY
) -> tuple[Filling, float, Optimum]:
    packer = packing._Packer(items, device, options, no_other)
    filling = packer.one_by_one()
    optimum = least_cost(Batch.of(packer), 2 * filling.length, SECONDS)
    assert optimum is not None
    return filling, packer.badness(filling)[1], optimum


@pytest.mark.parametrize(("delay_s", "assume_clean"), [(0.0, True), (250e-6, True), (0.0, False)])
def test_bells_one_after_another_are_the_optimum(delay_s: float, assume_clean: bool) -> None:
    device = DeviceModel(make_target(2))
    options = HaloOptions(rep_delay_s=delay_s, assume_clean=assume_clean)
    filling, cost, optimum = both(device, [item(device)] * 3, options)
    assert (optimum.slots, optimum.found) == (filling.length, pytest.approx(cost, abs=1e-3))
    assert optimum.bound == pytest.approx(optimum.found, abs=1e-6)


def test_the_optimum_sees_what_nobody_would_choose_for_itself() -> None:
    # Whoever goes first on the middle pair leaves a fresh qubit to each of the two that follow: one slot less.
    device = DeviceModel(make_target(4))
    filling, cost, optimum = both(device, [item(device)] * 3)
    assert optimum.slots == filling.length - 1
    assert optimum.found < cost


def test_who_cannot_pay_for_a_hand_over_comes_first() -> None:
    device = DeviceModel(make_target(2))
    strict, loose = item(device, floor=1.0), item(device, floor=0.5)
    filling, cost, optimum = both(device, [loose, strict])
    assert not any(filling.faults)
    assert optimum.found == pytest.approx(cost, abs=1e-3)
    packer = packing._Packer([strict, strict], device, HaloOptions(), no_other)
    assert least_cost(Batch.of(packer), 200, SECONDS) is None


def test_a_better_place_is_worth_waiting_for_where_time_is_cheap() -> None:
    device = DeviceModel(worse_readout(4, 3, 0.05))
    slots = []
    for delay_s in (0.0, 5e-3):
        filling, cost, optimum = both(device, [item(device)] * 2, HaloOptions(rep_delay_s=delay_s))
        assert optimum.found == pytest.approx(cost, abs=1e-2)  # a chord lies above its curve
        assert optimum.slots == filling.length
        slots.append(optimum.slots)
    assert slots[0] < slots[1]


def test_a_qubit_of_ones_own_is_not_in_the_model() -> None:
    device = DeviceModel(make_target(2))
    packer = packing._Packer([item(device, bell(1), exclusive=(0,))], device, HaloOptions(), no_other)
    with pytest.raises(ValueError, match="share all their qubits"):
        least_cost(Batch.of(packer), 100, SECONDS)


@pytest.mark.parametrize(
    "options", [HaloOptions(buffer=1), HaloOptions(readout_crosstalk=0.01), HaloOptions(max_duration_s=1e-3)]
)
def test_what_the_model_does_not_know_is_refused(options: HaloOptions) -> None:
    device = DeviceModel(make_target(3))
    packer = packing._Packer([item(device)], device, options, no_other)
    with pytest.raises(ValueError, match="buffer, crosstalk and max_duration_s"):
        Batch.of(packer)
