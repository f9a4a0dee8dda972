"""A list of stacks to choose from that tells its entries apart, without a word that may name the patient.

Series Description and Protocol Name are free text, in which names do stand: they are not shown. Shown are numbers and
words of a fixed list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mri2mesh.imaging.dicom.slices import DicomSlice
from mri2mesh.imaging.dicom.stacks import DicomStack, gaps_of
from mri2mesh.imaging.volumes.orientation import slice_plane

WORDS = {
    "ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "LOCALIZER", "AXIAL", "REFORMATTED", "MPR", "MIP", "MINIP",
    "PROJECTION", "IMAGE", "M", "P", "R", "I", "SE", "FFE", "IR", "TSE", "T1", "T2", "T2_STAR", "WATER", "FAT",
    "W", "F", "IP", "OP", "IN_PHASE", "OPP_PHASE", "OUT_PHASE", "ADC", "TRACEW", "DIFFUSION", "SUBTRACTION",
    "MAP", "NORM", "DIS2D", "DIS3D", "ND", "MOSAIC", "COMPOSED", "ADDED", "FILTERED", "RESAMPLED", "VOLUME",
    "NONE", "DIXON", "STIR", "COMPOSITE",
}  # fmt: skip
"""Values of Image Type (0008,0008), defined by DICOM or written by the manufacturers; others are not shown."""
SHOWN = {
    "Image Type": "",
    "Echo Number": "echo ",
    "Echo Time": "TE ",
    "Repetition Time": "TR ",
    "Inversion Time": "TI ",
    "Flip Angle": "flip angle ",
    "Diffusion b-value": "b ",
    "Temporal Position": "time point ",
    "Stack": "stack ",
    "Acquisition Number": "acquisition ",
    "Trigger Time": "trigger time ",
    "Scanning Sequence": "",
}
"""Name of a trait to the words before its value."""
ALWAYS = ("Repetition Time", "Echo Time")


def describe_stacks(stacks: Sequence[DicomStack]) -> list[str]:
    """One phrase per stack, no two the same: plane, number of slices and size first, then what tells them apart."""
    phrases = [_size(stack) for stack in stacks]
    traits = [_common_traits(stack) for stack in stacks]
    for name, words in SHOWN.items():
        values = [_shown(trait.get(name, "")) for trait in traits]
        if name in ALWAYS or len(set(values)) > 1:
            phrases = [
                f"{phrase}, {words}{value}" if value else phrase
                for phrase, value in zip(phrases, values, strict=True)
            ]
    more: list[tuple[str, Callable[[DicomSlice], object]]] = [
        ("modality", lambda one: one.modality if one.modality.isalpha() else ""),
        ("series number", lambda one: one.number),
        ("patient", lambda one: one.patient),
        ("study", lambda one: one.study),
        ("folder", lambda one: one.path.parent),
        ("file", lambda one: (one.path, one.frame)),
    ]
    for what, of in more:
        values_ = [of(stack.slices[0]) for stack in stacks]
        told_apart = len(set(phrases)) == len(phrases)
        if len(set(values_)) < 2 or (told_apart and what not in ("modality", "series number", "patient")):
            continue
        if what in (
            "patient",
            "study",
            "folder",
            "file",
        ):  # by its place in the order: the value may be a name
            order = sorted(set(values_), key=str)
            values_ = [order.index(value) + 1 for value in values_]
        elif what == "modality":
            what = ""
        phrases = [
            f"{phrase}, {what} {value}".replace(",  ", ", ")
            for phrase, value in zip(phrases, values_, strict=True)
        ]
    return phrases


def _size(stack: DicomStack) -> str:
    rows, columns = stack.slices[0].shape
    gaps = gaps_of(stack.slices)
    apart = f" every {float(sorted(gaps)[len(gaps) // 2]):.1f} mm" if len(gaps) else ""
    return f"{slice_plane(stack.normal)}, {len(stack.slices)} slices of {columns} x {rows}{apart}"


def _common_traits(stack: DicomStack) -> dict[str, str]:
    """Those of the first slice that all have."""
    first = stack.slices[0].traits
    return {
        name: value
        for name, value in first.items()
        if all(one.traits.get(name) == value for one in stack.slices)
    }


def _shown(value: str) -> str:
    """Numbers and known words only."""
    words = []
    for word in value.upper().split("\\"):
        try:
            float(word)
        except ValueError:
            if word not in WORDS:
                continue
        words.append(word)
    return " ".join(words) if len(value) < 200 else ""
