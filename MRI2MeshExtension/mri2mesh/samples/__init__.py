"""The sample images that ship with the library; origin and licence in README.md beside them."""

from pathlib import Path

LUMBAR_T2 = Path(__file__).with_name("lumbar_t2.nii.gz")
"""A real lumbar T2-weighted MRI, 38 x 257 x 201 voxels at 1 mm, unlabelled."""

PELVIS_FRONT = Path(__file__).with_name("pelvis_front.dcm")
PELVIS_OBLIQUE = Path(__file__).with_name("pelvis_oblique.dcm")
"""Simulated radiographs of one pelvis, 320 x 320 pixels, 35 degrees apart, with the geometry in their tags."""
