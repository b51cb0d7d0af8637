"""Reports built by hand, for tests of what is drawn and printed from them."""

from __future__ import annotations

import numpy as np
from qiskit.transpiler import CouplingMap

from qiskit_halo.report import HaloReport, LeaseReport, ProgramReport


def small_report(**changes: object) -> HaloReport:
    """Three programs on a line of five qubits; program 2 takes over qubits 0 and 1 from program 0."""
    fields: dict[str, object] = {
        "programs": (
            _program(0, "ann", (0, 1), start_s=0.0, length_s=2e-6),
            _program(1, "bo", (3, 4), start_s=0.0, length_s=8e-6, helpers=1),
            _program(2, "cy", (0, 1), start_s=4e-6, length_s=4e-6),
        ),
        "leases": (
            LeaseReport(qubit=0, program=0, kind="program", start_s=0.0, stop_s=2e-6),
            LeaseReport(qubit=0, program=2, kind="reset", start_s=2e-6, stop_s=4e-6),
            LeaseReport(qubit=0, program=2, kind="program", start_s=4e-6, stop_s=8e-6),
            LeaseReport(qubit=1, program=0, kind="program", start_s=0.0, stop_s=2e-6),
            LeaseReport(qubit=1, program=2, kind="reset", start_s=2e-6, stop_s=4e-6),
            LeaseReport(qubit=1, program=2, kind="program", start_s=4e-6, stop_s=8e-6),
            LeaseReport(qubit=3, program=1, kind="program", start_s=0.0, stop_s=8e-6),
            LeaseReport(qubit=4, program=1, kind="program", start_s=0.0, stop_s=8e-6),
        ),
        "num_qubits": 5,
        "couplers": ((0, 1), (1, 2), (2, 3), (3, 4)),
        "makespan_s": 8e-6,
        "reset_s": 1e-6,
        "num_qubits_used": 4,
        "num_handovers": 2,
        "timing": "exact",
        "policy": "auto",
        "qpu_time_ratios": {"250": 2.9, "50": 2.6, "0": 1.5},
    }
    return HaloReport(**{**fields, **changes})  # type: ignore[arg-type]


def crowded_report(num_programs: int = 100, *, seed: int = 5) -> HaloReport:
    """Many programs packed by skyline on connected runs of a heavy-hex device of 133 qubits."""
    rng = np.random.default_rng(seed)
    coupling = CouplingMap(heavy_hex_133())
    free_at = np.zeros(133)
    programs, leases, handovers = [], [], 0
    for index in range(num_programs):
        width = int(rng.integers(2, 10))
        length_s = float(rng.uniform(3e-6, 12e-6))
        qubits = min(
            (_ball(coupling, centre, width) for centre in range(133)),
            key=lambda run: (max(free_at[q] for q in run), run),
        )
        start_s = max(free_at[q] + (3e-6 if free_at[q] else 0.0) for q in qubits)
        for q in qubits:
            if free_at[q]:
                handovers += 1
                leases.append(LeaseReport(qubit=q, program=index, kind="reset", start_s=start_s - 3e-6, stop_s=start_s))
            stop_s = start_s + length_s * float(rng.uniform(0.5, 1.0))
            leases.append(LeaseReport(qubit=q, program=index, kind="program", start_s=start_s, stop_s=stop_s))
            free_at[q] = stop_s
        programs.append(_program(index, f"prog_{index}", tuple(sorted(qubits)), start_s=start_s, length_s=length_s))
    return HaloReport(
        programs=tuple(programs),
        leases=tuple(sorted(leases, key=lambda lease: (lease.qubit, lease.start_s))),
        num_qubits=133,
        couplers=tuple(heavy_hex_133()),
        makespan_s=float(free_at.max()),
        reset_s=1.85e-6,
        num_qubits_used=int((free_at > 0).sum()),
        num_handovers=handovers,
        timing="exact",
        policy="auto",
        qpu_time_ratios={"250": 2.9, "50": 2.6, "0": 1.5},
    )


def heavy_hex_133() -> list[tuple[int, int]]:
    """Couplers of seven rows of fifteen qubits, joined by four bridges each, numbered row by row."""
    couplers = []
    for row in range(7):
        first = 19 * row
        couplers += [(first + i, first + i + 1) for i in range(14)]
        for i in range(4):
            bridge = first + 15 + i
            column = 4 * i if row % 2 == 0 else 4 * i + 2
            couplers.append((first + column, bridge))
            if row < 6:
                couplers.append((bridge, first + 19 + column))
    return couplers


def _ball(coupling: CouplingMap, centre: int, size: int) -> tuple[int, ...]:
    found = [centre]
    for qubit in found:
        found += [n for n in sorted(coupling.neighbors(qubit)) if n not in found]
        found += [n for n in sorted(coupling.graph.predecessor_indices(qubit)) if n not in found]
        if len(found) >= size:
            break
    return tuple(found[:size])


def _program(
    index: int, name: str, qubits: tuple[int, ...], *, start_s: float, length_s: float, helpers: int = 0
) -> ProgramReport:
    return ProgramReport(
        index=index,
        name=name,
        shots=1000,
        qubits=qubits,
        num_data=len(qubits) - helpers,
        num_helpers=helpers,
        start_s=start_s,
        length_s=length_s,
        wait_s=0.0,
        success_alone=0.9,
        success_merged=0.85,
    )
