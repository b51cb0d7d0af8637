"""What leaks through a reset that fails: two programs share a qubit, and the second tries to read the first.

    python benchmarks/isolation.py [--circuits 2000] [--shots 50] [--seed 1] [--out FOLDER]

On a line of three qubits two programs have an outer qubit each, and pass on the middle one. The first leaves it in 0 or in 1;
the second measures it right after the hand-over, and its other qubit too. Each ``reset`` does nothing with probability
epsilon. The table gives the total variation between the second program's outcomes in the two cases, for 1 to 3 resets,
with and without ``scrub``, beside epsilon**n, which is what it must be without. Resets, scrubs and order are read from the
circuits that the compiler makes, and simulated with Aer. With ``scrub``, every circuit of the batch has its own draw.

The tolerance is that of sampling, at one false alarm in 1e9: of the shots, and with ``scrub`` of the draws too.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from pathlib import Path

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import AncillaRegister, Measure, Parameter, Reset
from qiskit.circuit.delay import Delay
from qiskit.circuit.library import CZGate, IGate, RZGate, SXGate, XGate
from qiskit.transpiler import InstructionProperties, Target
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, QuantumError

from benchmarks._machine import describe
from qiskit_halo import HaloOptions, MultiProgramCircuit, generate_halo_pass_manager, redraw_scrubs, verify_isolation

EPSILONS = (0.005, 0.01, 0.02, 0.05, 0.1)
ROUNDS = (1, 2, 3)
FALSE_ALARM = 1e-9
HELPER = 1


def line_of_three() -> Target:
    """Return a device that has nothing else to share than its middle qubit."""
    target = Target(num_qubits=3, dt=1e-9)
    for operation, seconds, error in (
        (RZGate(Parameter("angle")), 0.0, 0.0),
        (SXGate(), 4e-8, 1e-4),
        (XGate(), 4e-8, 1e-4),
        (Measure(), 1e-6, 1e-2),
        (Reset(), 1e-6, None),
    ):
        target.add_instruction(
            operation, {(q,): InstructionProperties(duration=seconds, error=error) for q in range(3)}
        )
    target.add_instruction(Delay(Parameter("length")), {(q,): None for q in range(3)})
    pairs = [(0, 1), (1, 0), (1, 2), (2, 1)]
    target.add_instruction(CZGate(), {pair: InstructionProperties(duration=3e-7, error=1e-3) for pair in pairs})
    return target


def writer(bit: int) -> QuantumCircuit:
    """Return a program that leaves its helper in ``bit``, and does not measure it."""
    circuit = QuantumCircuit(QuantumRegister(1, "q"), AncillaRegister(1, "helper"), ClassicalRegister(1, "c"))
    circuit.h(0)
    circuit.cz(0, 1)  # on a helper in |0> this does nothing, but it ties the two together
    circuit.h(0)
    circuit.measure(0, 0)
    if bit:
        circuit.x(1)
    return circuit


def reader() -> QuantumCircuit:
    """Return a program that looks at its helper before it does anything to it."""
    circuit = QuantumCircuit(QuantumRegister(1, "q"), AncillaRegister(1, "helper"), ClassicalRegister(2, "c"))
    circuit.cz(0, 1)
    circuit.measure([0, 1], [0, 1])
    return circuit


def compile_pair(bit: int, target: Target, resets: int, scrub: bool) -> QuantumCircuit:
    """Return writer and reader as one circuit in which the helper passes from the first to the second."""
    options = HaloOptions(resets=resets, scrub=scrub, policy="packed", success_floor=0.0)
    batch = MultiProgramCircuit([writer(bit), reader()], names=["writer", "reader"], options=options)
    circuit = generate_halo_pass_manager(1, target=target, options=options, policy=WriterFirst()).run(batch.circuit)
    assert verify_isolation(circuit, target=target, resets=resets).num_handovers == 1
    return circuit


class WriterFirst:
    """The writer goes first, or there would be nothing to read."""

    name = "writer first"

    def choose(self, turns, attempt):
        return attempt(sorted(range(len(turns)), key=lambda index: turns[index].owners), may_wait=False)


def with_marked_resets(circuit: QuantumCircuit) -> tuple[QuantumCircuit, str]:
    """Return the circuit with every reset as an identity that a noise model can turn into one, and a key of its draw."""
    out = circuit.copy_empty_like()
    key = ""
    for instruction in circuit.data:
        if instruction.label == "halo_scrub":
            key += instruction.name[0]
        if instruction.name == "reset":
            out.append(IGate(label="faulty reset"), instruction.qubits)
        elif instruction.name not in ("delay", "barrier"):
            out.append(instruction)
    return out, key


def draws(circuit: QuantumCircuit, target: Target, number: int) -> list[tuple[QuantumCircuit, int]]:
    """Return the distinct circuits of a batch of ``number`` draws, and how often each was drawn."""
    drawn: Counter[str] = Counter()
    distinct: dict[str, QuantumCircuit] = {}
    for each in redraw_scrubs(circuit, target, number):
        marked, key = with_marked_resets(each)
        distinct.setdefault(key, marked)
        drawn[key] += 1
    return [(distinct[key], drawn[key]) for key in sorted(distinct)]


def read(batch: list[tuple[QuantumCircuit, int]], epsilon: float, shots: int, seed: int) -> Counter[str]:
    """Return what the reader measures in all circuits of a batch together."""
    noise = NoiseModel()
    faulty = QuantumError([([(Reset(), [0])], 1 - epsilon), ([(IGate(), [0])], epsilon)])
    noise.add_all_qubit_quantum_error(faulty, ["faulty reset"], warnings=False)
    found: Counter[str] = Counter()
    for number, (circuit, times) in enumerate(batch):
        simulator = AerSimulator(noise_model=noise, seed_simulator=seed + number)
        result = simulator.run(circuit, shots=shots * times).result()
        place = [register.name for register in reversed(circuit.cregs)].index("p1_c")
        for outcome, count in result.get_counts().items():
            found[outcome.split()[place]] += count
    return found


def total_variation(first: Counter[str], second: Counter[str]) -> float:
    return 0.5 * sum(abs(first[key] / first.total() - second[key] / second.total()) for key in first | second)


def measure(circuits: int, shots: int, seed: int) -> list[dict[str, float]]:
    """Return one row for each epsilon, number of resets, and with and without scrub."""
    target = line_of_three()
    # The reader has two bits. Weissman et al. 2003, for each of the two samples.
    sampling = 2 * math.sqrt((4 * math.log(2) + math.log(2 / FALSE_ALARM)) / (2 * circuits * shots))
    # The draw of a circuit shifts what is read by epsilon**n at most: Hoeffding, for each of the two batches.
    drawing = 2 * math.sqrt(math.log(4 / FALSE_ALARM) / (2 * circuits))
    rows = []
    for resets in ROUNDS:
        for scrub in (False, True):
            pair = [draws(compile_pair(bit, target, resets, scrub), target, circuits) for bit in (0, 1)]
            for epsilon in EPSILONS:
                outcomes = [read(batch, epsilon, shots, seed + 1000 * bit) for bit, batch in enumerate(pair)]
                rows.append(
                    {
                        "epsilon": epsilon,
                        "resets": resets,
                        "scrub": scrub,
                        "leak": total_variation(*outcomes),
                        "expected": 0.0 if scrub else epsilon**resets,
                        "tolerance": sampling + (epsilon**resets * drawing if scrub else 0.0),
                    }
                )
    return rows


def draw_plot(rows: list[dict[str, float]], path: Path) -> None:
    """Write leakage over epsilon, one curve a number of resets."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for resets, colour in zip(ROUNDS, ("tab:blue", "tab:orange", "tab:green"), strict=True):
        for scrub, marker in ((False, "o"), (True, "x")):
            own = [row for row in rows if row["resets"] == resets and row["scrub"] == scrub]
            axes.plot(
                [row["epsilon"] for row in own],
                [row["leak"] for row in own],
                marker,
                color=colour,
                label=f"{resets} reset{'s' * (resets > 1)}{', scrub' * scrub}",
            )
        axes.plot(EPSILONS, [epsilon**resets for epsilon in EPSILONS], color=colour, linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yscale("symlog", linthresh=1e-4)
    axes.set_xlabel("probability ε that a reset does nothing")
    axes.set_ylabel("total variation seen by the next user")
    axes.set_ylim(-1e-5, 0.15)
    axes.axhspan(-1e-5, rows[0]["tolerance"], color="0.5", alpha=0.12, label="sampling, at 1e-9")
    axes.set_title("What leaks through a hand-over (lines: εⁿ)")
    axes.legend(ncols=2, fontsize="small", loc="upper left")
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--circuits", type=int, default=2000, help="draws of the scrub in a batch")
    parser.add_argument("--shots", type=int, default=100, help="shots of each circuit")
    parser.add_argument("--seed", type=int, default=1, help="seed of the simulation; the scrub has none")
    parser.add_argument("--out", type=Path, help="folder for the plot leakage.png")
    arguments = parser.parse_args()
    print(describe())
    print(
        f"{arguments.circuits} circuits x {arguments.shots} shots; leak: total variation between first user leaving 0 and 1"
    )
    print("resets  scrub  epsilon      leak   expected  tolerance")
    rows = measure(arguments.circuits, arguments.shots, arguments.seed)
    failed = 0
    for row in rows:
        off = abs(row["leak"] - row["expected"]) > row["tolerance"]
        failed += off
        print(
            f"{row['resets']:6d}  {'yes' if row['scrub'] else 'no':>5s}  {row['epsilon']:7.3f}  {row['leak']:8.5f}  "
            f"{row['expected']:9.6f}  {row['tolerance']:9.5f}{'  OFF' if off else ''}"
        )
    print(f"{len(rows) - failed} of {len(rows)} within sampling error of what is expected")
    if arguments.out is not None:
        arguments.out.mkdir(parents=True, exist_ok=True)
        draw_plot(rows, arguments.out / "leakage.png")


if __name__ == "__main__":
    main()
