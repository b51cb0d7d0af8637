"""Whatever runs beside whom: what places and starts are chosen by is never less than what exact times give."""

from __future__ import annotations

from hypothesis import event, given, settings
from hypothesis import strategies as st
from qiskit.circuit import QuantumCircuit

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
from tests.strategies import shared_circuits
from tests.targets import make_target


@st.composite
def tables(draw: st.DrawFn, num_qubits: int) -> list[tuple[tuple[int, int], tuple[int, int], float]]:
    couplers = [(q, q + 1) for q in range(num_qubits - 1)]
    apart = [(a, b) for a in couplers for b in couplers if not set(a) & set(b)]
    chosen = draw(st.lists(st.sampled_from(apart), unique=True)) if apart else []
    return [(a, b, draw(st.sampled_from([0.5, 2.0, 30.0]))) for a, b in chosen]


@given(shared_circuits(), st.data())
@settings(max_examples=60, deadline=None)
def test_the_ledger_never_promises_too_much(circuit: QuantumCircuit, data: st.DataObject) -> None:
    device = DeviceModel(make_target(circuit.num_qubits))
    options = HaloOptions(
        crosstalk=data.draw(tables(circuit.num_qubits)), readout_crosstalk=data.draw(st.sampled_from([0.0, 0.1]))
    )
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
