"""The most copies of a path that a device holds, by OR-tools' CP-SAT: what packing is measured against."""

from __future__ import annotations

from itertools import combinations

import rustworkx as rx
from qiskit.transpiler import Target

from qiskit_halo.device.model import DeviceModel

SECONDS = 120


def most_paths(length: int, target: Target) -> list[int]:
    """Return the most paths of ``length`` qubits at one time, with no and with one hop between; empty without OR-tools."""
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        print("  OR-tools is not installed: no exact optimum")
        return []
    device = DeviceModel(target)
    paths = _paths(device.couplers, length)
    found = []
    for buffer in (0, 1):
        near = device.distance <= buffer
        model = cp_model.CpModel()
        chosen = [model.new_bool_var(str(index)) for index in range(len(paths))]
        through = {q: [i for i, path in enumerate(paths) if q in path] for q in range(device.num_qubits)}
        for own in through.values():
            model.add_at_most_one([chosen[i] for i in own])
        for i, j in combinations(range(len(paths)), 2):
            if not paths[i] & paths[j] and near[sorted(paths[i])][:, sorted(paths[j])].any():
                model.add_at_most_one([chosen[i], chosen[j]])
        model.maximize(sum(chosen))
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = SECONDS
        if solver.solve(model) != cp_model.OPTIMAL:
            print(f"  CP-SAT found no proof of the optimum with {buffer} hops in {SECONDS} s")
        found.append(round(solver.objective_value))
    return found


def _paths(couplers: tuple[tuple[int, int], ...], length: int) -> list[frozenset[int]]:
    graph = rx.PyGraph()
    graph.extend_from_edge_list(list(couplers))
    found: dict[frozenset[int], None] = {}

    def extend(path: list[int]) -> None:
        if len(path) == length:
            found[frozenset(path)] = None
            return
        for node in sorted(graph.neighbors(path[-1])):
            if node not in path:
                extend([*path, node])

    for node in graph.node_indices():
        extend([node])
    return list(found)
