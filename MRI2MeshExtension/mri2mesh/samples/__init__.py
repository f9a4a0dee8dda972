"""The sample images that ship with the library; origin and licence in README.md beside them."""

from pathlib import Path

LUMBAR_T2 = Path(__file__).with_name("lumbar_t2.nii.gz")
"""A real lumbar T2-weighted MRI, 38 x 257 x 201 voxels at 1 mm, unlabelled; the sacrum is not in view."""
LUMBAR_T2_LEVEL = "T10@10.7,-61.2,-336.5"
"""A vertebra that is known in it: its publishers' tutorial labels the disc above this body, at voxel (27, 76, 187),
T9-T10, and the conus at voxel (27, 79, 80), which then lies in L1."""

PELVIS_FRONT = Path(__file__).with_name("pelvis_front.dcm")
PELVIS_OBLIQUE = Path(__file__).with_name("pelvis_oblique.dcm")
"""Simulated radiographs of one pelvis, 320 x 320 pixels, 35 degrees apart, with the geometry in their tags."""

HIPS_FRONT = Path(__file__).with_name("hips_front.dcm")
"""A simulated radiograph of hips, sacrum, femora and lower spine from the front, 320 x 320 pixels, on a table, with the
distances in its tags."""

LUMBAR_FRONT = Path(__file__).with_name("lumbar_front.dcm")
"""A simulated radiograph of the lumbar spine from the front, T12 to the sacrum, 320 x 320 pixels, on a table, with the
distances in its tags."""
