"""Compile one body alone, as well as Qiskit can: the one place below the passes that runs a pass manager."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from qiskit.circuit import Barrier, QuantumCircuit, QuantumRegister
from qiskit.transpiler import PassManager, StagedPassManager, Target, generate_preset_pass_manager
from qiskit.transpiler.exceptions import TranspilerError

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.device.region import region_target
from qiskit_halo.errors import HaloTranspilerError
from qiskit_halo.fragments.fragment import Fragment, find_shapes
from qiskit_halo.fragments.jumps import JUMPS, CountSwaps, has_jumps
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.rewire import empty_like, has_variables

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileSettings:
    """How fragments are compiled.

    Args:
        optimization_level: Level of Qiskit's preset pass manager, 0 to 3.
        seed: First seed of its random parts.
        num_variants: Compilations of each distinct body, with consecutive seeds; the best predicted success wins.
            Routing is random and one run can be bad: on HALO's small suites four are measurably better than one.
        extra: Other keywords of :func:`~qiskit.transpiler.generate_preset_pass_manager`.
    """

    optimization_level: int = 2
    seed: int = 0
    num_variants: int = 4
    extra: dict[str, Any] = field(default_factory=dict)


class FragmentCompiler:
    """Compiles bodies for regions of one device; keeps the regions' targets.

    Args:
        device: The device.
        settings: How to compile.
    """

    def __init__(self, device: DeviceModel, settings: CompileSettings) -> None:
        self._device = device
        self._settings = settings
        self._targets: dict[tuple[tuple[int, ...], bool], Target] = {}
        self._passes: dict[tuple[int, int, int], StagedPassManager] = {}

    def compile(self, body: QuantumCircuit, region: Sequence[int], name: str) -> Fragment:
        """Return the best of several compilations of ``body`` on ``region``.

        Args:
            body: A circuit of its own, no wider than the region.
            region: Connected physical qubits, without repeats.
            name: What to call it in an error: the program's index and name.

        Raises:
            HaloTranspilerError: The body holds an operation that the device lacks, or a loop that Qiskit cannot route.
        """
        region = tuple(region)
        # Qiskit's pass for directed gates crashes on circuits with variables: it must find nothing to do there.
        symmetric = has_variables(body)
        if (region, symmetric) not in self._targets:
            self._targets[region, symmetric] = region_target(self._device, region, symmetric=symmetric)
        target = self._targets[region, symmetric]
        _check_control_flow(body, target, name)
        # Level 0 lays out without a look at the couplers, so that nearly everything needs routing.
        level = max(1, self._settings.optimization_level) if has_jumps(body) else self._settings.optimization_level
        if self._settings.num_variants < 1:
            raise HaloTranspilerError(f"num_variants must be at least 1, not {self._settings.num_variants}")
        best: Fragment | None = None
        for variant in range(self._settings.num_variants):
            compiled = self._run(body, target, level, self._settings.seed + variant, name)
            if compiled is None:
                continue
            fragment = self._measure(compiled, body.num_qubits, region)
            if best is None or fragment.log_success > best.log_success:
                best = fragment
            if body.num_qubits == 1:
                break  # Nothing to route: seeds make no difference.
        if best is None:
            raise HaloTranspilerError(
                f"{name} has a loop with break_loop or continue_loop whose gates do not fit the couplers as they are, and "
                "Qiskit's routing is wrong for such a loop; rewrite it with if_test, or use fewer pairs of qubits in it"
            )
        logger.debug("%s: %d sites, %d dt", name, best.num_sites, best.timing.length_dt)
        return best

    def _run(self, body: QuantumCircuit, target: Target, level: int, seed: int, name: str) -> QuantumCircuit | None:
        """Return ``body`` compiled for ``target``, ``None`` if Qiskit routed a loop that it gets wrong."""
        passes = self._pass_manager(target, level, seed)
        try:
            compiled = passes.run(body)
        except TranspilerError as error:
            raise HaloTranspilerError(f"{name} cannot be compiled for this device: {error.message}") from error
        swaps = passes.property_set
        return None if swaps["halo_swaps_after"] > swaps["halo_swaps_before"] else compiled

    def _pass_manager(self, target: Target, level: int, seed: int) -> StagedPassManager:
        # Building one takes as long as compiling a small program. The targets live as long as this object, so that
        # their ids stay theirs.
        key = (id(target), level, seed)
        if key not in self._passes:
            passes = generate_preset_pass_manager(level, target=target, seed_transpiler=seed, **self._settings.extra)
            passes.pre_layout = PassManager([CountSwaps("halo_swaps_before")])
            passes.post_routing = PassManager([CountSwaps("halo_swaps_after")])
            # Times are ours to set; Qiskit's default stage also fails on delays where the target aligns pulses.
            passes.scheduling = None
            self._passes[key] = passes
        return self._passes[key]

    def _measure(self, compiled: QuantumCircuit, num_qubits: int, region: tuple[int, ...]) -> Fragment:
        circuit, used = _compact(compiled)
        home = tuple(region[q] for q in used)
        site_of = {qubit: site for site, qubit in enumerate(used)}
        timing, workload, log_success = time_on(circuit.data, sites_of(circuit), home, self._device)
        pairs = list(two_qubit_pairs(circuit))
        layout = compiled.layout
        start = layout.initial_index_layout(filter_ancillas=True) if layout else list(range(num_qubits))
        final = layout.final_index_layout(filter_ancillas=True) if layout else start
        return Fragment(
            circuit=circuit,
            home=home,
            start_sites=tuple(site_of.get(q) for q in start),
            final_sites=tuple(site_of.get(q) for q in final),
            timing=timing,
            workload=workload,
            shapes=find_shapes(len(home), pairs),
            log_success=log_success,
        )


def two_qubit_pairs(circuit: QuantumCircuit) -> Iterator[tuple[int, int]]:
    """Yield the qubit indices of every two-qubit operation of ``circuit``, nested blocks included."""
    index = {qubit: i for i, qubit in enumerate(circuit.qubits)}
    for instruction in circuit.data:
        if len(instruction.qubits) < 2 or instruction.name in ("barrier", *JUMPS):
            continue
        where = [index[q] for q in instruction.qubits]
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                yield from ((where[a], where[b]) for a, b in two_qubit_pairs(block))
        else:
            yield (where[0], where[1])


def _compact(compiled: QuantumCircuit) -> tuple[QuantumCircuit, list[int]]:
    """Return the circuit on the qubits it really uses, and which those were."""
    index = {qubit: i for i, qubit in enumerate(compiled.qubits)}
    used = sorted(
        dict.fromkeys(
            index[q] for instruction in compiled.data if instruction.name != "barrier" for q in instruction.qubits
        )
    )
    circuit = empty_like(compiled, QuantumRegister(len(used), "site"))
    site_of = {compiled.qubits[q]: circuit.qubits[site] for site, q in enumerate(used)}
    for instruction in compiled.data:
        if instruction.name == "barrier":
            held = [site_of[q] for q in instruction.qubits if q in site_of]
            if held:
                circuit.append(Barrier(len(held), instruction.label), held, copy=False)
        else:
            circuit.append(instruction.replace(qubits=[site_of[q] for q in instruction.qubits]), copy=False)
    return circuit, used


def _check_control_flow(body: QuantumCircuit, target: Target, name: str) -> None:
    for construct in _control_flow_names(body):
        if construct not in target.operation_names:
            raise HaloTranspilerError(
                f"{name} uses {construct}, which this device does not have; "
                "unroll it, or take a device with it in target.operation_names"
            )


def _control_flow_names(circuit: QuantumCircuit) -> Iterator[str]:
    for instruction in circuit.data:
        if instruction.name in JUMPS:
            yield instruction.name
        elif instruction.is_control_flow():
            yield instruction.name
            for block in instruction.operation.blocks:
                yield from _control_flow_names(block)
