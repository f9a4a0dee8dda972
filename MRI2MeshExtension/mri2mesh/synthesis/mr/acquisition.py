"""From signal to scan: coil, motion, resolution, noise; the result is read back onto the fine grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mri2mesh.synthesis.mr.fields import apply_separable, linear_matrix, smooth_field
from mri2mesh.synthesis.mr.slices import AxisSampling, Protocol, random_protocol, samplings

Image = NDArray[np.float32]
Seen = NDArray[np.bool_]


def acquire(
    signal: Image, rng: np.random.Generator, spine_jk: NDArray, protocol: Protocol | None = None
) -> tuple[Image, tuple[Seen, Seen, Seen], dict[str, object]]:
    """The signal [K, J, I] (1 mm grid) as a random scan would show it, on the same grid.

    Returns the image, which voxels along k, j and i the scan covers (the image is 0 elsewhere), and what was
    done in words.

    spine_jk: [2] slope and intercept of the line j = slope * k + intercept through the vertebral bodies, for
    the surface coil behind and the saturation band in front. The scan is sampled with its own voxels and
    profile; artefacts and noise are added there; then it is interpolated linearly onto the grid, as a
    reader would do.
    """
    protocol = protocol or random_protocol(rng)
    cover = float(rng.uniform(0.8, 1.0)) if rng.random() < 0.2 else 1.0
    axes = samplings(protocol, signal.shape, rng, cover)
    matrices = [axis.matrix(n) for axis, n in zip(axes, signal.shape, strict=True)]
    scan = np.abs(apply_separable(signal, (matrices[0], matrices[1], matrices[2])))  # opposed phase is signed
    k, j = (axis.centres for axis in axes[:2])
    forward = (j[None, :] - spine_jk[0] * k[:, None] - spine_jk[1])[:, :, None]  # + anterior
    forward = forward.astype(np.float32)

    done: dict[str, object] = {"protocol": protocol.name, "cover": round(cover, 2)}
    if rng.random() < 0.35:
        scan *= _saturation_band(forward, rng)
        done["saturation"] = True
    if rng.random() < 0.4:
        scan, ghosts = _ghosting(scan, forward, protocol.axis, rng)
        done["ghosting"] = ghosts
    if rng.random() < 0.3:
        scan = _truncated_spectrum(scan, protocol.axis, rng)
        done["gibbs"] = True
    if rng.random() < 0.08:
        scan = _fold_over(scan, protocol.axis, rng)
        done["fold-over"] = True
    sensitivity = _coil(axes, forward, rng)
    scan *= sensitivity
    sigma = float(np.exp(rng.uniform(np.log(0.008), np.log(0.1)))) * _at_spine(sensitivity, forward)
    scan = _rician(scan, sigma, rng)
    if rng.random() < 0.5:  # the scanner's own intensity correction, which amplifies noise far from the coil
        scan /= sensitivity ** rng.uniform(0.3, 1.0)
    if rng.random() < 0.3:
        scan *= _per_slice(scan.shape, protocol.axis, rng)
    if rng.random() < 0.35:
        scan = _edge_enhanced(scan, protocol.axis, rng)
    if rng.random() < 0.2:
        scan[scan < np.quantile(scan, 0.5) * rng.uniform(0, 0.2)] = 0
    done["noise"] = round(sigma, 4)

    backs = [axis.back(n) for axis, n in zip(axes, signal.shape, strict=True)]
    seen_k, seen_j, seen_i = (back.sum(axis=1) > 0 for back in backs)
    return finish(apply_separable(scan, (backs[0], backs[1], backs[2])), rng), (seen_k, seen_j, seen_i), done


def finish(image: Image, rng: np.random.Generator) -> Image:
    """Scale so that the 99.5th percentile is 1, then a random gamma and clip; values within 0 .. 1.5."""
    sample = image[::3, ::3, ::3]
    present = sample[sample > 0]
    top = float(np.percentile(present, 99.5)) if present.size else 1.0
    np.multiply(image, 1 / max(top, 1e-6), out=image)
    np.clip(image, 0, float(rng.uniform(1.0, 1.5)) if rng.random() < 0.5 else 1.5, out=image)
    if rng.random() < 0.4:
        np.power(image, np.float32(np.exp(rng.normal(0, 0.25))), out=image)
        np.minimum(image, 1.5, out=image)
    return image


def _saturation_band(forward: Image, rng: np.random.Generator) -> Image:
    """Signal left in front of the spine, where a slab was saturated to keep breathing out of the image."""
    start, edge = rng.uniform(22, 60), rng.uniform(2, 8)
    left = rng.uniform(0.03, 0.5)
    return (1 - (1 - left) / (1 + np.exp(-(forward - start) / edge))).astype(np.float32)


def _coil(axes: list[AxisSampling], forward: Image, rng: np.random.Generator) -> Image:
    """Receive sensitivity: elements of a spine coil behind the patient, and a smooth bias over everything."""
    shape = tuple(len(axis.centres) for axis in axes)
    bias = np.exp(rng.uniform(0.02, 0.35) * smooth_field(rng, (8, 8, 6), (6.0, 6.0, 6.0)))
    steps = [(n - 1) / (m - 1) for n, m in zip(shape, bias.shape, strict=True)]
    bias = _stretch(bias, shape, steps)
    if rng.random() < 0.25:
        return bias
    reach, behind = rng.uniform(70, 240), rng.uniform(60, 100)
    distance = np.maximum(forward + behind, 0.0) / np.float32(reach)
    fall = 1 / (1 + distance**2) ** np.float32(rng.uniform(0.75, 1.25))
    z, pitch = axes[0].centres, rng.uniform(80, 140)
    ripple = 1 + rng.uniform(0, 0.2) * np.cos(2 * np.pi * (z - rng.uniform(0, pitch)) / pitch)
    low, high = np.array([0, axes[0].centres[-1]]) + rng.uniform(-80, 40, 2) * np.array([1, -1])
    ends = 1 / ((1 + np.exp(-(z - low) / 15)) * (1 + np.exp((z - high) / 15)))
    along = (ripple * (0.25 + 0.75 * ends)).astype(np.float32)
    return bias * fall.astype(np.float32) * along[:, None, None]


def _at_spine(sensitivity: Image, forward: Image) -> float:
    """Typical sensitivity at the vertebral bodies: noise is drawn relative to the signal that matters."""
    near = np.broadcast_to(np.abs(forward) < 15, sensitivity.shape)
    return float(np.median(sensitivity[near])) if near.any() else float(np.median(sensitivity))


def _stretch(values: NDArray, shape: tuple[int, ...], steps: list[float]) -> Image:
    k, j, i = (linear_matrix(np.arange(n) / s, m) for n, s, m in zip(shape, steps, values.shape, strict=True))
    return apply_separable(values, (k, j, i))


def _in_plane_axis(slice_axis: int, rng: np.random.Generator) -> int:
    return int(rng.choice([axis for axis in range(3) if axis != slice_axis]))


def _ghosting(scan: Image, forward: Image, slice_axis: int, rng: np.random.Generator) -> tuple[Image, str]:
    """Copies of the moving front of the body, displaced along the phase-encoding direction."""
    axis = _in_plane_axis(slice_axis, rng)
    front = 1 / (1 + np.exp(-(forward - rng.uniform(-20, 50)) / 5))
    moving = scan * front.astype(np.float32)
    strength = rng.uniform(0.03, 0.3)
    shift = max(4, int(rng.uniform(0.05, 0.3) * scan.shape[axis]))
    result = scan.copy()
    for order in (-2, -1, 1, 2):
        share = np.float32(strength / abs(order) * rng.uniform(-1, 1))
        result += share * np.roll(moving, order * shift, axis=axis)
    return np.abs(result, out=result), ("SI" if axis == 0 else "AP" if axis == 1 else "LR")


def _truncated_spectrum(scan: Image, slice_axis: int, rng: np.random.Generator) -> Image:
    """Fewer phase-encoding steps along one in-plane axis: blur with mild Gibbs ringing."""
    axis = _in_plane_axis(slice_axis, rng)
    n = scan.shape[axis]
    kept = rng.uniform(0.55, 0.9)
    frequency = np.abs(np.fft.rfftfreq(n)) / 0.5
    window = np.clip((kept - frequency) / 0.08 + 0.5, 0, 1)
    kernel = np.fft.irfft(window, n)
    matrix = np.stack([np.roll(kernel, m) for m in range(n)]).astype(np.float32)
    matrices = tuple(matrix if a == axis else None for a in range(3))
    return np.maximum(apply_separable(scan, matrices), 0)  # type: ignore[arg-type]


def _edge_enhanced(scan: Image, slice_axis: int, rng: np.random.Generator) -> Image:
    """Unsharp masking in the plane of the slices: the edge filter of many scanners."""
    sigma, amount = rng.uniform(0.8, 2.5), np.float32(rng.uniform(0.2, 0.9))
    kernels = []
    for axis, n in enumerate(scan.shape):
        distance = np.arange(n)[:, None] - np.arange(n)[None, :]
        kernel = np.exp(-0.5 * (distance / sigma) ** 2)
        kernels.append(
            None if axis == slice_axis else (kernel / kernel.sum(1, keepdims=True)).astype(np.float32)
        )
    blurred = apply_separable(scan, (kernels[0], kernels[1], kernels[2]))
    return np.maximum(scan + amount * (scan - blurred), 0)


def _fold_over(scan: Image, slice_axis: int, rng: np.random.Generator) -> Image:
    """Anatomy from beyond one end of the box, folded onto the other end (here: the mirrored end itself)."""
    axis = _in_plane_axis(slice_axis, rng)
    n = scan.shape[axis]
    width = max(2, int(n * rng.uniform(0.05, 0.2)))
    weight = (rng.uniform(0.3, 1.0) * np.linspace(1, 0.2, width)).astype(np.float32)
    near = np.moveaxis(scan, axis, -1)
    far = near[..., : n - width - 1 : -1].copy()
    near[..., :width] += weight * far
    return scan


def _rician(scan: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Magnitude of the signal with Gaussian noise in both channels."""
    real = scan + np.float32(sigma) * rng.standard_normal(scan.shape, dtype=np.float32)
    imaginary = np.float32(sigma) * rng.standard_normal(scan.shape, dtype=np.float32)
    return np.hypot(real, imaginary)


def _per_slice(shape: tuple[int, ...], axis: int, rng: np.random.Generator) -> Image:
    """Gain of each slice: cross-talk of interleaved slices and drift."""
    gain = 1 + rng.uniform(0, 0.06) * rng.standard_normal(shape[axis])
    gain[::2] *= rng.uniform(0.93, 1.0)
    return gain.astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
