"""Results beside a segmentation look as its segments do: the same colours, the same terminology."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mri2mesh_slicer.labels.segments import is_segmentation, segments_of, tag_of
from mri2mesh_slicer.runs.runs import STRUCTURE
from mri2mesh_slicer.runs.terminology import terminology_tag


def look_alike(node: Any, models: Sequence[Any], segmentation: Any) -> None:
    """Gives models and segments of a run the colour and the terminology of the segment that each was made from; node:
    the run's input. What was made from a segment for both sides, or from several, keeps its own."""
    if not is_segmentation(node):
        return
    source = node.GetSegmentation()
    made_from: dict[str, list[Any]] = {}
    for row in segments_of(node):
        made_from.setdefault(row.taken_for, []).append(source.GetSegment(row.identity))
    results = segmentation.GetSegmentation()
    of_structure = {
        tag_of(segment, STRUCTURE): segment
        for segment in (results.GetNthSegment(n) for n in range(results.GetNumberOfSegments()))
    }
    for model in models:
        name = model.GetAttribute(STRUCTURE)
        if len(made_from.get(name, [])) != 1:
            continue
        (segment,) = made_from[name]
        model.GetDisplayNode().SetColor(segment.GetColor())
        of_structure[name].SetColor(segment.GetColor())
        terminology = tag_of(segment, terminology_tag())
        if terminology:
            model.SetAttribute(terminology_tag(), terminology)
            of_structure[name].SetTag(terminology_tag(), terminology)
