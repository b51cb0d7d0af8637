from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import SwapGate
from qiskit.providers import QubitProperties
from qiskit.transpiler import CouplingMap, Target
from qiskit.transpiler.layout import Layout
from qiskit.transpiler.passes import SabreLayout

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.device.region import region_target
from qiskit_halo.fragments import routing as module
from qiskit_halo.fragments import stages
from qiskit_halo.fragments.estimate import LossEstimator
from qiskit_halo.fragments.routing import Router, Routing, RoutingSettings
from qiskit_halo.fragments.stages import Draft, Stages
from qiskit_halo.options import Reusing
from tests.dense_oracle import brute_force, distance
from tests.targets import make_target

REGION = tuple(range(2, 14))


def routings(
    circuit: QuantumCircuit, reuse: Reusing = "none", num_variants: int = 6, **target: object
) -> tuple[list[Routing], Stages]:
    device = DeviceModel(make_target(14, **target))
    settings = RoutingSettings(num_variants=num_variants, num_finished=3, seed=0, reuse=reuse, resets=2)
    stages = Stages(region_target(device, REGION), 2, 0, {})
    return Router(device, LossEstimator(device), settings).route(circuit, stages, REGION).chosen, stages


def line(num_qubits: int) -> Target:
    return Target.from_configuration(["u", "cz"], num_qubits, CouplingMap.from_line(num_qubits))


def tangle() -> QuantumCircuit:
    circuit = QuantumCircuit(4, 4)
    circuit.swap(1, 2)
    for first, second in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)):
        circuit.ry(0.3 + first, first)
        circuit.cx(first, second)
    circuit.measure(range(4), range(4))
    return circuit


def parities() -> QuantumCircuit:
    circuit = QuantumCircuit(5, 5)
    circuit.cz(0, 1)
    for helper in (2, 3, 4):
        circuit.cx([0, 1], helper)
        circuit.measure(helper, helper)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def ring(*, touched: bool = False) -> QuantumCircuit:
    circuit = QuantumCircuit(4, 4)
    if touched:
        circuit.measure(range(4), range(4))
    for qubit in range(4):
        circuit.ry(0.3 + qubit, qubit)
        circuit.cx(qubit, (qubit + 1) % 4)
    circuit.measure(range(4), range(4))
    return circuit


@pytest.mark.parametrize("build", [tangle, parities, ring])
@pytest.mark.parametrize("reuse", ["none", "auto", "max"])
def test_every_routing_can_be_finished_on_the_region(build, reuse: Reusing):
    found, stages = routings(build(), reuse)
    losses = [routing.estimate.loss for routing in found]
    assert losses == sorted(losses)
    for routing in found:
        finished = stages.finish(routing.on_region(len(REGION)))
        assert finished.circuit.num_qubits == len(REGION)
        assert not [i for i in finished.circuit.data if i.name == "barrier"]
        assert distance(brute_force(finished.circuit), brute_force(build())) < 1e-12
        if routing.reuse is None:
            starts, finals = routing.ends(finished)
            assert len(set(starts)) == len(starts)
            measured = {i.clbits[0]: i.qubits[0] for i in finished.circuit.data if i.name == "measure"}
            circuit = finished.circuit
            assert finals == [circuit.find_bit(measured[bit]).index for bit in circuit.clbits]
            used = {circuit.find_bit(q).index for i in circuit.data for q in i.qubits}
            assert used <= set(routing.alive_s())


def test_as_many_as_asked_for():
    circuit = QuantumCircuit(6, 6)
    for first, second in permutations(range(6), 2):
        circuit.cx(first, second)
        circuit.ry(0.3, second)
    circuit.measure(range(6), range(6))
    counted = []
    for couplers in ([(6, 13)], [(2, 9), (5, 13)]):
        found, _ = routings(circuit, num_variants=12, couplers=[*pairwise(range(13)), *couplers])
        mirrored = sum(routing.is_mirrored for routing in found)
        counted.append((len(found) - mirrored, mirrored))
    # Three and two at most; where routings are alike, fewer.
    assert counted == [(3, 1), (2, 2)]
    (own,) = routings(tangle(), num_variants=1)[0]
    assert (own.is_trial, own.name) == (False, "seed 0")


@pytest.mark.parametrize("build", [tangle, parities, ring])
def test_routings_that_only_repeat_end_the_trials(build, monkeypatch: pytest.MonkeyPatch):
    tried = []

    def counted(*given):
        tried.append(given)
        return stages.route_again(*given)

    monkeypatch.setattr(module, "route_again", counted)
    found = {}
    for repeats in (module.REPEATS, 1_000):
        monkeypatch.setattr(module, "REPEATS", repeats)
        tried.clear()
        names = [(routing.name, routing.estimate.loss) for routing in routings(build(), num_variants=30)[0]]
        found[repeats] = len(tried), names
    (few, short), (many, long) = found.values()
    assert few < many
    assert short == long


def test_every_search_starts_along_a_line_too(monkeypatch: pytest.MonkeyPatch):
    given = []
    route, route_again = Stages.route, stages.route_again

    def own(self: Stages, prepared: Draft, starts: list[Layout]) -> Draft:
        given.append((prepared, starts))
        return route(self, prepared, starts)

    def again(closed: Draft, router: SabreLayout, starts: list[Layout]) -> Draft:
        given.append((closed, starts))
        return route_again(closed, router, starts)

    monkeypatch.setattr(Stages, "route", own)
    monkeypatch.setattr(module, "route_again", again)
    routings(tangle())
    assert len(given) > 1
    for draft, starts in given:
        assert len(starts) == 2
        for start in starts:
            places = sorted(start[qubit] for qubit in draft.circuit.qubits)
            assert places == list(range(places[0], places[0] + 4))  # the device is a line


