"""The scheduling stage: who holds each physical qubit when."""

from __future__ import annotations

import logging
import warnings

from qiskit.circuit import QuantumRegister
from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler import Target
from qiskit.transpiler.basepasses import TransformationPass

from qiskit_halo.device.crosstalk import CrosstalkModel
from qiskit_halo.device.model import DeviceModel
from qiskit_halo.errors import HaloTranspilerError, HaloWarning
from qiskit_halo.options import HaloOptions
from qiskit_halo.ownership import program_label
from qiskit_halo.passes.context import (
    NO_FIRST_RESET,
    halo_metadata,
    options_for,
    with_halo_metadata,
    without_reset,
)
from qiskit_halo.passes.write_timeline import write_timeline
from qiskit_halo.rewire import empty_like
from qiskit_halo.timeline.policies import Policy
from qiskit_halo.timeline.summary import summarize
from qiskit_halo.timeline.timeline import Timeline, make_timeline
from qiskit_halo.units import ticks_within
from qiskit_halo.wide import circuit_of

logger = logging.getLogger(__name__)


class HaloScheduling(TransformationPass):
    """Arbitrate shared qubits in time: order leases, reset at hand-overs, set start times, fill gaps with delays.

    Takes any mapped circuit over the physical qubits, whoever laid it out. Rigid pieces move in time as a whole, so
    nobody waits with live qubits because of somebody else, unless ``max_wait_s`` allows it.

    Reads ``halo_placement``, only to know whether the halo layout ran. Writes ``node_start_time`` for every operation,
    ``halo_report`` (:class:`~qiskit_halo.report.HaloReport`) and ``metadata["halo"]["report"]``. Keeps every other
    operation on its qubits and in its order within its program, and the layout.

    Args:
        target: The device.
        options: How to share it; ``None`` takes ``metadata["halo"]["options"]`` of each circuit, else the defaults.
        policy: A policy of your own (:class:`~qiskit_halo.timeline.policies.Policy`), in place of ``options.policy``.

    Raises:
        HaloTranspilerError: The circuit is not over the physical qubits of the device, ``weights`` does not give one
            number a program, a policy breaks the rules, or ``scrub`` is asked for and the device has no X.
    """

    def __init__(self, target: Target, options: HaloOptions | None = None, *, policy: Policy | None = None) -> None:
        super().__init__()
        self.target = target
        self.options = options
        self.policy = policy

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the scheduled circuit."""
        halo = halo_metadata(dag)
        options = options_for(dag, self.options)
        device = DeviceModel(self.target, feed_forward_s=options.feed_forward_s, reset_model=options.reset_model)
        _check_width(dag, device)
        if not device.has_reset:
            options = self._without_reset(options)
        # Shares operations with the input, which nothing below changes.
        circuit = circuit_of(dag)
        timeline = make_timeline(circuit, device, options, metadata=halo, policy=self.policy)
        if self.property_set["halo_placement"] is None:
            _warn_about_joined(timeline, halo)
        _warn_about_limits(timeline, device, options, halo)
        pad = device.has_durations and "delay" in self.target.operation_names
        name = circuit.qregs[0].name if circuit.qregs else "q"
        empty = empty_like(circuit, QuantumRegister(bits=circuit.qubits, name=name))
        out, start_times = write_timeline(
            empty, timeline, device, pad=pad, buffer=options.buffer, decouple=options.idle_fill == "dd"
        )
        report = summarize(timeline, device, halo, options.resets, CrosstalkModel.of(device, options))
        out.metadata = with_halo_metadata(dag, {**halo, "report": report.to_dict()})
        self.property_set["node_start_time"] = start_times
        self.property_set["halo_report"] = report
        logger.info("scheduled %d pieces in %d dt", len(timeline.pieces), timeline.makespan_dt)
        return out

    def _without_reset(self, options: HaloOptions) -> HaloOptions:
        if not options.assume_clean and self.property_set["halo_placement"] is None:  # else the layout has said so
            warnings.warn(NO_FIRST_RESET, HaloWarning, stacklevel=3)
        return without_reset(options)


def _check_width(dag: DAGCircuit, device: DeviceModel) -> None:
    if dag.num_qubits() != device.num_qubits:
        raise HaloTranspilerError(
            f"the circuit has {dag.num_qubits()} qubits and the device {device.num_qubits}; "
            "run a layout stage before scheduling"
        )


def _warn_about_joined(timeline: Timeline, halo: dict[str, object]) -> None:
    joined = dict.fromkeys(t.piece.owners for t in timeline.pieces if len(t.piece.owners) > 1)
    for owners in joined:
        warnings.warn(
            f"{program_label(owners, halo)} are joined by two-qubit gates, because the halo layout did not lay them "
            "out: they count as one owner; use layout_method='halo' to keep them apart",
            HaloWarning,
            stacklevel=3,
        )


def _warn_about_limits(timeline: Timeline, device: DeviceModel, options: HaloOptions, halo: dict[str, object]) -> None:
    if not device.has_durations:
        warnings.warn(
            "the device states no durations: operations are put in order, without start times in seconds or delays",
            HaloWarning,
            stacklevel=3,
        )
        return
    if options.max_duration_s is None:
        return
    limit = ticks_within(options.max_duration_s, device.dt_s)
    late = dict.fromkeys(
        program_label(t.piece.owners, halo) for t in timeline.pieces if t.start_dt + t.timing.length_dt > limit
    )
    if late:
        warnings.warn(
            f"{', '.join(late)}: end after max_duration_s={options.max_duration_s:g} (makespan "
            f"{timeline.makespan_dt * device.dt_s:.3g} s); merge fewer programs or allow more time",
            HaloWarning,
            stacklevel=3,
        )
