from __future__ import annotations

from collections import Counter

from qiskit.circuit import QuantumCircuit
from qiskit.providers import QubitProperties
from qiskit.transpiler import InstructionProperties, Target

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.device.region import region_target
from qiskit_halo.fragments.compact import two_qubit_pairs
from qiskit_halo.fragments.estimate import LossEstimator
from qiskit_halo.fragments.settle import Settler
from tests.targets import make_target


def settled(
    circuit: QuantumCircuit,
    target: Target,
    home: tuple[int, ...],
    *,
    alive_s: float = 1e-6,
    region: tuple | None = None,
) -> tuple[int, ...]:
    device = DeviceModel(target)
    region = region or tuple(range(device.num_qubits))
    settler = Settler(device, LossEstimator(device))
    pairs = list(two_qubit_pairs(circuit))
    reads = Counter(circuit.find_bit(i.qubits[0]).index for i in circuit.data if i.name == "measure")
    times = [alive_s] * circuit.num_qubits
    return settler.settle(pairs, reads, times, home, region_target(device, region), region)


def chain(num_qubits: int, *, measured: bool = True) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits, num_qubits)
    for qubit in range(num_qubits - 1):
        circuit.cz(qubit, qubit + 1)
    if measured:
        circuit.measure(range(num_qubits), range(num_qubits))
    return circuit


def with_errors(target: Target, name: str, errors: dict[tuple[int, ...], float]) -> Target:
    for qargs, error in errors.items():
        duration = target[name][qargs].duration
        target.update_instruction_properties(name, qargs, InstructionProperties(duration=duration, error=error))
    return target


def test_the_best_couplers():
    good = {pair: 1e-3 for a, b in ((4, 5), (5, 6)) for pair in ((a, b), (b, a))}
    target = with_errors(make_target(8), "cz", good)
    assert sorted(settled(chain(3), target, (0, 1, 2))) == [4, 5, 6]


def test_the_best_readout_where_it_is_read():
    target = with_errors(make_target(6), "measure", {(q,): 1e-3 for q in (3,)})
    circuit = chain(3, measured=False)
    circuit.measure(0, 0)
    assert settled(circuit, target, (0, 1, 2))[0] == 3


def test_the_longest_lives_where_it_waits():
    times = [QubitProperties(t1=1e-4, t2=1e-4)] * 3 + [QubitProperties(t1=1e-3, t2=1e-3)] * 3
    target = make_target(6, qubit_properties=times)
    assert sorted(settled(chain(3, measured=False), target, (0, 1, 2), alive_s=2e-5)) == [3, 4, 5]


def test_a_home_that_is_as_good_stays():
    assert settled(chain(3), make_target(6), (3, 2, 1)) == (3, 2, 1)


def test_it_stays_in_its_region_and_off_dead_couplers():
    good = {pair: 1e-3 for a, b in ((0, 1), (1, 2)) for pair in ((a, b), (b, a))}
    target = with_errors(make_target(8), "cz", good)
    assert settled(chain(3), target, (3, 4, 5), region=(3, 4, 5, 6, 7))[0] >= 3
    dead = dict.fromkeys(((1, 2), (2, 1)), 1.0)
    place = settled(chain(3), with_errors(target, "cz", dead), (3, 4, 5))
    assert min(place) >= 2


def test_what_fits_nowhere_else_stays():
    circuit = QuantumCircuit(3)
    for pair in ((0, 1), (1, 2), (2, 0)):
        circuit.cz(*pair)
    assert settled(circuit, make_target(5), (0, 1, 2)) == (0, 1, 2)


def test_nothing_to_place():
    assert settled(QuantumCircuit(0), make_target(2), ()) == ()
    assert len(settled(QuantumCircuit(1), make_target(2), (1,))) == 1


def test_one_settler_tells_circuits_apart_by_their_gates() -> None:
    target = with_errors(make_target(6), "cz", {pair: 1e-3 for a in (0, 3, 4) for pair in ((a, a + 1), (a + 1, a))})
    device = DeviceModel(target)
    region = tuple(range(6))
    settler, part = Settler(device, LossEstimator(device)), region_target(device, region)
    bodies = [(0, 1), (1, 2)], [(0, 1)]
    homes = [settler.settle(pairs, {}, [1e-6] * 3, (1, 2, 3), part, region) for pairs in bodies]
    assert homes[0] != homes[1]
    # Equal qubits are told apart, so that each time the same of them is taken.
    for _ in range(12):
        fresh = Settler(device, LossEstimator(device))
        assert homes == [fresh.settle(pairs, {}, [1e-6] * 3, (1, 2, 3), part, region) for pairs in bodies]
