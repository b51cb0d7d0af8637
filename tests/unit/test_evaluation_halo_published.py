"""HALO as published: its cost by its formula, its helpers, and where it stands still."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from qiskit.circuit import AncillaRegister, QuantumCircuit, QuantumRegister

from benchmarks.evaluation.model import Job, SystemFailedError
from benchmarks.evaluation.systems.halo_published import HaloPublished, largest_that_ends
from benchmarks.evaluation.systems.published_cost import Cost, Hops, find_hops
from benchmarks.evaluation.systems.published_helpers import DeadlockError, hand_out
from benchmarks.evaluation.systems.published_placement import anneal, greedy, place_data
from benchmarks.evaluation.systems.published_process import Process, read_process
from tests.lattices import heavy_hex, square
from tests.targets import TargetBackend, make_target


def program(num_data: int, num_helpers: int, *gates: tuple[int, ...]) -> QuantumCircuit:
    """A program of cx gates and one-qubit x gates; all data qubits are measured. Helpers come after the data."""
    circuit = QuantumCircuit(QuantumRegister(num_data, "q"), AncillaRegister(num_helpers, "helper"))
    for qubits in gates:
        if len(qubits) == 1:
            circuit.x(qubits[0])
        else:
            circuit.cx(*qubits)
    circuit.measure_all(add_bits=True)
    circuit.data = [i for i in circuit.data if i.name != "measure" or circuit.find_bit(i.qubits[0]).index < num_data]
    return circuit


def greedy_pair() -> QuantumCircuit:
    """One data qubit that needs two helpers at a time, taken one after the other."""
    return program(1, 2, (0, 1), (0, 2), (1, 2), (0, 1))


class TestProcess:
    def test_helpers_live_from_first_to_last_use(self) -> None:
        process = read_process(program(2, 2, (0, 2), (0, 1), (1, 3), (0, 2)))
        assert process.num_data == 2
        assert process.opens[:4] == ((2,), (), (3,), ())
        assert process.closes[:4] == ((), (), (3,), (2,))
        assert process.weights == {(0, 1): 1, (0, 2): 2, (1, 3): 1}
        assert process.data_near(2) == {0: 2}

    def test_a_barrier_neither_takes_nor_keeps_a_helper(self) -> None:
        circuit = QuantumCircuit(QuantumRegister(1, "q"), AncillaRegister(1, "helper"), name="fenced")
        circuit.barrier()
        circuit.cx(0, 1)
        circuit.barrier()
        circuit.measure_all()
        circuit.data = circuit.data[:-1]  # the helper's measurement
        process = read_process(circuit)
        assert process.wires == ((0,), (0, 1), (0,), (0,), (0,))
        assert process.opens[1] == process.closes[1] == (1,)


class TestHandOut:
    LINE = find_hops(6, [(q, q + 1) for q in range(5)])

    def test_one_instruction_a_process_a_round(self) -> None:
        processes = [read_process(program(1, 0, (0,), (0,))), read_process(program(1, 0, (0,)))]
        issues = hand_out(processes, [[0], [3]], 6, self.LINE.distance)
        assert [issue.process for issue in issues if issue.position < 2] == [0, 1, 0, 1]

    def test_a_helper_is_the_free_qubit_nearest_to_its_data(self) -> None:
        process = read_process(program(2, 1, (0, 2), (1, 2), (1, 2)))
        issues = hand_out([process], [[0, 4]], 6, self.LINE.distance)
        assert issues[0].qubits == (
            0,
            3,
        )  # one interaction with qubit 0, two with qubit 4; 5 is as near to 4, but not to 0

    def test_a_helper_of_helpers_is_near_to_those(self) -> None:
        process = read_process(program(1, 2, (0, 1), (1, 2), (0, 1)))
        assert hand_out([process], [[0]], 6, self.LINE.distance)[1].qubits == (1, 2)

    def test_a_helper_is_reset_when_it_is_taken_again_and_only_then(self) -> None:
        process = read_process(program(1, 2, (0, 1), (0, 2)))
        issues = hand_out([process], [[0]], 6, self.LINE.distance)
        assert [(issue.qubits, issue.resets) for issue in issues[:2]] == [((0, 1), ()), ((0, 1), (1,))]

    def test_who_finds_no_helper_waits(self) -> None:
        processes = [read_process(program(1, 1, (0, 1), (0, 1))) for _ in range(2)]
        hops = find_hops(3, [(0, 1), (1, 2)])
        issues = hand_out(processes, [[0], [2]], 3, hops.distance)
        assert [(issue.process, issue.position) for issue in issues][:4] == [(0, 0), (0, 1), (1, 0), (0, 2)]
        assert next(issue.resets for issue in issues if issue.process == 1) == (1,)

    def test_deadlock_is_seen_without_a_clock(self) -> None:
        """Two processes hold one helper each and want one more; two qubits were free."""
        processes = [read_process(greedy_pair()) for _ in range(2)]
        hops = find_hops(4, square(2, 2)[1])
        with pytest.raises(
            DeadlockError, match="2 of 2 processes wait for helpers, 0 qubits are free, and they hold 2"
        ):
            hand_out(processes, [[0], [1]], 4, hops.distance)
        assert largest_that_ends(processes, hops) == (1, 1)

    def test_a_process_can_block_itself(self) -> None:
        with pytest.raises(DeadlockError, match="1 of 1 processes"):
            largest_that_ends([read_process(greedy_pair())], find_hops(2, [(0, 1)]))


class TestSystem:
    def test_deadlocks_are_counted_and_the_rest_runs(self) -> None:
        backend = TargetBackend(make_target(5))
        queue = [(i, Job(f"j{i}", "", greedy_pair())) for i in range(4)]
        batch = HaloPublished(restarts=1, steps=10).next_batch(queue, backend, 1)
        # Four data qubits fit into 0.8 x 5, and one helper is left: not even one of them has two until three are gone.
        assert batch.members == (0, 1)
        assert batch.facts["deadlocks"] == 2
        assert batch.facts["data_qubits"] == 2

    def test_who_can_never_run_is_told(self) -> None:
        backend = TargetBackend(make_target(4))
        wide = program(4, 0, (0, 1))
        with pytest.raises(SystemFailedError, match=r"j has more data qubits than 0.8 of the device's 4"):
            HaloPublished().next_batch([(0, Job("j", "", wide))], backend, 1)
        selfish = program(1, 4, (0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (3, 4), (1, 3), (2, 4))
        with pytest.raises(SystemFailedError, match="no progress for ever"):
            HaloPublished().next_batch([(0, Job("j", "", selfish))], backend, 1)

    def test_the_batch_is_whoever_fits_in_order(self) -> None:
        """Room for 8 of 10: 5 fit, another 5 do not, 3 do."""
        backend = TargetBackend(make_target(10))
        queue = [(i, Job(f"j{i}", "", program(size, 0, (0,)))) for i, size in enumerate((5, 5, 3, 1))]
        batch = HaloPublished(restarts=1, steps=10).next_batch(queue, backend, 1)
        assert batch.members == (0, 2)


def formula(processes: list[Process], position: list[int], hops: Hops) -> float:
    """The published cost, term by term."""
    d, largest = hops.distance, hops.largest
    where = iter(position)
    at = [[next(where) for _ in range(process.num_data)] for process in processes]
    owner = {qubit: k for k, qubits in enumerate(at) for qubit in qubits}
    free = [qubit for qubit in range(len(d)) if qubit not in owner]
    pairs = [(k, i, j) for k, process in enumerate(processes) for i, j in combinations(range(process.num_data), 2)]
    intra = sum(processes[k].weights.get((i, j), 0) * d[at[k][i], at[k][j]] for k, i, j in pairs) / (
        len(pairs) * largest
    )
    inter = sum(np.mean(d[np.ix_(at[p], at[q])]) for p, q in combinations(range(len(at)), 2)) / largest
    asked = [
        (at[k][a], n)
        for k, process in enumerate(processes)
        for (a, b), n in process.weights.items()
        if a < process.num_data <= b
    ]
    helper = sum(n * min(d[qubit, other] for other in free) for qubit, n in asked) / (
        sum(n for _, n in asked) * largest
    )
    compact = sum(np.mean([d[a, b] for a, b in combinations(qubits, 2)]) for qubits in at) / (len(at) * largest)
    inside = [(k, int(v)) for k, i, j in pairs for v in np.flatnonzero(hops.interior[at[k][i], at[k][j]])]
    path = sum(owner.get(v, k) != k for k, v in inside) / len(inside)
    return 0.5 * intra - 0.3 * inter + 1.0 * helper + 0.3 * compact + 0.3 * path


class TestPlacement:
    HOPS = find_hops(*heavy_hex(3, 9))
    PROCESSES = (
        read_process(program(4, 2, (0, 1), (0, 1), (1, 2), (0, 4), (3, 5), (3, 5))),
        read_process(program(3, 1, (0, 2), (1, 3))),
        read_process(program(5, 0, (0, 4), (1, 3))),
    )

    def test_paths_are_shortest(self) -> None:
        hops = self.HOPS
        near = hops.distance < hops.distance.shape[0]
        assert np.array_equal(hops.interior.sum(axis=2)[near], np.maximum(hops.distance - 1, 0)[near])
        line = find_hops(5, [(0, 1), (1, 2), (2, 3)])
        assert np.flatnonzero(line.interior[0, 3]).tolist() == [1, 2]
        assert line.distance[0, 4] == 5  # no way

    def test_cost_is_the_formula(self, rng: np.random.Generator) -> None:
        cost = Cost(self.PROCESSES, self.HOPS)
        for _ in range(20):
            position = rng.permutation(len(self.HOPS.distance))[:12]
            passing = np.stack([cost.passing(k, position) for k in range(3)])
            expected = formula(list(self.PROCESSES), position.tolist(), self.HOPS)
            assert cost.of(position, passing) == pytest.approx(expected, rel=1e-12)

    def test_greedy_spreads_processes_and_keeps_each_together(self) -> None:
        hops = find_hops(9, [(q, q + 1) for q in range(8)])
        processes = [read_process(program(2, 0, (0, 1))) for _ in range(3)]
        assert greedy(processes, hops, 0).tolist() == [0, 1, 8, 7, 4, 3]

    def test_annealing_keeps_the_best_and_never_puts_two_on_one_qubit(self, rng: np.random.Generator) -> None:
        cost = Cost(self.PROCESSES, self.HOPS)
        start = greedy(self.PROCESSES, self.HOPS, 0)
        passing = np.stack([cost.passing(k, start) for k in range(3)])
        best, lowest = anneal(cost, start, rng, 400)
        assert len(set(best.tolist())) == len(best)
        assert lowest < cost.of(start, passing)
        assert lowest == pytest.approx(formula(list(self.PROCESSES), best.tolist(), self.HOPS), rel=1e-12)

    def test_equal_seeds_give_equal_places(self) -> None:
        first, second, other = (place_data(self.PROCESSES, self.HOPS, seed, restarts=2, steps=60) for seed in (1, 1, 2))
        assert first == second != other
        assert [len(qubits) for qubits in first] == [4, 3, 5]
