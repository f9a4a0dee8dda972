"""Stand-in for ``slicer.parameterNodeWrapper``: typed attributes kept on a real parameter node.

Covered: int, float, bool, str, nodes, and lists of nodes or of str; defaults after ``=``; observers.
Not covered: connectGui (the panel does not use it), parameter packs, validators and other annotations, ObservedList
(a list read here is a copy; in Slicer appending to it writes), caching.
"""

from __future__ import annotations

import json
import typing
from collections.abc import Callable
from typing import Any

import slicer_core

WORDS: dict[type, Callable[[str], Any]] = {
    int: int,
    float: float,
    str: str,
    bool: lambda text: text == "True",
}


def parameterNodeWrapper(cls: type) -> type:
    """The class decorator."""
    kinds = typing.get_type_hints(cls)
    defaults = {name: getattr(cls, name, None) for name in kinds}

    def init(self: Any, node: Any) -> None:
        if node is None:
            raise AssertionError("a parameter node is needed")
        self.parameterNode = node
        for name, kind in kinds.items():
            if not node.HasParameter(name):
                default = defaults[name]
                if default is None:
                    default = [] if typing.get_origin(kind) is list else WORDS.get(kind, lambda _: None)("0")
                setattr(self, name, "" if kind is str and defaults[name] is None else default)

    for name, kind in kinds.items():
        setattr(cls, name, _attribute(name, kind))
    cls.__init__ = init  # type: ignore[misc]
    cls.AddObserver = lambda self, *a: self.parameterNode.AddObserver(*a)  # type: ignore[attr-defined]
    cls.RemoveObserver = lambda self, tag: self.parameterNode.RemoveObserver(tag)  # type: ignore[attr-defined]
    return cls


def _is_node(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer_core.vtkMRMLNode)


def _attribute(name: str, kind: Any) -> property:
    if kind in WORDS:
        return _word(name, kind)
    if _is_node(kind):
        return _node(name, kind)
    (item,) = typing.get_args(kind)
    return _nodes(name) if _is_node(item) else _texts(name)


def _word(name: str, kind: type) -> property:
    def write(self: Any, value: Any) -> None:
        if not isinstance(value, (int, float) if kind is float else kind):
            raise ValueError(f"{name} must be {kind.__name__}, not {value!r}")
        self.parameterNode.SetParameter(name, str(value))

    return property(lambda self: WORDS[kind](self.parameterNode.GetParameter(name)), write)


def _node(name: str, kind: type) -> property:
    def write(self: Any, value: Any) -> None:
        if value is not None and not isinstance(value, kind):
            raise ValueError(f"{name} must be a {kind.__name__} or None")
        self.parameterNode.SetParameter(name, "")
        self.parameterNode.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    return property(lambda self: self.parameterNode.GetNodeReference(name), write)


def _nodes(name: str) -> property:
    def read(self: Any) -> list[Any]:
        count = int(self.parameterNode.GetParameter(name) or 0)
        return [self.parameterNode.GetNodeReference(f"{name}_{index}") for index in range(count)]

    def write(self: Any, values: list[Any]) -> None:
        for index in range(int(self.parameterNode.GetParameter(name) or 0)):
            self.parameterNode.RemoveNodeReferenceIDs(f"{name}_{index}")
        for index, value in enumerate(values):
            self.parameterNode.SetNodeReferenceID(f"{name}_{index}", value.GetID())
        self.parameterNode.SetParameter(name, str(len(values)))

    return property(read, write)


def _texts(name: str) -> property:
    return property(
        lambda self: json.loads(self.parameterNode.GetParameter(name) or "[]"),
        lambda self, values: self.parameterNode.SetParameter(name, json.dumps(list(values))),
    )
