"""Compiled forms of bodies: looked up, compiled elsewhere, or compiled here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor

from qiskit.circuit import QuantumCircuit

from qiskit_halo.device.model import DeviceModel
from qiskit_halo.fragments.cache import MEMORY, Disk, cache_folder
from qiskit_halo.fragments.fragment import Fragment
from qiskit_halo.fragments.identity import compiler_identity
from qiskit_halo.fragments.key import is_portable, structure_key
from qiskit_halo.fragments.parallel import compile_elsewhere
from qiskit_halo.fragments.settings import CompileSettings
from qiskit_halo.fragments.single import BodyCompiler

__all__ = ["CompileSettings", "FragmentCompiler"]


class FragmentCompiler:
    """Compiles bodies for regions of one device, each distinct one once.

    Where a result comes from makes no difference to it.

    Args:
        device: The device.
        settings: How to compile.
        use_cache: Whether results are kept beyond this object, in this process and on disk.
        executor: Who compiles what :meth:`prepare` is given; ``None`` does it here.
    """

    def __init__(
        self,
        device: DeviceModel,
        settings: CompileSettings,
        *,
        use_cache: bool = False,
        executor: Executor | None = None,
    ) -> None:
        self._device = device
        self._settings = settings
        self._executor = executor
        self._compiler = BodyCompiler(device, settings)
        self._identity = compiler_identity(device, settings) if use_cache or executor is not None else None
        self._use_cache = use_cache and self._identity is not None
        folder = cache_folder() if self._use_cache else None
        self._disk = None if folder is None else Disk(folder)
        self._own: dict[tuple[str, tuple[int, ...]], tuple[Fragment, ...]] = {}
        # With the circuits, so that their ids stay theirs.
        self._keys: dict[int, tuple[QuantumCircuit, str]] = {}

    @property
    def identity(self) -> str | None:
        """Digest of device and settings by content where results are kept beyond this object, else ``None``."""
        return self._identity if self._use_cache else None

    def prepare(self, bodies: Sequence[tuple[QuantumCircuit, str, tuple[int, ...]]]) -> None:
        """Look up ``bodies`` and, with an executor, compile all that are missing at the same time.

        :meth:`compile` then has them at hand.

        Args:
            bodies: Circuits, what to call each in an error, and the connected physical qubits to compile it on.
        """
        if self._executor is None or self._identity is None:
            return
        missing: dict[tuple[str, tuple[int, ...]], tuple[QuantumCircuit, str, tuple[int, ...]]] = {}
        for body, name, region in bodies:
            key = self._key_of(body)
            if self._known(key, region) is None:
                missing.setdefault((key, region), (body, name, region))
        keys = list(missing)
        found = compile_elsewhere(self._executor, self._device, self._settings, self._identity, list(missing.values()))
        for index, fragments in found.items():
            self._keep(*keys[index], fragments)

    def compile(
        self, body: QuantumCircuit, region: Sequence[int], name: str, key: str | None = None
    ) -> tuple[Fragment, ...]:
        """Return the compiled forms of ``body`` on ``region`` that no other beats, the best predicted success first.

        Args:
            body: A circuit of its own, no wider than the region; it must not be changed later.
            region: Connected physical qubits, without repeats.
            name: What to call it in an error: the program's index and name.
            key: Its :func:`~qiskit_halo.fragments.key.structure_key`, if that is known.

        Raises:
            HaloTranspilerError: The body holds an operation that the device lacks.
        """
        region = tuple(region)
        key = self._key_of(body) if key is None else key
        fragments = self._known(key, region)
        if fragments is None:
            fragments = self._compiler.compile(body, region, name)
            self._keep(key, region, fragments)
        return fragments

    def _known(self, key: str, region: tuple[int, ...]) -> tuple[Fragment, ...] | None:
        own = self._own.get((key, region))
        if own is not None or not self._use_cache or not is_portable(key):
            return own
        full = self._full_key(key, region)
        found = MEMORY.get(full)
        if found is None and self._disk is not None:
            found = self._disk.get(full)
            if found is not None:
                MEMORY.put(full, found)
        if found is not None:
            self._own[key, region] = found
        return found

    def _keep(self, key: str, region: tuple[int, ...], fragments: tuple[Fragment, ...]) -> None:
        self._own[key, region] = fragments
        if self._use_cache and is_portable(key):
            full = self._full_key(key, region)
            MEMORY.put(full, fragments)
            if self._disk is not None:
                self._disk.put(full, fragments)

    def _key_of(self, body: QuantumCircuit) -> str:
        if id(body) not in self._keys:
            self._keys[id(body)] = (body, structure_key(body))
        return self._keys[id(body)][1]

    def _full_key(self, key: str, region: tuple[int, ...]) -> str:
        return hashlib.sha256(repr((self._identity, key, region)).encode()).hexdigest()
