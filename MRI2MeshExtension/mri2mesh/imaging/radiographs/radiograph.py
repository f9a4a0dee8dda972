"""A radiograph: what it shows, which of it counts, and how it was projected."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.imaging.radiographs.xray_geometry import XrayGeometry

Scale = Literal["logarithmic", "display"]
Bone = Literal["dark", "bright"]
"""How a picture shows bone."""
OUTSIDE = frozenset({"intensifier", "collimator", "padding"})
"""Kinds of `Radiograph.unusable` that got no beam."""


@dataclass(frozen=True)
class Radiograph:
    """One projection, with larger values where more of the beam was absorbed, whatever the file does.

    pixels: [rows, columns] float32. scale says what the numbers are: ``"logarithmic"``, -log(I / I_max), the
    line integral of attenuation up to a constant (where the file says how its values follow the beam); or
    ``"display"``, 0 (least) to 1 (most absorbed) on an unknown, monotonic scale.
    geometry: every value of the projection with its origin.
    unusable: kind (``"intensifier"``, ``"collimator"``, ``"unexposed"``, ``"overlay"``, ``"metal"``,
    ``"padding"``) to a mask [rows, columns] of the pixels that must not be fitted because of it.
    metadata: ``modality``, ``body_part``, ``frame``, ``calibration`` (how the scale was measured): never
    patient identity, dates or paths.
    warnings: sentences for the user on what had to be assumed. polarity_given: whether somebody said how bone is shown.

    Raises ValueError when the shapes do not agree.
    """

    pixels: NDArray[np.float32]
    geometry: XrayGeometry
    scale: Scale
    unusable: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    polarity_given: bool = False

    def __post_init__(self) -> None:
        shape = self.geometry.size.value
        if self.pixels.shape != shape or any(mask.shape != shape for mask in self.unusable.values()):
            raise ValueError(f"the pixels, the masks and the geometry {shape} of a radiograph differ in size")

    @property
    def camera(self) -> XrayCamera:
        """The projection from patient RAS to pixels; its millimetres mean nothing unless `scale_known`."""
        return self.geometry.camera()

    @property
    def polarity_known(self) -> bool:
        """False where how bone is shown is only assumed: what an image shows may say otherwise."""
        return self.polarity_given or self.scale == "logarithmic"

    @property
    def scale_known(self) -> bool:
        """False where the pixel spacing is only assumed: results are marked "scale unknown"."""
        return self.geometry.scale_known

    @property
    def mask(self) -> NDArray[np.bool_]:
        """[rows, columns]; True where the pixel shows the patient and may be fitted."""
        usable = np.ones(self.pixels.shape, dtype=bool)
        for area in self.unusable.values():
            usable &= ~area
        return usable

    @property
    def exposed(self) -> NDArray[np.bool_]:
        """[rows, columns]; True in the field: not outside the circle of an intensifier, behind blades, or padding."""
        field = np.ones(self.pixels.shape, dtype=bool)
        for kind in OUTSIDE.intersection(self.unusable):
            field &= ~self.unusable[kind]
        return field

    @property
    def transmission(self) -> NDArray[np.float32]:
        """[rows, columns] in 0..1: the part of the beam that came through, up to the scale of a display."""
        if self.scale == "logarithmic":
            return np.exp(-self.pixels)
        return np.float32(1) - self.pixels

    def with_geometry(self, geometry: XrayGeometry) -> Radiograph:
        """The same image with another geometry, as after a calibration."""
        return replace(self, geometry=geometry)
