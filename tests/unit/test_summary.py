from __future__ import annotations

import pytest
from qiskit.circuit import ClassicalRegister, QuantumCircuit, QuantumRegister

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.options import HaloOptions
from qiskit_halo.report import FormReport, HaloReport, LeaseReport, ProgramReport
from qiskit_halo.timeline.summary import summarize
from qiskit_halo.timeline.timeline import make_timeline
from tests.policies import AsGiven
from tests.targets import make_target

NS = 1e-9


def report_of(
    circuit: QuantumCircuit, *, metadata: dict[str, object] | None = None, resets: int = 2, **target: object
) -> HaloReport:
    device = DeviceModel(make_target(circuit.num_qubits, **target))
    timeline = make_timeline(circuit, device, HaloOptions(resets=resets), policy=AsGiven())
    return summarize(timeline, device, metadata or {}, resets)


def batch(num_qubits: int, num_programs: int) -> QuantumCircuit:
    return QuantumCircuit(
        QuantumRegister(num_qubits, "q"), *(ClassicalRegister(2, f"p{k}_c") for k in range(num_programs))
    )


def shared() -> QuantumCircuit:
    """Program 0 on qubit 0 for 1040 ticks, then program 1 there and on qubit 1."""
    circuit = batch(3, 2)
    circuit.x(0)
    circuit.measure(0, 0)
    circuit.reset(0)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [2, 3])
    return circuit


FORM = {"name": "qiskit", "num_qubits": 1, "length_s": 1e-6, "success": 0.99, "chosen": True}
METADATA = {
    "programs": [
        {"name": "ann", "shots": 10, "num_qubits": 1, "helpers": []},
        {"name": "bo", "shots": 20, "num_qubits": 3, "helpers": [2]},
    ],
    "placement": {
        "pieces": [
            {
                "programs": [0],
                "wires": [0],
                "helpers": [],
                "success_alone": 0.99,
                "success_floor": 0.9,
                "forms": [FORM],
            },
            {"programs": [1], "wires": [1, 2], "helpers": [1], "success_alone": 0.5, "success_floor": 0.4, "forms": []},
            {"programs": [1], "wires": [3], "helpers": [3], "success_alone": 0.5, "success_floor": 0.4, "forms": []},
        ]
    },
}


def test_a_whole_report() -> None:
    report = report_of(shared(), metadata=METADATA)
    one = 0.999 * 0.98
    two = 0.99 * 0.98**2 * (1 - 0.5 * 0.02**2)
    assert report.programs == (
        ProgramReport(
            index=0,
            name="ann",
            shots=10,
            qubits=(0,),
            num_data=1,
            num_helpers=0,
            start_s=0.0,
            length_s=pytest.approx(1040 * NS),
            wait_s=0.0,
            success_alone=0.99,
            success_merged=pytest.approx(one),
            success_floor=0.9,
            forms=(FormReport(**FORM),),
        ),
        ProgramReport(
            index=1,
            name="bo",
            shots=20,
            qubits=(0, 1),
            num_data=1,
            num_helpers=2,
            start_s=pytest.approx(2640 * NS),
            length_s=pytest.approx(1300 * NS),
            wait_s=0.0,
            # What was found is better than what the layout stage knew.
            success_alone=pytest.approx(two),
            success_merged=pytest.approx(two),
            success_floor=pytest.approx(0.16),
        ),
    )
    assert report.leases == (
        LeaseReport(qubit=0, program=0, kind="program", start_s=0.0, stop_s=pytest.approx(1040 * NS)),
        LeaseReport(
            qubit=0, program=None, kind="reset", start_s=pytest.approx(1040 * NS), stop_s=pytest.approx(2640 * NS)
        ),
        LeaseReport(
            qubit=0, program=1, kind="program", start_s=pytest.approx(2640 * NS), stop_s=pytest.approx(3940 * NS)
        ),
        LeaseReport(
            qubit=1, program=1, kind="program", start_s=pytest.approx(2640 * NS), stop_s=pytest.approx(3940 * NS)
        ),
    )
    assert (report.num_qubits, report.couplers, report.num_qubits_used) == (3, ((0, 1), (1, 2)), 2)
    assert (report.num_handovers, report.timing, report.policy) == (1, "exact", "as given")
    assert (report.makespan_s, report.reset_s) == (pytest.approx(3940 * NS), pytest.approx(800 * NS))
    alone_ns = [1040 + 800, 1300 + 800]
    assert report.qpu_time_ratios == {
        str(delay): pytest.approx(sum(a + delay * 1000 for a in alone_ns) / (3940 + 800 + delay * 1000))
        for delay in (250, 50, 0)
    }


def test_names_without_metadata() -> None:
    circuit = batch(3, 2)
    circuit.x(0)
    circuit.measure(1, 2)
    circuit.add_register(ClassicalRegister(1, "mine"))
    circuit.measure(2, circuit.clbits[-1])
    assert [(p.index, p.name, p.shots, p.num_data, p.success_alone) for p in report_of(circuit).programs] == [
        (None, "(unnamed)", None, 1, None),
        (1, "program 1", None, 1, None),
        (None, "(unmeasured)", None, 1, None),
    ]


def test_joined_programs_have_one_entry_each() -> None:
    circuit = batch(3, 2)
    circuit.cz(0, 1)
    circuit.measure([0, 1], [0, 2])
    circuit.x(2)
    circuit.measure(2, 1)
    report = report_of(circuit)
    assert [(p.index, p.qubits) for p in report.programs] == [(0, (0, 1, 2)), (1, (0, 1))]
    joined, own = 0.99 * 0.98**2, 0.999 * 0.98
    assert [p.success_merged for p in report.programs] == pytest.approx([joined * own, joined])


def test_only_what_passes_to_another_program_is_a_hand_over() -> None:
    circuit = batch(1, 2)
    for clbit in (0, 1, 2):
        circuit.reset(0)
        circuit.measure(0, clbit)
    circuit.reset(0)
    circuit.x(0)
    circuit.reset(0)
    circuit.x(0)
    report = report_of(circuit)
    assert len([lease for lease in report.leases if lease.kind == "reset"]) == 4
    # Program 0 follows itself once; the two unmeasured ones are strangers to each other.
    assert report.num_handovers == 3


def test_how_times_are_known() -> None:
    circuit = shared()
    assert report_of(circuit).timing == "exact"
    assert report_of(circuit, durations=False).timing == "order only"
    with circuit.if_test((circuit.clbits[3], 1)):
        circuit.x(0)
    assert report_of(circuit).timing == "estimated"


def test_without_durations_times_count_operations() -> None:
    report = report_of(shared(), durations=False)
    assert report.makespan_s == pytest.approx((2 + 2 + 2) * NS)
    assert report.reset_s == pytest.approx(NS)


def test_nothing_scheduled() -> None:
    report = report_of(QuantumCircuit(2, 1))
    assert (report.programs, report.leases, report.makespan_s, report.num_qubits_used) == ((), (), 0.0, 0)
    assert report.qpu_time_ratios == {"250": 0.0, "50": 0.0, "0": 0.0}
