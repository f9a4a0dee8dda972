"""What an image in the scene is, in one sentence, without reading its voxels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from slicer.i18n import tr as _

from mri2mesh.engines.segmentation.numbering.presets import NOTHING
from mri2mesh.errors import InputError
from mri2mesh.imaging.radiographs.xray_geometry import WORDS, Origin
from mri2mesh.imaging.volumes.recognise import describe
from mri2mesh_slicer.inputs import is_radiograph, volume_of
from mri2mesh_slicer.labels.segments import is_label_map, is_segmentation, segments_of
from mri2mesh_slicer.radiographs.geometry_of_nodes import RECOGNISED, geometry_of, image_size

Kind = Literal["volume", "radiographs", "labels"]


def kind_of_node(node: Any) -> Kind | None:
    """None for no node, or one without image."""
    if is_segmentation(node):
        return "labels"
    if node is None or node.GetImageData() is None:
        return None
    if is_label_map(node):
        return "labels"
    return "radiographs" if is_radiograph(node) else "volume"


def sentence_of(node: Any) -> str:
    """What was recognised, or what to do."""
    kind = kind_of_node(node)
    if node is None:
        return _(
            "Choose a lumbar MRI, a radiograph, or a segmentation. To try it: Sample Data module, category MRI2Mesh."
        )
    if kind is None:
        return _("This node holds no image: choose another.")
    if kind == "radiographs":
        rows, columns = image_size(node)
        sentence = node.GetAttribute(RECOGNISED)
        sentence = sentence or _("Radiograph, {columns} x {rows} pixels.").format(columns=columns, rows=rows)
        return sentence + _given_since(geometry_of(node).origins, sentence)
    if kind == "labels":
        return _sentence_of_labels(node)
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


def _sentence_of_labels(node: Any) -> str:
    try:
        rows = segments_of(node)
    except InputError as error:
        return _("This label map cannot be used: {why}").format(why=error)
    known = sum(row.taken_for != NOTHING for row in rows)
    return _("Segmentation with {count} segments, {known} of them bones that there are templates of.").format(
        count=len(rows), known=known
    )


def _given_since(origins: Mapping[str, Origin], sentence: str) -> str:
    """What is not in the file's tags: a reading never gives values of the user."""
    since = ["user"] if "calibrated" in sentence else ["user", "calibrated"]
    names = [WORDS[name] for name, origin in origins.items() if origin in since]
    return " " + _("Given or calibrated since: {names}.").format(names=", ".join(names)) if names else ""
