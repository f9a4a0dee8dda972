"""The sample MRI that ships with the library; origin and licence in README.md beside it."""

from pathlib import Path

LUMBAR_T2 = Path(__file__).with_name("lumbar_t2.nii.gz")
"""A real lumbar T2-weighted MRI, 38 x 257 x 201 voxels at 1 mm, unlabelled."""
