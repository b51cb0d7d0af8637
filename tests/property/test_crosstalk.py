"""Whatever runs beside whom: what places and starts are chosen by is never less than what exact times give."""

from __future__ import annotations

from hypothesis import event, given, settings
from hypothesis import strategies as st
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.device.crosstalk import CrosstalkModel
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.timeline.crosstalk import crosstalk_loss
from qiskit_halo.timeline.drafts import make_drafts
from qiskit_halo.timeline.prices import TurnPrices, footprints_of
from qiskit_halo.timeline.resets import HandOverTimes
from qiskit_halo.timeline.timeline import make_timeline
from qiskit_halo.timeline.turns import whole_turn
from tests.policies import AsGiven
from tests.targets import make_target

NUM_QUBITS = 5


@st.composite
def tables(draw: st.DrawFn) -> list[tuple[tuple[int, int], tuple[int, int], float]]:
    couplers = [(q, q + 1) for q in range(NUM_QUBITS - 1)]
    apart = [(a, b) for a in couplers for b in couplers if not set(a) & set(b)]
    chosen = draw(st.lists(st.sampled_from(apart), unique=True))
    return [(a, b, draw(st.sampled_from([0.5, 2.0, 30.0]))) for a, b in chosen]


@st.composite
def crowded_circuits(draw: st.DrawFn) -> QuantumCircuit:
    """A few programs of one or two qubits each, some on the same qubits one after another."""
    owners = draw(st.lists(st.integers(0, 2), min_size=2, max_size=5))
    circuit = QuantumCircuit(QuantumRegister(NUM_QUBITS, "q"), *(ClassicalRegister(1, f"p{k}_c") for k in range(3)))
    for owner in owners:
        width = draw(st.sampled_from([1, 2, 2]))
        first = draw(st.integers(0, NUM_QUBITS - width))
        own = list(range(first, first + width))
        circuit.reset(own)
        for kind in draw(st.lists(st.sampled_from(["x", "cz", "cz", "delay", "measure"]), max_size=6)):
            if kind == "cz" and width == 2:
                circuit.cz(*own)
            elif kind == "delay":
                circuit.delay(draw(st.sampled_from([100, 700])), own[0])
            elif kind == "measure":
                circuit.measure(own[-1], owner)
            else:
                circuit.x(own[0])
        circuit.measure(own[0], owner)
    return circuit


@given(crowded_circuits(), st.data())
@settings(max_examples=60, deadline=None)
def test_the_ledger_never_promises_too_much(circuit: QuantumCircuit, data: st.DataObject) -> None:
    device = DeviceModel(make_target(circuit.num_qubits))
    options = HaloOptions(crosstalk=data.draw(tables()), readout_crosstalk=data.draw(st.sampled_from([0.0, 0.1])))
    model = CrosstalkModel(device, options)
    timeline = make_timeline(circuit, device, HaloOptions(), policy=AsGiven())
    exact: dict[object, float] = {}
    drafts, _ = make_drafts(circuit, device, HaloOptions())
    number = {draft.piece: index for index, draft in enumerate(drafts)}
    footprints = footprints_of(drafts, model, device, options)
    turns = [
        whole_turn(d.piece.owners, i, d.leases, d.timing.length_dt, HandOverTimes(device, options))
        for i, d in enumerate(drafts)
    ]
    prices = TurnPrices(model, footprints, {})
    for timed, lost in zip(timeline.pieces, crosstalk_loss(timeline, device, model).tolist(), strict=True):
        turn = turns[number[timed.piece]]
        exact[turn.program] = exact.get(turn.program, 0.0) + lost
        prices.book(turn, timed.start_dt)
        assert lost <= 0
    event(f"something is lost: {any(exact.values())}")
    for turn, own in zip(turns, footprints, strict=True):
        # Whether a hand-over comes before a lease at all is not known yet when room is set aside for it.
        prices.lost[turn.program] += sum(log for _, log in own.handover_log)
    for program, lost in exact.items():
        assert prices.lost[program] <= lost + 1e-9