def test_spare_routings_are_told_best_first():
    rng = np.random.default_rng(1)
    circuit = QuantumCircuit(6, 6)
    for _ in range(20):
        first, second = rng.choice(6, 2, replace=False).tolist()
        circuit.ry(0.3 + first, first)
        circuit.cx(first, second)
    circuit.measure(range(6), range(6))
    device = DeviceModel(make_target(14, [*pairwise(range(13)), (2, 9), (5, 13)]))
    settings = RoutingSettings(num_variants=12, num_finished=1, seed=0, reuse="none", resets=2)
    router = Router(device, LossEstimator(device), settings)
    chosen, spare = router.route(circuit, Stages(region_target(device, REGION), 2, 0, {}), REGION)
    assert sorted(routing.is_mirrored for routing in chosen) == [False, True]
    losses = [routing.estimate.loss for routing in spare]
    assert losses == sorted(losses)
    # Neither kind comes before the other as such.
    of_kind = {kind: [r.estimate.loss for r in spare if r.is_mirrored is kind] for kind in (False, True)}
    assert min(of_kind[True]) < max(of_kind[False])
    assert min(of_kind[False]) < max(of_kind[True])


def test_few_qubits_have_few_starts():
    found = [(own.layout_trials, own.swap_trials) for own in (stages.sabre(line(n), 0) for n in (2, 8, 16, 20, 60))]
    assert found == [(2, 1), (8, 2), (10, 2), (10, 2), (10, 2)]


def test_a_ring_is_mirrored_where_that_takes_fewer_gates():
    couplers = [*pairwise(range(13)), (6, 13)]
    # With fresh qubits a SWAP takes no more.
    found, stages = routings(ring(touched=True), couplers=couplers)
    best = found[0]
    assert best.name.startswith("mirrored, ")
    # Estimates do not decide between the two kinds.
    assert any(routing.name.startswith("seed ") for routing in found)
    assert sum(len(i.qubits) == 2 for i in stages.finish(best.on_region(len(REGION))).circuit.data) == 6
    # With one routing it is Qiskit's own.
    assert [routing.name for routing in routings(ring(touched=True), num_variants=1, couplers=couplers)[0]] == [
        "seed 0"
    ]


def test_a_swap_with_a_fresh_qubit_takes_two_gates():
    couplers = [*pairwise(range(13)), (6, 13)]
    counted = {}
    for touched in (True, False):
        found, stages = routings(ring(touched=touched), num_variants=1, couplers=couplers)
        finished = [stages.finish(routing.on_region(len(REGION))) for routing in found]
        counted[touched] = [sum(len(i.qubits) == 2 for i in draft.circuit.data) for draft in finished]
    assert counted == {True: [7], False: [6]}


def test_a_swap_of_the_device_is_kept():
    target = make_target(14, couplers=[*pairwise(range(13)), (6, 13)])
    target.add_instruction(SwapGate(), {pair: target["cz"][pair] for pair in target["cz"]})
    device = DeviceModel(target)
    settings = RoutingSettings(num_variants=1, num_finished=1, seed=0, reuse="none", resets=2)
    router = Router(device, LossEstimator(device), settings)
    ((own,), _) = router.route(ring(), Stages(region_target(device, REGION), 2, 0, {}), REGION)
    assert [i.name for i in own.instructions if len(i.qubits) == 2].count("swap") == 1


def test_a_barrier_of_ours_is_gone_and_others_stay():
    circuit = tangle()
    circuit.barrier(0, 1, label="of the user")
    circuit.measure(range(4), range(4))
    for routing in routings(circuit)[0]:
        assert [i.label for i in routing.instructions if i.name == "barrier"] == ["of the user"]


def test_without_swaps_there_is_one():
    circuit = QuantumCircuit(3, 3)
    circuit.cx([0, 1], [1, 2])
    circuit.measure(range(3), range(3))
    (own,) = routings(circuit)[0]
    assert not own.is_trial


def test_amounts_of_reuse():
    amounts = [r.reuse and len(r.reuse.takeovers) for r in routings(parities(), "auto")[0]]
    assert None in amounts
    assert 2 in amounts
    assert {r.reuse and len(r.reuse.takeovers) for r in routings(parities(), "max")[0]} == {2}
    assert all(r.reuse is None for r in routings(parities(), "none")[0])
    # Nothing to share: "max" is the body as it is.
    assert all(r.reuse is None for r in routings(tangle(), "max")[0])


def test_reuse_that_loses_too_much_is_left_out():
    # The data qubits wait while a helper is read and reset twice.
    lives = [QubitProperties(t1=3e-6, t2=3e-6)] * 14
    assert all(r.reuse is None for r in routings(parities(), "auto", qubit_properties=lives)[0])
    assert all(r.reuse is not None for r in routings(parities(), "max", qubit_properties=lives)[0])


def test_a_device_without_reset_shares_no_wire():
    target = make_target(6)
    fewer = type(target)(num_qubits=6, dt=target.dt)
    for name in target.operation_names:
        if name != "reset":
            operation = target.operation_from_name(name)
            fewer.add_instruction(operation, None if isinstance(operation, type) else dict(target[name]), name=name)
    device = DeviceModel(fewer)
    settings = RoutingSettings(num_variants=2, num_finished=1, seed=0, reuse="max", resets=2)
    stages = Stages(region_target(device, range(6)), 1, 0, {})
    found = Router(device, LossEstimator(device), settings).route(parities(), stages, tuple(range(6))).chosen
    assert all(r.reuse is None for r in found)
