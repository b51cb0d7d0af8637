"""The layout stage: which physical qubit each part of each program uses."""

from __future__ import annotations

import logging
import warnings
from concurrent.futures import Executor
from typing import Any

from qiskit.circuit import QuantumCircuit
from qiskit.converters import circuit_to_dag
from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler import Target
from qiskit.transpiler.basepasses import TransformationPass

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError, HaloWarning
from qiskit_halo.fragments.settings import CompileSettings
from qiskit_halo.options import HaloOptions
from qiskit_halo.passes.context import (
    NO_FIRST_RESET,
    halo_metadata,
    options_for,
    with_halo_metadata,
    without_reset,
)
from qiskit_halo.passes.layout_record import record_layout
from qiskit_halo.placement.emit import emit_placement
from qiskit_halo.placement.placement import Placement
from qiskit_halo.placement.space_manager import SpaceManager
from qiskit_halo.rewire import has_variables
from qiskit_halo.wide import circuit_of

logger = logging.getLogger(__name__)


class HaloLayout(TransformationPass):
    """Compile each program alone, then place the compiled pieces side by side and one after another.

    Takes any circuit over virtual qubits, also one wider than the device, and returns a mapped ISA circuit over the
    physical qubits: routing finds nothing to do. Qubits that pass from one program to another are reset between.

    Reads ``original_qubit_indices`` and ``virtual_permutation_layout`` (which it applies and drops).
    Writes ``layout``, ``original_qubit_indices``, ``num_input_qubits``, ``final_layout`` where nothing is shared and
    routing permuted, ``halo_placement`` (:class:`~qiskit_halo.placement.placement.Placement`) and ``halo_variables``
    (whether there are classical variables or stretches); also ``metadata["halo"]["placement"]``. Where qubits are shared ``layout`` is a nominal bijection: the placement tells
    the truth. Keeps every measured outcome, its classical bit, and the classical registers.

    Args:
        target: The device.
        options: How to share it; ``None`` takes ``metadata["halo"]["options"]`` of each circuit, else the defaults.
        optimization_level: Level of the preset pass manager that compiles each program, 0 to 3.
        seed: Seed of its random parts; ``None`` counts as 0, so that results always repeat.
        compile_options: Other keywords of :func:`~qiskit.transpiler.generate_preset_pass_manager`.
        executor: Compiles distinct programs at the same time, by :meth:`~concurrent.futures.Executor.submit`; ``None``
            compiles them here. It makes no difference to the result, and is not taken along when the pass is pickled.

    Raises:
        HaloTranspilerError: A program does not fit, or holds an operation that the device lacks.
    """

    def __init__(
        self,
        target: Target,
        options: HaloOptions | None = None,
        *,
        optimization_level: int = 2,
        seed: int | None = None,
        compile_options: dict[str, Any] | None = None,
        executor: Executor | None = None,
    ) -> None:
        super().__init__()
        self.target = target
        self.options = options
        self.optimization_level = optimization_level
        self.seed = seed
        self.compile_options = compile_options or {}
        self.executor = executor

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled, for example when many circuits are run at once."""
        return {**self.__dict__, "executor": None}

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the mapped circuit."""
        halo = halo_metadata(dag)
        options = options_for(dag, self.options)
        device = DeviceModel(
            self.target,
            options.exclude_qubits,
            feed_forward_s=options.feed_forward_s,
            reset_model=options.reset_model,
        )
        device.warn_about_gaps()
        if not device.has_reset:
            options = _without_reset(options)
        settings = CompileSettings(
            optimization_level=self.optimization_level,
            seed=self.seed or 0,
            reuse=options.reuse,
            resets=options.resets,
            extra=self.compile_options,
        )
        # Shares operations with the input, which nothing below changes.
        circuit = circuit_of(dag)
        placement = SpaceManager(device, options, settings, self.executor).place(circuit, halo)
        mapped = emit_placement(circuit, placement, device, options)
        _check_conserved(circuit, placement)
        out = circuit_to_dag(mapped, copy_operations=False)
        out.metadata = with_halo_metadata(dag, {**halo, "placement": placement.to_dict(device.dt_s)})
        record_layout(self.property_set, dag, out, placement)
        self.property_set["halo_variables"] = has_variables(circuit)
        logger.info("placed %d pieces on %d qubits", len(placement.pieces), device.num_qubits)
        return out


def _without_reset(options: HaloOptions) -> HaloOptions:
    if options.sharing != "none":
        warnings.warn(
            "the device has no reset, so qubits cannot pass from one program to another: sharing is off for this circuit",
            HaloWarning,
            stacklevel=3,
        )
    if not options.assume_clean:
        warnings.warn(NO_FIRST_RESET, HaloWarning, stacklevel=3)
    return without_reset(options)


def _check_conserved(circuit: QuantumCircuit, placement: Placement) -> None:
    """Raise if an operation of the circuit belongs to no piece: it would be lost without a word."""
    placed = sum(len(p.piece.operations) for p in placement.pieces)
    wanted = sum(1 for instruction in circuit.data if instruction.name not in ("reset", "barrier"))
    if placed != wanted:
        raise HaloTranspilerError(
            f"{wanted - placed} of {wanted} operations belong to no program; this is a bug, please report the circuit"
        )
