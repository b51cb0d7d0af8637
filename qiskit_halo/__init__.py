"""Share one quantum computer between many programs, isolated from each other, without losing fidelity.

Start at :class:`MultiProgramCircuit` (programs in, one circuit out), compile with ``transpile(..., layout_method="halo",
scheduling_method="halo")`` or :func:`generate_halo_pass_manager`, run with any sampler, and split the result.
"""

from __future__ import annotations

from qiskit_halo.batch_plan import BatchPlan
from qiskit_halo.errors import (
    HaloError,
    HaloTranspilerError,
    HaloValueError,
    HaloWarning,
    IsolationError,
)
from qiskit_halo.multiprogram import MultiProgramCircuit
from qiskit_halo.options import HaloOptions
from qiskit_halo.passes.check_isolation import CheckIsolation
from qiskit_halo.passes.halo_layout import HaloLayout
from qiskit_halo.passes.halo_scheduling import HaloScheduling
from qiskit_halo.passes.scrub import redraw_scrubs
from qiskit_halo.plugins.generate import generate_halo_pass_manager
from qiskit_halo.primitives.backend import HaloBackend
from qiskit_halo.primitives.batching import plan_batches
from qiskit_halo.primitives.estimator import HaloEstimator
from qiskit_halo.primitives.local import LocalSampler
from qiskit_halo.primitives.sampler import HaloSampler
from qiskit_halo.report import HaloReport, LeaseReport, ProgramReport
from qiskit_halo.results.counts import split_counts
from qiskit_halo.results.split import split_result
from qiskit_halo.timeline.predict import predict_success
from qiskit_halo.verification.isolation import IsolationReport, verify_isolation
from qiskit_halo.visualization.batches import plot_batches
from qiskit_halo.visualization.chip import plot_placement
from qiskit_halo.visualization.timeline import plot_timeline

__all__ = [
    "BatchPlan",
    "CheckIsolation",
    "HaloBackend",
    "HaloError",
    "HaloEstimator",
    "HaloLayout",
    "HaloOptions",
    "HaloReport",
    "HaloSampler",
    "HaloScheduling",
    "HaloTranspilerError",
    "HaloValueError",
    "HaloWarning",
    "IsolationError",
    "IsolationReport",
    "LeaseReport",
    "LocalSampler",
    "MultiProgramCircuit",
    "ProgramReport",
    "generate_halo_pass_manager",
    "plan_batches",
    "plot_batches",
    "plot_placement",
    "plot_timeline",
    "predict_success",
    "redraw_scrubs",
    "split_counts",
    "split_result",
    "verify_isolation",
]
