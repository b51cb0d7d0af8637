"""Every place where a fragment may go, with its predicted success there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.fragments.measure import sites_of, time_on
from qiskit_halo.fragments.timing import Timing
from qiskit_halo.placement.embeddings import Embedder

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapeCandidates:
    """Places for one connected part of a fragment.

    Args:
        sites: Sites of the fragment that the part covers.
        places: int64, shape (num_places, len(sites)): physical qubit of each of these sites.
        log_success: Shape (num_places,), finite: places that lack an operation are left out.
        busy_start_dt: Shape (len(sites),): first tick of each site, from the start of the fragment.
        busy_stop_dt: Shape (len(sites),): end of the last operation of each site.
    """

    sites: tuple[int, ...]
    places: IntArray
    log_success: FloatArray
    busy_start_dt: IntArray
    busy_stop_dt: IntArray

    @property
    def best(self) -> float:
        """Log of the best predicted success on the empty device."""
        return float(self.log_success.max())


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Places for a whole fragment.

    Args:
        fragment: What goes there.
        shapes: One entry for each of its connected parts, largest first.
        best: Log of its best predicted success on the empty device, by true durations there.
    """

    fragment: Fragment
    shapes: tuple[ShapeCandidates, ...]
    best: float


def find_candidates(fragment: Fragment, device: DeviceModel, embedder: Embedder) -> Candidates:
    """Return every known place of ``fragment``; where it was compiled is always among them.

    Scores take the times of the fragment where it was compiled; :func:`time_at` gives the true one of a place.
    """
    shapes = []
    for shape in fragment.shapes:
        sites = list(shape.sites)
        home = np.array([[fragment.home[site] for site in sites]], dtype=np.int64)
        places = np.concatenate([home, embedder.find(shape)])
        log_success = fragment.workload.restricted(sites).log_success(device, places)
        possible = np.isfinite(log_success)
        busy = np.array([fragment.timing.busy_dt[site] for site in sites], dtype=np.int64).reshape(-1, 2)
        shapes.append(
            ShapeCandidates(
                sites=shape.sites,
                places=places[possible],
                log_success=log_success[possible],
                busy_start_dt=busy[:, 0],
                busy_stop_dt=busy[:, 1],
            )
        )
    qubits = [0] * fragment.num_sites
    for part in shapes:
        for site, qubit in zip(part.sites, part.places[int(np.argmax(part.log_success))].tolist(), strict=True):
            qubits[site] = qubit
    best = fragment.log_success
    if len(dict.fromkeys(qubits)) == len(qubits):
        best = max(best, time_at(fragment, qubits, device)[1])
    return Candidates(fragment=fragment, shapes=tuple(shapes), best=best)


def time_at(fragment: Fragment, qubits: Sequence[int], device: DeviceModel) -> tuple[Timing, float]:
    """Return the times of ``fragment`` on ``qubits``, one for each site, and the log of its predicted success."""
    timing, _, log_success = time_on(fragment.circuit.data, sites_of(fragment.circuit), qubits, device)
    return timing, log_success
