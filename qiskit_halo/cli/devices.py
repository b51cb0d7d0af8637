"""Device names of the command line: the fake devices of qiskit-ibm-runtime."""

from __future__ import annotations

import difflib
import re
from typing import Any

from qiskit_halo.errors import HaloError, HaloValueError

# A provider, not a device.
_NOT_DEVICES = frozenset({"FakeProviderForBackendV2"})


def load_device(name: str) -> Any:
    """Return the fake device called ``name``: ``torino``, ``fake_torino`` and ``FakeTorino`` are the same.

    Raises:
        HaloError: qiskit-ibm-runtime is not installed.
        HaloValueError: There is no such device; the message gives the nearest names.
    """
    classes = _device_classes()
    wanted = re.sub(r"^fake_?|_?v2$|[-_ ]", "", name.strip().lower())
    if wanted not in classes:
        near = difflib.get_close_matches(wanted, sorted(classes), n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(sorted(classes))}"
        raise HaloValueError(f"there is no fake device named {name!r}; {hint}")
    return classes[wanted]()


def _device_classes() -> dict[str, Any]:
    """Return short name -> class."""
    try:
        from qiskit_ibm_runtime import fake_provider
    except ImportError as error:
        raise HaloError(
            "device models need qiskit-ibm-runtime, which is not installed; run: pip install 'qiskit-halo[runtime]'"
        ) from error
    names = [n for n in dir(fake_provider) if n.startswith("Fake") and n not in _NOT_DEVICES]
    return {n.removeprefix("Fake").removesuffix("V2").lower(): getattr(fake_provider, n) for n in names}
