"""Structures in Slicer's terms: SNOMED CT codes as the text that models and segments carry."""

from __future__ import annotations

from functools import cache

import slicer

from mri2mesh.anatomy.structures import LATERALITY, Structure

ANATOMICAL_STRUCTURE = ("123037004", "SCT", "Anatomical Structure")
"""SNOMED CT: the category of every structure."""
_NOTHING = ("", "", "")


@cache
def terminology_of(structure: Structure) -> str:
    """Slicer's text for a coded anatomical structure, its side as modifier."""
    side = LATERALITY[structure.side] if structure.side else None
    return str(
        slicer.vtkSlicerTerminologiesModuleLogic.SerializeTerminologyEntry(
            "Segmentation category and type - 3D Slicer General Anatomy list",
            *ANATOMICAL_STRUCTURE,
            *(structure.code, "SCT", structure.meaning),
            *((side[0], "SCT", side[1]) if side else _NOTHING),
            "Anatomic codes - DICOM master list",
            *_NOTHING,
            *_NOTHING,
        )
    )


def terminology_tag() -> str:
    """Name of the segment tag, and of the node attribute, that holds it."""
    return str(slicer.vtkSegment.GetTerminologyEntryTagName())
