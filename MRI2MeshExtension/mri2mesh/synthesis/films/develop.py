"""From thickness maps to a film as it is looked at: attenuation, scatter, noise, processing, and what is laid over it.

All of it is cheap and random, so that a stored case gives another film every time it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, zoom

from mri2mesh.imaging.radiographs.brightness import standardised
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.overlays import burnt_in, collimated, metal_path
from mri2mesh.synthesis.films.texture import noise_field, trabeculae

_WATER_PER_MM = (0.0185, 0.0225)
"""Linear attenuation of soft tissue between 80 and 50 keV (NIST XCOM)."""


@dataclass(frozen=True)
class Appearance:
    """What may happen to a film. metal, overlays: probabilities of hardware; of text and of collimation.
    plain: no texture, no display processing, no overlays (for measuring)."""

    metal: float = 0.12
    text: float = 0.4
    collimation: float = 0.3
    plain: bool = False


def develop(
    case: FilmCase,
    rng: np.random.Generator,
    appearance: Appearance | None = None,
    hardware: Callable[[FilmCase, np.random.Generator], NDArray] = metal_path,
) -> NDArray[np.float32]:
    """[H, W] a film of the case, standardised; bones bright or dark, as it happens.

    hardware: [H, W] the attenuation of what may have been put into this region."""
    look = appearance or Appearance()
    spacing = case.camera.pixel_spacing_mm[0]
    attenuation = _attenuation(case, rng, look, hardware)
    image = _exposed(attenuation, spacing, rng)
    if not look.plain:
        image = _displayed(image, rng)
    if case.round_field or rng.random() < look.collimation:
        image = collimated(image, case.round_field, rng)
    if not look.plain and rng.random() < look.text:
        image = burnt_in(image, rng)
    if not look.plain and rng.random() < 0.3:
        image = -image
    return standardised(image)


def attenuation_image(case: FilmCase, rng: np.random.Generator) -> NDArray[np.float32]:
    """[H, W] minus the logarithm of the detector's counts, with trabecular texture, scatter and noise but without
    display processing, hardware and overlays: as a calibrated detector stores a film."""
    look = Appearance(metal=0.0)
    return _exposed(_attenuation(case, rng, look, metal_path), case.camera.pixel_spacing_mm[0], rng)


def displayed(image: NDArray) -> NDArray[np.float32]:
    """[H, W] in 0 .. 1: unsharp masking and an S-shaped display curve, as a viewing station exports a film."""
    low, high = np.percentile(image[::2, ::2], [1, 99])
    t = (image - low) / max(high - low, 1e-6)
    t = t + 1.0 * (t - _blurred(t, 20.0))
    return np.asarray(1 / (1 + np.exp(-6.0 * (t - 0.5))), dtype=np.float32)


def _attenuation(
    case: FilmCase,
    rng: np.random.Generator,
    look: Appearance,
    hardware: Callable[[FilmCase, np.random.Generator], NDArray],
) -> NDArray[np.float32]:
    cortex, marrow, tissue = (part.astype(np.float32) for part in (case.cortex, case.marrow, case.tissue))
    water = rng.uniform(*_WATER_PER_MM)
    total = tissue * water
    texture = 1.0 if look.plain else 1 + trabeculae(cortex.shape, case.camera.pixel_spacing_mm[0], rng)
    total += rng.uniform(0.024, 0.046) * cortex + rng.uniform(0.005, 0.014) * marrow * texture
    if not look.plain:
        total += water * tissue * 0.03 * noise_field(cortex.shape, rng, 40.0)
        if rng.random() < look.metal:
            total += hardware(case, rng)
    return np.asarray(total, dtype=np.float32)


def _exposed(attenuation: NDArray, spacing: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """The logarithm of what the detector counts: focal spot, scatter, photons."""
    primary = gaussian_filter(np.exp(-attenuation), rng.uniform(0.3, 1.0) / spacing)
    coarse = primary[::8, ::8]
    scatter = zoom(gaussian_filter(coarse, 35.0 / spacing / 8, mode="nearest"), 8, order=1)
    arrived = primary + rng.uniform(0.05, 1.5) * scatter
    photons = 10 ** rng.uniform(2.7, 4.5) * spacing**2
    expected = arrived * (photons / np.median(arrived))
    noise = rng.standard_normal(expected.shape, dtype=np.float32)
    counted = np.maximum(expected + np.sqrt(expected) * noise, 0.5)
    return np.asarray(-np.log(counted / np.percentile(counted, 99.5)), dtype=np.float32)


def _displayed(image: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """Window, curve and local contrast, as viewing stations and vendors' processing apply them."""
    low, high = np.percentile(image[::2, ::2], [rng.uniform(0, 12), rng.uniform(93, 100)])
    t = np.clip(
        (image - low) / max(high - low, 1e-6),
        0 if rng.random() < 0.6 else -0.5,
        1.0 if rng.random() < 0.6 else 1.5,
    )
    choice = rng.random()
    if choice < 0.35:
        t = np.sign(t) * np.abs(t) ** np.exp(rng.normal(0, 0.35))
    elif choice < 0.6:
        t = 1 / (1 + np.exp(-rng.uniform(3, 8) * (t - rng.uniform(0.35, 0.65))))
    elif choice < 0.75:
        t = np.exp(-t * rng.uniform(0.5, 2.5))  # transmitted intensity without a logarithm: bones dark
    if rng.random() < 0.65:  # the range between air and hips is pressed together, detail raised
        broad = _blurred(t, float(rng.uniform(8.0, 40.0)))
        t = rng.uniform(0.1, 0.9) * broad + rng.uniform(1.0, 2.5) * (t - broad)
    if rng.random() < 0.4:
        t = t + rng.uniform(0.2, 1.5) * (t - gaussian_filter(t, float(rng.uniform(1.0, 3.0))))
    if rng.random() < 0.3:
        rows, columns = np.linspace(-1, 1, t.shape[0])[:, None], np.linspace(-1, 1, t.shape[1])
        t = t + rng.normal(0, 0.08) * rows + rng.normal(0, 0.08) * columns  # heel effect
    return np.asarray(t, dtype=np.float32)


def _blurred(image: NDArray, sigma: float) -> NDArray[np.float32]:
    """A wide Gaussian, on every fourth pixel."""
    return np.asarray(
        zoom(gaussian_filter(image[::4, ::4], sigma / 4, mode="nearest"), 4, order=1), dtype=np.float32
    )
