"""The command line, ``qiskit-halo``."""

from qiskit_halo.cli.app import main

__all__ = ["main"]
