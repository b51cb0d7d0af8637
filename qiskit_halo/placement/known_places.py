"""Places of fragments that this process has looked for before."""

from __future__ import annotations

import threading
from collections import OrderedDict

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.placement.candidates import Candidates, find_candidates
from qiskit_halo.placement.embeddings import Embedder

MOST_KNOWN = 256
"""Fragments whose places are kept; those of a large one take about 200 kB."""

_lock = threading.Lock()
_known: OrderedDict[tuple[str, int], Candidates] = OrderedDict()
# By the identity of the fragment, which the candidates keep alive: cached compiled bodies are the same objects each time.


def known_candidates(fragment: Fragment, device: DeviceModel, embedder: Embedder, identity: str | None) -> Candidates:
    """Return what :func:`~qiskit_halo.placement.candidates.find_candidates` does, looked up if it is known.

    Args:
        fragment: What goes there.
        device: The device.
        embedder: Of the device.
        identity: A digest of the device by content; ``None`` keeps nothing.
    """
    if identity is None:
        return find_candidates(fragment, device, embedder)
    key = (identity, id(fragment))
    with _lock:
        found = _known.get(key)
        if found is not None:
            _known.move_to_end(key)
    if found is None:
        found = find_candidates(fragment, device, embedder)
        with _lock:
            _known[key] = found
            while len(_known) > MOST_KNOWN:
                _known.popitem(last=False)
    return found
