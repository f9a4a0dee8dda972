"""The option by which a user says how deep the hips lie, of every engine that takes one front view of them."""

from __future__ import annotations

from mri2mesh.engines.options import Number

HIPS_TO_DETECTOR = Number(
    "hips_to_detector_mm",
    flag="hips-to-detector",
    label="Hips to detector",
    help="distance from the middle of the hip joints to the detector along the beam: one film alone does not show how "
    "deep the bones lie, and without it the whole result may be shifted along the beam",
    unit="mm",
    least=20,
    most=700,
)
