"""What an image in the scene is, in one sentence, without reading its voxels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from slicer.i18n import tr as _

from mri2mesh.imaging.radiographs.xray_geometry import WORDS, Origin
from mri2mesh.imaging.volumes.recognise import describe
from mri2mesh_slicer.inputs import is_radiograph, volume_of
from mri2mesh_slicer.radiographs.geometry_of_nodes import RECOGNISED, geometry_of, image_size

Kind = Literal["volume", "radiographs"]


def kind_of_node(node: Any) -> Kind | None:
    """None for no node, or one without image."""
    if node is None or node.GetImageData() is None:
        return None
    return "radiographs" if is_radiograph(node) else "volume"


def sentence_of(node: Any) -> str:
    """What was recognised, or what to do."""
    kind = kind_of_node(node)
    if node is None:
        return _("Choose a lumbar MRI, or a radiograph. To try it: Sample Data module, category MRI2Mesh.")
    if kind is None:
        return _("This node holds no image: choose another.")
    if kind == "radiographs":
        rows, columns = image_size(node)
        sentence = node.GetAttribute(RECOGNISED)
        sentence = sentence or _("Radiograph, {columns} x {rows} pixels.").format(columns=columns, rows=rows)
        return sentence + _given_since(geometry_of(node).origins, sentence)
    columns, rows, slices = node.GetImageData().GetDimensions()
    parent = node.GetParentTransformNode()
    moved = _(", moved by {name}").format(name=parent.GetName()) if parent is not None else ""
    try:
        what = describe(volume_of(node))
    except ValueError as error:
        return _("This image cannot be used: {why}").format(why=error)
    return _("Volume of {columns} x {rows} x {slices}: {what}{moved}.").format(
        columns=columns, rows=rows, slices=slices, what=what, moved=moved
    )


def _given_since(origins: Mapping[str, Origin], sentence: str) -> str:
    """What is not in the file's tags: a reading never gives values of the user."""
    since = ["user"] if "calibrated" in sentence else ["user", "calibrated"]
    names = [WORDS[name] for name, origin in origins.items() if origin in since]
    return " " + _("Given or calibrated since: {names}.").format(names=", ".join(names)) if names else ""
