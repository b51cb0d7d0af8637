"""Many programs in, one circuit out, and every user's own result back."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from qiskit.circuit import QuantumCircuit
from qiskit.primitives import DataBin, PrimitiveResult, SamplerPubResult

from qiskit_halo.errors import HaloValueError
from qiskit_halo.options import HaloOptions
from qiskit_halo.programs.fold import fold_programs
from qiskit_halo.programs.load import ProgramLike, load_programs
from qiskit_halo.programs.merge import MergedPrograms, merge_programs
from qiskit_halo.programs.metadata import METADATA_KEY, HaloMetadata
from qiskit_halo.programs.program import Program
from qiskit_halo.programs.symbols import MergedParameters
from qiskit_halo.results.counts import split_counts
from qiskit_halo.results.split import split_result


class MultiProgramCircuit:
    """Many users' programs as one circuit, and the way back to every user's own result.

    The merged circuit is a plain :class:`~qiskit.circuit.QuantumCircuit`: any transpiler and any sampler takes it.
    Program ``k``'s classical register ``c`` is called ``p<k>_c`` there. Nothing passes between programs: each has
    its own qubits, clbits, variables and parameters, and its barriers cover its own wires only. The programs are
    copied, so that later changes to the user's circuits have no effect.

    Refused are circuits that need values from outside while they run (``input`` variables) and circuits that
    capture variables or stretches of another one. Instructions that are not gates, and gates of the user's own, are
    replaced by their definitions, so that no two programs mean different things by one name. Qiskit's
    high-level gates on three or more qubits are synthesised here, because the transpiler would borrow the qubits of
    other programs for it; an ``hls_config`` given to the transpiler comes too late for them.

    Args:
        programs: Circuits, or sampler PUBs ``(circuit, parameter_values[, shots])`` with one set of values each.
            The same object may appear many times. Qubits of an :class:`~qiskit.circuit.AncillaRegister` are helpers.
        shots: Shots of every program, or one number a program. The shots in a PUB win.
        names: One distinct name a program, any text. By default the names of the circuits, numbered where equal.
        options: Options for the compiler, carried in the metadata because :func:`qiskit.transpile` takes none.

    Raises:
        HaloValueError: No programs; something that is not a circuit or PUB; a parameter sweep or a wrong number
            of values; shots, names or weights that do not fit; a program that measures nothing, needs input variables, has
            metadata that is not JSON, or holds an operation that cannot be synthesised.

    Examples:
        >>> from qiskit.circuit import QuantumCircuit
        >>> from qiskit.primitives import StatevectorSampler
        >>> flip = QuantumCircuit(1, name="flip")
        >>> _ = flip.x(0)
        >>> flip.measure_all()
        >>> idle = QuantumCircuit(2, name="idle")
        >>> idle.measure_all()
        >>> mpc = MultiProgramCircuit([flip, idle], shots=[10, 20])
        >>> [register.name for register in mpc.circuit.cregs]
        ['p0_meas', 'p1_meas']
        >>> result = StatevectorSampler().run([mpc.circuit], shots=mpc.shots).result()
        >>> [program.data.meas.get_counts() for program in mpc.split(result[0])]
        [{'1': 10}, {'00': 20}]
    """

    __slots__ = ("_merged", "_metadata", "_options", "_programs")

    _merged: MergedPrograms
    _metadata: HaloMetadata
    _options: HaloOptions | None
    _programs: tuple[Program, ...]

    def __init__(
        self,
        programs: Iterable[ProgramLike],
        *,
        shots: int | Sequence[int] = 1024,
        names: Sequence[str] | None = None,
        options: HaloOptions | None = None,
    ) -> None:
        if options is not None and not isinstance(options, HaloOptions):
            raise HaloValueError(f"options must be HaloOptions or None, not {type(options).__name__}")
        loaded = load_programs(programs, shots=shots, names=names)
        if options is not None and options.weights is not None and len(options.weights) != len(loaded):
            raise HaloValueError(
                f"weights gives {len(options.weights)} numbers for {len(loaded)} programs; give one a program"
            )
        merged = merge_programs(loaded, options=options)
        object.__setattr__(self, "_programs", loaded)
        object.__setattr__(self, "_options", options)
        object.__setattr__(self, "_merged", merged)
        # Splitting must not depend on what anybody does to the circuit's own metadata.
        object.__setattr__(self, "_metadata", copy.deepcopy(merged.circuit.metadata[METADATA_KEY]))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a MultiProgramCircuit cannot be changed; make a new one to set {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a MultiProgramCircuit cannot be changed; make a new one without {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        circuits = [program.circuit for program in self._programs]
        shots = [program.shots for program in self._programs]
        return _rebuild, (circuits, shots, self.names, self._options)

    def __repr__(self) -> str:
        return (
            f"<MultiProgramCircuit: {len(self._programs)} programs, {self.circuit.num_qubits} qubits, "
            f"{self.shots} shots>"
        )

    @property
    def circuit(self) -> QuantumCircuit:
        """The merged circuit: one wire a program qubit, data registers first, helper registers last.

        It is the same object each time, so copy it before adding operations; parameters may be bound in place.
        """
        return self._merged.circuit

    @property
    def programs(self) -> tuple[Program, ...]:
        """The programs, in order."""
        return self._programs

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each program."""
        return tuple(program.name for program in self._programs)

    @property
    def shots(self) -> int:
        """Shots that the merged circuit needs: the largest of the programs."""
        return max(program.shots for program in self._programs)

    @property
    def parameters(self) -> tuple[MergedParameters, ...]:
        """Per program, each of the user's unbound parameters, vectors and elements -> the merged one.

        To bind program 0 alone: ``mpc.circuit.assign_parameters({mpc.parameters[0][theta]: 0.5})``.
        """
        return self._merged.parameters

    def fold(self, num_qubits: int) -> QuantumCircuit:
        """Return the merged circuit on at most ``num_qubits`` wires, used again after a reset where needed.

        :func:`qiskit.transpile` refuses a circuit wider than the device. If the merged circuit is narrow enough it
        is returned as it is; otherwise a new one with the fewest resets that fit, on a register ``w``. The programs
        keep their order, and so do the qubits of each program that fits by itself. One that does not is folded
        onto itself, as far as not all of its qubits are in use at the same time.

        Args:
            num_qubits: Wires that there are.

        Raises:
            HaloValueError: ``num_qubits`` is not a positive whole number, or a program alone has more
                qubits in use at the same time.
        """
        return fold_programs(self._merged, self._programs, num_qubits)

    def split(self, result: SamplerPubResult | DataBin | PrimitiveResult[Any]) -> list[SamplerPubResult]:
        """Return one result per program, as its user would have got it alone.

        Args:
            result: Result of the merged circuit, compiled or not, folded or not, from any sampler.

        Raises:
            HaloValueError: The result is not from this merge, or holds too few shots.
        """
        return split_result(result, self._metadata)

    def split_counts(self, counts: Mapping[str, int] | Mapping[int, int]) -> list[dict[str, int]]:
        """Return one dictionary of counts per program, of all shots of the batch.

        Args:
            counts: Counts of the merged circuit; keys as Qiskit prints them, with or without spaces, or hexadecimal,
                or whole numbers.

        Raises:
            HaloValueError: A key does not have the width of the merged circuit.
        """
        return split_counts(counts, self._metadata)


def _rebuild(
    circuits: Sequence[QuantumCircuit],
    shots: Sequence[int],
    names: Sequence[str],
    options: HaloOptions | None,
) -> MultiProgramCircuit:
    """Return the same merged circuit again, for copies and pickles."""
    return MultiProgramCircuit(circuits, shots=shots, names=names, options=options)
