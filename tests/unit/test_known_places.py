"""Places that were found once are looked up the next time."""

from __future__ import annotations

import pytest

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.placement import known_places
from qiskit_halo.placement.candidates import Candidates
from qiskit_halo.placement.embeddings import Embedder
from tests.fragment_samples import bell, make_fragment
from tests.targets import make_target

DEVICE = DeviceModel(make_target(4))


def look_up(fragment: Fragment, identity: str | None) -> Candidates:
    return known_places.known_candidates(fragment, DEVICE, Embedder(DEVICE), identity)


def test_by_fragment_and_device() -> None:
    fragment, other = (make_fragment(bell(2), (0, 1), DEVICE) for _ in range(2))
    first = look_up(fragment, "this device")
    assert look_up(fragment, "this device") is first
    assert look_up(fragment, "another device") is not first
    assert look_up(other, "this device") is not first
    assert look_up(other, "this device").fragment is other


def test_a_device_that_cannot_be_told_from_others() -> None:
    fragment = make_fragment(bell(2), (0, 1), DEVICE)
    assert look_up(fragment, None) is not look_up(fragment, None)


def test_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_places, "MOST_KNOWN", 2)
    fragments = [make_fragment(bell(2), (0, 1), DEVICE) for _ in range(3)]
    found = [look_up(fragment, "device") for fragment in fragments]
    assert look_up(fragments[2], "device") is found[2]
    assert look_up(fragments[0], "device") is not found[0], "the one not used for longest has gone"
