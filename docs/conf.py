"""Sphinx settings; ``make docs`` builds the pages into docs/_build."""

from importlib.metadata import version as installed_version

project = "qiskit-halo"
author = "The qiskit-halo contributors"
copyright = author
version = release = installed_version("qiskit-halo")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
html_theme = "alabaster"
html_theme_options = {"description": "Share one quantum computer between many programs", "page_width": "70em"}
