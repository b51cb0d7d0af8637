"""Exact outcome distributions of circuits, and whether a merged circuit still runs the program it was given.

No shots are drawn. Each component (wires between resets, joined by gates, clbits and variables) is simulated by itself over
all of its measurement outcomes, so a finished circuit of a hundred programs on a whole device is within reach: what counts
is how many wires are entangled at the same time. Delays, barriers and global phases change nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from qiskit import QuantumCircuit

from qiskit_halo.errors import HaloValueError
from qiskit_halo.verification._components import cut_at_resets, find_components
from qiskit_halo.verification._factors import OutcomeFactor, multiply, total_variation
from qiskit_halo.verification._matching import match_clbits
from qiskit_halo.verification._merge import coarsest
from qiskit_halo.verification._ownership import clbit_owners
from qiskit_halo.verification._simulate import Limits, simulate_component
from qiskit_halo.verification._step_list import read_steps

MAX_OUTCOMES = 1 << 24
MAX_QUBITS = 24
MAX_ITERATIONS = 10_000


def outcome_factors(
    circuit: QuantumCircuit,
    clbits: Iterable[int] | None = None,
    *,
    max_outcomes: int = MAX_OUTCOMES,
    max_qubits: int = MAX_QUBITS,
    max_iterations: int = MAX_ITERATIONS,
) -> tuple[OutcomeFactor, ...]:
    """Return the exact distribution of some clbits as independent factors, one a component that writes any of them.

    A clbit in no factor is always 0.

    Args:
        circuit: Any circuit with bound parameters; it may be a compiled one.
        clbits: Distinct clbit indices of interest, in the order that the outcomes list them; ``None`` for all.
        max_outcomes: Largest number of outcomes of one factor, at any time of its simulation.
        max_qubits: The simulation may hold 2**max_qubits amplitudes: that many entangled wires in one branch, fewer
            in many branches.
        max_iterations: Largest number of rounds of a ``while`` loop.

    Raises:
        HaloValueError: A limit is exceeded, a parameter is unbound, an operation has neither matrix nor definition.
    """
    asked = list(range(circuit.num_clbits) if clbits is None else clbits)
    limits = Limits(max_amplitudes=1 << max_qubits, max_histories=max_outcomes, max_iterations=max_iterations)
    return _CutOnce(circuit, limits).factors(asked)


class _CutOnce:
    """A circuit, read and cut once, whose clbits can then be asked for group by group."""

    def __init__(self, circuit: QuantumCircuit, limits: Limits) -> None:
        self._limits = limits
        self._num_clbits: int = circuit.num_clbits
        self._cut = cut_at_resets(read_steps(circuit), circuit.num_qubits)
        self._components = find_components(self._cut)
        self._home = {clbit: index for index, component in enumerate(self._components) for clbit in component.clbits}

    def factors(self, asked: Sequence[int]) -> tuple[OutcomeFactor, ...]:
        """Return one factor for each component that writes any of the clbits ``asked``."""
        places = np.full(self._num_clbits, -1, dtype=np.int64)
        places[list(asked)] = np.arange(len(asked))
        factors = []
        for index in sorted(dict.fromkeys(self._home[clbit] for clbit in asked if clbit in self._home)):
            component = self._components[index]
            mine = sorted(int(places[clbit]) for clbit in component.clbits if places[clbit] >= 0)
            try:
                histories = simulate_component(self._cut, component, places, self._limits)
            except HaloValueError as error:
                wires = sorted({self._cut.segments[segment].wire for segment in component.segments})
                raise HaloValueError(f"{error.message}; this is the component on {_list_qubits(wires)}") from error
            weights = histories.weights
            factors.append(
                OutcomeFactor(places=tuple(mine), words=histories.words, probabilities=weights / weights.sum())
            )
        return tuple(factors)


def outcome_distribution(
    circuit: QuantumCircuit,
    *,
    registers: Sequence[str] | None = None,
    program: int | None = None,
    max_outcomes: int = MAX_OUTCOMES,
    max_qubits: int = MAX_QUBITS,
    max_iterations: int = MAX_ITERATIONS,
) -> dict[str, float]:
    """Return the exact probability of every outcome.

    Args:
        circuit: Any circuit with bound parameters; it may be a compiled one.
        registers: Names of classical registers; the right-most bit of a key is then bit 0 of the first one.
        program: Index of a program of a merged circuit; the keys then hold its own clbits (those in registers named
            ``p<program>_...``; -1 for clbits in no such register) in the order of the merged circuit, the first one
            right-most. Only the components that write them are simulated.
        max_outcomes: Largest number of outcomes.
        max_qubits: Bound on the memory, see :func:`outcome_factors`.
        max_iterations: Largest number of rounds of a ``while`` loop.

    Returns:
        Bitstrings without spaces -> probability, sorted by key. With neither ``registers`` nor ``program``: all
        clbits, clbit 0 right-most.

    Raises:
        HaloValueError: As :func:`outcome_factors`; a register does not exist; both ``registers`` and ``program``.

    Examples:
        >>> from qiskit import QuantumCircuit
        >>> bell = QuantumCircuit(2, 2)
        >>> _ = bell.h(0), bell.cx(0, 1), bell.measure([0, 1], [0, 1])
        >>> {key: round(value, 12) for key, value in outcome_distribution(bell).items()}
        {'00': 0.5, '11': 0.5}
    """
    chosen = _chosen_clbits(circuit, registers, program)
    asked = list(dict.fromkeys(chosen))
    factors = outcome_factors(
        circuit, asked, max_outcomes=max_outcomes, max_qubits=max_qubits, max_iterations=max_iterations
    )
    joint = multiply(factors, _num_words(len(asked)), max_outcomes)
    values = [sum(word << 64 * place for place, word in enumerate(row)) for row in joint.words.tolist()]
    keys = [f"{value:0{len(asked)}b}" if asked else "" for value in values]
    if len(asked) < len(chosen):  # registers that share bits
        column = [len(asked) - 1 - asked.index(clbit) for clbit in reversed(chosen)]
        keys = ["".join(key[place] for place in column) for key in keys]
    return dict(sorted(zip(keys, joint.probabilities.tolist(), strict=True)))


def _chosen_clbits(circuit: QuantumCircuit, registers: Sequence[str] | None, program: int | None) -> list[int]:
    if registers is not None and program is not None:
        raise HaloValueError("give registers or program, not both")
    if registers is not None:
        known = {register.name: register for register in circuit.cregs}
        missing = sorted(set(registers) - set(known))
        if missing:
            raise HaloValueError(
                f"the circuit has no classical register {', '.join(map(repr, missing))}; it has {', '.join(known)}"
            )
        return [circuit.find_bit(bit).index for name in registers for bit in known[name]]
    if program is not None:
        owners = clbit_owners(circuit)
        mine = [clbit for clbit, owner in enumerate(owners) if owner == program]
        if not mine:
            raise HaloValueError(f"the circuit has no classical register of program {program}")
        return mine
    return list(range(circuit.num_clbits))


def distribution_distance(
    original: QuantumCircuit,
    merged: QuantumCircuit,
    program: int,
    *,
    max_outcomes: int = MAX_OUTCOMES,
    max_qubits: int = MAX_QUBITS,
    max_iterations: int = MAX_ITERATIONS,
) -> float:
    """Return how far a program's outcomes in a merged circuit are from those of its own circuit, without sampling.

    Where many programs of one circuit are asked for, :class:`MergedOutcomes` reads the circuit once for all.

    Args:
        original: The program's own circuit, parameters bound.
        merged: The merged circuit, before or after compilation.
        program: Index of the program in the merged circuit.
        max_outcomes: Largest number of outcomes of one factor.
        max_qubits: Bound on the memory, see :func:`outcome_factors`.
        max_iterations: Largest number of rounds of a ``while`` loop.

    Returns:
        As :meth:`MergedOutcomes.distance`.

    Raises:
        HaloValueError: As :meth:`MergedOutcomes.distance`.
    """
    outcomes = MergedOutcomes(merged, max_outcomes=max_outcomes, max_qubits=max_qubits, max_iterations=max_iterations)
    return outcomes.distance(original, program)


class MergedOutcomes:
    """The exact outcomes of a merged circuit, program by program; the circuit is read once.

    Args:
        merged: The merged circuit, before or after compilation, parameters bound.
        max_outcomes: Largest number of outcomes of one factor.
        max_qubits: Bound on the memory, see :func:`outcome_factors`.
        max_iterations: Largest number of rounds of a ``while`` loop.
    """

    def __init__(
        self,
        merged: QuantumCircuit,
        *,
        max_outcomes: int = MAX_OUTCOMES,
        max_qubits: int = MAX_QUBITS,
        max_iterations: int = MAX_ITERATIONS,
    ) -> None:
        self._merged = merged
        self._limits = Limits(max_amplitudes=1 << max_qubits, max_histories=max_outcomes, max_iterations=max_iterations)
        self._cut = _CutOnce(merged, self._limits)

    def distance(self, original: QuantumCircuit, program: int) -> float:
        """Return how far the outcomes of ``program`` are from those of its own circuit.

        Clbits are matched by ``merged.metadata["halo"]`` if it names the program, otherwise by names: register ``c``
        of program 3 is register ``p3_c``. Loose clbits match the register ``p3_loose``.

        Args:
            original: The program's own circuit, parameters bound.
            program: Index of the program in the merged circuit.

        Returns:
            The total variation distance, half the sum of absolute differences. It is exact where the clbits that depend
            on each other in either circuit form one group. With several independent groups at distances d_i it is
            1 - Π(1 - d_i), an upper bound that is 0 only if the distributions are equal, so nothing is ever multiplied
            out.

        Raises:
            HaloValueError: As :func:`outcome_factors`, or the merged circuit lacks a register of the program.
        """
        to_merged = match_clbits(original, self._merged, program)
        order = sorted(to_merged)
        own = _CutOnce(original, self._limits).factors(order)
        shared = self._cut.factors([to_merged[clbit] for clbit in order])
        same = 1.0
        for group in coarsest([factor.places for factor in (*own, *shared)]):
            first, second = (
                multiply(
                    [f for f in factors if f.places[0] in group], _num_words(len(order)), self._limits.max_histories
                )
                for factors in (own, shared)
            )
            same *= 1.0 - min(1.0, total_variation(first, second))
        return 1.0 - same


def _list_qubits(wires: Sequence[int]) -> str:
    shown = ", ".join(map(str, wires[:12]))
    return f"qubits {shown}" + (f" and {len(wires) - 12} more" if len(wires) > 12 else "")


def _num_words(num_clbits: int) -> int:
    return 1 + max(0, num_clbits - 1) // 64
