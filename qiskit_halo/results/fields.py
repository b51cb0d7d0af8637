"""A data bin that takes every register name a user may have chosen."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from qiskit.primitives import DataBin

# `self` would clash with the first argument of the constructor.
_RESERVED = frozenset({"keys", "values", "items", "shape", "ndim", "size", "self"})


def make_data_bin(fields: dict[str, Any], shape: tuple[int, ...]) -> DataBin:
    """Return a data bin with ``fields`` in their order.

    Qiskit's primitives refuse a register called ``size``, ``items``, ``keys``, ``values``, ``shape`` or ``ndim``,
    because a :class:`~qiskit.primitives.DataBin` has attributes of that name. One program's choice must not cost
    every program of the batch its results, so such a field is reached as ``data["size"]``, while the attribute
    keeps its usual meaning. Without such a name the result is a plain ``DataBin``.
    """
    if all(_is_plain(name) for name in fields):
        return DataBin(shape=shape, **fields)
    return ItemDataBin(fields, shape)


def _is_plain(name: str) -> bool:
    return name not in _RESERVED and not name.startswith("_")


class ItemDataBin(DataBin):
    """A data bin in which some fields are reached by item only, because an attribute has their name."""

    __slots__ = ("_fields",)

    def __init__(self, fields: dict[str, Any], shape: tuple[int, ...]) -> None:
        """Hold ``fields``.

        Args:
            fields: Name -> value; every value leads with ``shape``.
            shape: Shape of the pub.
        """
        super().__init__(shape=shape, **{name: value for name, value in fields.items() if _is_plain(name)})
        self._fields = dict(fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __getitem__(self, key: str) -> Any:
        try:
            return self._fields[key]
        except KeyError as error:
            raise KeyError(f"Key ({key}) does not exist in this data bin.") from error

    def __contains__(self, key: str) -> bool:
        return key in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def keys(self) -> KeysView[str]:
        """Return a view of field names."""
        return self._fields.keys()

    def values(self) -> ValuesView[Any]:
        """Return a view of values."""
        return self._fields.values()

    def items(self) -> ItemsView[str, Any]:
        """Return a view of field names and values."""
        return self._fields.items()
