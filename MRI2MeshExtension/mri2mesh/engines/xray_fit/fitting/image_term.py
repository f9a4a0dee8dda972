"""How well a shape's shadow explains a radiograph: a least-squares residual with its Jacobian.

A radiograph is, after the logarithm, attenuation times thickness of bone, plus soft tissue, which varies slowly. So
both sides are band-passed, and the bone's contrast, which scatter and display processing change from place to place,
is solved for at every evaluation (variable projection: Golub and Pereyra 1973). What is left is the residual. With the
contrast solved for, the least sum of squares is |observed|^2 (1 - NCC^2): it is the normalised correlation, of the
images or, with `gradients`, of their gradients, made additive over places.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from mri2mesh.engines.xray_fit.fitting.box import Box
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.filters import BandPass, smooth_gains
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.parts import AGREES, agreement_of_parts
from mri2mesh.engines.xray_fit.fitting.robust import huber, huber_weight, least_squares, solution
from mri2mesh.engines.xray_fit.fitting.yardstick import Yardstick
from mri2mesh.geometry.xray_camera import XrayCamera
from mri2mesh.rendering.projective import ProjectiveCameras
from mri2mesh.rendering.thickness import ray_thickness, thickness_tangents

IMAGE_NOISE = 5.0
"""Factor by which an image weighs less than if its residuals were random: what a model leaves of an image lies along
whole outlines and pulls one way. It lies between what some ten simulated films of left-out subjects ask for, so that
errors are of the stated size: 1 to 5 for femora, 3 to 5 for pelvises in one view."""

EARLY_NOISE = 10.0
"""The same factor at first. To weigh images so much less helps while the shape is far from its place; to the end it
makes fits of two views worse."""

EVEN_MM, EVEN_FLOOR = 12.0, 0.1
"""Over what distance at the patient the detail around a pixel is measured; the share of the usual below which there is
only noise."""

NEAR = 0.1
"""Fraction of the strongest detail of a bone's shadow: where there is less, the shadow says little."""

AT_ONCE = 1 << 20
"""Pixels times steps of a Jacobian that are rendered and filtered together."""


@dataclass(frozen=True)
class Observation:
    """One view at one resolution. image: [H, W], larger where more was absorbed. mask: [H, W], True where it is
    usable. near: [H, W], True near the bone that is wanted, where its place is known: only there is it counted how well
    the image is explained, the rest is other bones', skin's and air's affair; None for everywhere."""

    camera: XrayCamera
    image: NDArray[np.float32]
    mask: NDArray[np.bool_]
    near: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class ImageSettings:
    """fine_px: blur of both sides, which hides pixels. coarse_mm: detail larger than this, at the patient, is soft
    tissue. lattice: contrast varies on a lattice x lattice grid. correlation_mm: what the model cannot explain is alike
    over this distance at the patient, so that this square is one measurement. noise: variance of such a measurement,
    as a multiple of what it were if all residuals were random, see `IMAGE_NOISE`. spongy: attenuation of spongy bone
    as a share of the cortex's, both above soft tissue's; 1 for solid bones. gradients: compare gradients.
    window_mm: only pixels inside the bone's shadow and so far around it, at the patient, count: other bones, skin and
    air elsewhere are not its affair; 0 for the whole image. even: detail is measured by how much of it there is nearby,
    so that a bone's faint edges in thick tissue weigh as much as the skin's."""

    fine_px: float = 0.7
    coarse_mm: float = 20.0
    lattice: int = 4
    correlation_mm: float = 15.0
    noise: float = IMAGE_NOISE
    spongy: float = 1.0
    gradients: bool = False
    window_mm: float = 0.0
    even: bool = False

    def tempered(self) -> ImageSettings:
        """The noise taken into the weights, more of it than in the end: so many fewer measurements."""
        return replace(self, correlation_mm=self.correlation_mm * EARLY_NOISE**0.5, noise=1.0)


@dataclass(frozen=True)
class Linearised:
    """Of B candidates: cost [B]; precision [B, K, K] and slope [B, K], the normal equations of its view."""

    cost: Tensor
    precision: Tensor
    slope: Tensor


class ImageTerm:
    """The residual of one view. depth_mm: about how far from the source the patient is. beside: [1, L, H, W] mm, layers
    as of `SurfaceFamily.layers`, of other bones in the picture, whose shadow adds to this one's."""

    def __init__(
        self,
        seen: Observation,
        view: int,
        family: SurfaceFamily,
        settings: ImageSettings,
        depth_mm: float,
        beside: Tensor | None = None,
    ) -> None:
        device = family.mean.device
        self.view, self.family, self.settings = view, family, settings
        self.noise = settings.noise
        self.camera = seen.camera
        self.cameras = ProjectiveCameras.of([seen.camera])
        at_patient = seen.camera.pixel_spacing_mm[0] * depth_mm / seen.camera.source_to_detector_mm
        self.pixel_mm = at_patient
        mask = torch.from_numpy(seen.mask).to(device)
        self.filter = BandPass(
            mask, settings.fine_px, max(settings.coarse_mm / at_patient, 2 * settings.fine_px)
        )
        self.gains = smooth_gains(seen.camera.size, settings.lattice).to(device)
        self.pixels_per_measurement = max(1.0, (settings.correlation_mm / at_patient) ** 2)
        self.beside = None if beside is None else self._attenuating(beside)
        self.reach_px = max(1, round(settings.window_mm / at_patient)) if settings.window_mm > 0 else 0
        counted = seen.mask if seen.near is None else seen.mask & seen.near
        self.inside = torch.from_numpy(counted).to(device).flatten()
        if settings.gradients:
            self.inside = torch.cat([self.inside, self.inside])
        self.even: Tensor | None = None
        image = torch.from_numpy(seen.image).float().to(device)[None, ..., None]
        if settings.even:
            self.even = self._evenness(image, seen.mask, EVEN_MM / at_patient)
        self.observed = self._compared(image)[..., 0]
        spread = self.observed[:, self.inside].double()
        self.least_spread = 1e-3 * float(spread.square().mean().sqrt()) + 1e-9

    def cost(self, at: Parameters, yardstick: Yardstick | None = None) -> Tensor:
        """[B] robust cost in units of measurements, by default by the residual's own yardstick."""
        layers = self._layers(self._seen(at))
        window = self._window(layers) if yardstick is None else yardstick.window
        residual, _, _ = self._residual(layers, window)
        return self._robust(residual, yardstick or Yardstick(self.spread(residual, window), window))

    def rank_cost(self, at: Parameters) -> Tensor:
        """[B] by which candidates are compared that lie in different places.

        Of the whole image: the cost of each by the least spread of all, for with its own a bad candidate's residuals
        look as usual as a good one's. Of windows, which show different content: the logarithm of the share of it that
        each leaves unexplained, times half of how many measurements a window has on average; with a variance of the
        noise that is not known, that is the negative logarithm of a Gaussian likelihood.
        """
        layers = self._layers(self._seen(at))
        window = self._window(layers)
        residual, _, _ = self._residual(layers, window)
        if window is None:
            return self._robust(residual, Yardstick(self.spread(residual)).common())
        observed = self.observed[:, self.inside].double().expand_as(residual)
        spread = self.spread(observed, window)[:, None]
        left, there = ((window * huber(part, spread)).sum(1) for part in (residual, observed))
        count = window.double().sum(1).mean() / self.pixels_per_measurement
        return 0.5 * count * (left / there.clamp_min(1e-12)).clamp_min(1e-6).log()

    def spread(self, residual: Tensor, window: Tensor | None = None) -> Tensor:
        """[B] robust standard deviation of the residual [B, m] where it counts."""
        size = residual.abs()
        if window is None:
            middle = size.median(1).values
        else:
            middle = torch.stack(
                [
                    one[counts > 0].median() if bool((counts > 0).any()) else one.median()
                    for one, counts in zip(size, window, strict=True)
                ]
            )
        return (1.4826 * middle).clamp_min(self.least_spread)

    def linearise(self, at: Parameters, n_shape: int | None = None) -> tuple[Linearised, Yardstick]:
        """The normal equations by the steps of `Parameters.directions` (of the first ``n_shape`` modes, by default of
        all), and the yardstick that they were measured by."""
        vertices = at.vertices(self.family)
        layers = self._layers(at.seen(vertices, self.view))
        window = self._window(layers)
        residual, contrast, columns = self._residual(layers, window)
        spread = self.spread(residual, window)
        weight = huber_weight(residual, spread[:, None])
        weight = weight if window is None else weight * window

        right = residual * weight.sqrt()
        columns = columns * weight.sqrt().float()[..., None]
        box = Box.around(layers[:, 0] > 0, self.filter.reach, self.filter.block)
        jacobian = self._jacobian(at, vertices, layers, contrast, box, n_shape)
        jacobian *= self._over(box, weight.sqrt())[..., None]
        # What the contrast can explain is no freedom of the bone's: less the columns times what they solve. Its square
        # is made from small products, for the columns fill the whole image and the Jacobian the box alone.
        shared = (self._over(box, columns).mT @ jacobian).double()
        gram = (columns.mT @ columns).double()
        solved = solution(gram, shared)
        cross = shared.mT @ solved
        inner = (jacobian.mT @ jacobian).double() - cross - cross.mT + solved.mT @ gram @ solved
        in_box = self._over(box, right)[..., None]
        pull = (columns.mT @ right.float()[..., None]).double()
        outer = (jacobian.mT @ in_box).double() - solved.mT @ pull
        scale = 1 / (spread**2 * self.pixels_per_measurement)
        precision = (inner + inner.mT) / 2 * scale[:, None, None]
        slope = outer[..., 0] * scale[:, None]
        yardstick = Yardstick(spread, window)
        return Linearised(self._robust(residual, yardstick), precision, slope), yardstick

    def _jacobian(
        self,
        at: Parameters,
        vertices: Tensor,
        layers: Tensor,
        contrast: Tensor,
        box: Box,
        n_shape: int | None,
    ) -> Tensor:
        """[B, m, P] how what is compared, in a box, changes with each step. Made of some steps at a time: temporaries
        of many are so large that the system is asked for each anew, which takes as long as to fill it."""
        directions = at.directions(self.family, vertices, self.view, n_shape)
        seen, solid = at.seen(vertices, self.view), self.settings.spongy == 1
        surfaces = self.family.surfaces if solid else self.family.layers
        seen = seen if solid else self.family.with_cortex(seen)
        cameras = ProjectiveCameras.of([box.camera(self.camera)])
        gain = box.of(torch.einsum("hwg,bg->bhw", self.gains, contrast.float()))
        inside = box.of(layers)
        hollow = None if solid else (inside[:, 1] > 0) & (inside[:, 1] < inside[:, 0])
        band_pass = self.filter.within(box)
        even = None if self.even is None else self.even[box.rows, box.columns]
        rows, columns = box.size
        parts = 2 if self.settings.gradients else 1
        result = directions.new_empty(len(at), parts * rows * columns, directions.shape[1])
        some = max(4, AT_ONCE // (rows * columns * len(at)))
        for first in range(0, directions.shape[1], some):
            moved = directions[:, first : first + some]
            if hollow is None:
                change = thickness_tangents(seen, moved, surfaces, cameras)[:, 0, 0]
            else:
                both = torch.cat([moved, moved], 2)
                change, inner = thickness_tangents(seen, both, surfaces, cameras)[:, 0].unbind(1)
                change = change - ((1 - self.settings.spongy) * hollow)[..., None] * inner
            change = change * gain[..., None]
            result[:, :, first : first + some] = self._compared(change, band_pass, even)
        return result

    def _over(self, box: Box, values: Tensor) -> Tensor:
        """[B, m, ...] float32 in a box, zero outside the mask, of values [B, n, ...] where the mask counts."""
        parts = 2 if self.settings.gradients else 1
        rest = values.shape[2:]
        whole = self.observed.new_zeros(len(values), len(self.inside), *rest)
        whole[:, self.inside] = values.to(whole)
        whole = whole.view(len(values), parts, *self.filter.mask.shape, *rest)
        return whole[:, :, box.rows, box.columns].flatten(1, 3)

    def agreement(self, at: Parameters) -> Tensor:
        """[B] correlation of what is seen with what the fit predicts there, after contrast: 1 is all explained."""
        residual, _, _ = self._residual(self._layers(self._seen(at)), None)
        observed = self.observed[:, self.inside].double()
        left = residual.square().sum(1) / observed.square().sum(1).clamp_min(1e-12)
        return (1 - left).clamp_min(0.0).sqrt()

    def agreement_near(self, at: Parameters) -> Tensor:
        """[B] as `agreement`, but only where the bone's own shadow has detail: what else the image shows, as the edges
        of the body, does not count."""
        layers = self._layers(self._seen(at))
        window = self._window(layers)
        residual, contrast, _ = self._residual(layers, window)
        own = self._compared(self._attenuating(layers)[..., None] * self.gains)[:, self.inside]
        detail = (own @ contrast[..., None].to(own))[..., 0].abs()
        near = detail > NEAR * detail.amax(1, keepdim=True)
        if window is not None:
            near &= window > 0
        observed = self.observed[:, self.inside].double()
        left = (residual.square() * near).sum(1) / (observed.square() * near).sum(1).clamp_min(1e-12)
        return (1 - left).clamp_min(0.0).sqrt()

    def not_seen(self, at: Parameters) -> float:
        """Of what the first candidate's shadow should show, the share in parts that the image does not agree with."""
        agreed, share = agreement_of_parts(*self.own_and_left(at), self.pixel_mm)
        return float(share[agreed < AGREES].sum())

    def own_and_left(self, at: Parameters) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """[C, H, W] of what is compared, zero outside the mask: what the first candidate's own shadow would show with
        one contrast everywhere, and what is left for it of the radiograph, without what is beside it."""
        layers = self._layers(self._seen(at))
        residual, contrast, _ = self._residual(layers, None)
        bone = self._attenuating(layers)
        mine = self._compared(bone[..., None] * self.gains)[:, self.inside]
        mine = (mine @ contrast[..., None].to(mine))[..., 0]
        plain = self._compared(bone[..., None])[:, self.inside, 0]
        both = mine.new_zeros(2, len(self.inside))
        both[:, self.inside] = torch.stack([plain[0], residual[0].to(mine) + mine[0]])
        images = both.view(2, -1, *self.filter.mask.shape).cpu().numpy()
        return images[0], images[1]

    def _seen(self, at: Parameters) -> Tensor:
        """[B, V, 3] the surface as this view's given geometry shows it."""
        return at.seen(at.vertices(self.family), self.view)

    def _layers(self, seen: Tensor) -> Tensor:
        """[B, 2, H, W] mm in the whole bones and inside their cortex, or [B, 1, H, W] where they are solid."""
        if self.settings.spongy == 1:
            return ray_thickness(seen, self.family.surfaces, self.cameras)[:, 0].float()
        seen = self.family.with_cortex(seen)
        return ray_thickness(seen, self.family.layers, self.cameras)[:, 0].float()

    def _compared(
        self, images: Tensor, band_pass: BandPass | None = None, even: Tensor | None = None
    ) -> Tensor:
        """[B, m, P] of images [B, H, W, P]: band-passed, and their gradients where those are compared. band_pass, even:
        of a part of the image."""
        images = (band_pass or self.filter)(images)
        even = self.even if even is None else even
        if not self.settings.gradients:
            parts = [images]
        else:
            parts = list(torch.gradient(images, dim=(1, 2)))
        if even is not None:
            parts = [part * even for part in parts]
        return torch.cat([part.flatten(1, 2) for part in parts], 1)

    def _evenness(self, image: Tensor, mask: NDArray[np.bool_], width_px: float) -> Tensor:
        """[H, W, 1] one over how strong the image's detail is around each pixel, root mean square."""
        energy = self._compared(image).double().square().view(-1, *mask.shape).sum(0).cpu().numpy()
        inside = gaussian_filter(mask.astype(np.float32), width_px)
        local = gaussian_filter(energy * mask, width_px) / np.maximum(inside, 1e-3)
        usual = float(np.median(local[mask]))
        strength = np.sqrt(local + EVEN_FLOOR * usual + 1e-12)
        # pixels whose squares overflow have no strength that could be told from another
        even = np.nan_to_num(np.divide(usual**0.5, strength), nan=0.0, posinf=0.0)
        return torch.from_numpy(even.astype(np.float32)).to(image)[..., None]

    def _attenuating(self, layers: Tensor) -> Tensor:
        """[B, H, W] mm of cortex that would absorb as much."""
        bone = layers[:, 0]
        if self.settings.spongy != 1 and layers.shape[1] > 1:
            bone = bone - (1 - self.settings.spongy) * torch.minimum(layers[:, 1].clamp_min(0), bone)
        return bone

    def _window(self, layers: Tensor) -> Tensor | None:
        """[B, m] 1 in the bone's shadow and near it."""
        if not self.reach_px:
            return None
        shadow = (layers[:, :1] > 0).float()
        for _ in range(2):  # twice half way: nearer to round than one square
            shadow = _grown(shadow, self.reach_px // 2 or 1)
        window = shadow.flatten(1)
        if self.settings.gradients:
            window = torch.cat([window, window], 1)
        return window[:, self.inside]

    def _residual(self, layers: Tensor, window: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """[B, m] float64 what the best contrast leaves; that contrast [B, g]; its columns [B, m, g]."""
        bone = self._attenuating(layers)
        if self.beside is not None:
            bone = bone + self.beside
        columns = self._compared(bone[..., None] * self.gains)[:, self.inside]
        observed = self.observed[:, self.inside, None].expand(len(columns), -1, -1)
        counts = None if window is None else window[..., None]
        weight = torch.ones_like(observed) if counts is None else counts
        for _ in range(2):  # the second time without what the first showed to be something else
            root = weight.sqrt()
            contrast = least_squares(columns * root, observed * root)
            residual = observed - columns @ contrast
            spread = self.spread(residual[..., 0], window)[:, None, None]
            weight = huber_weight(residual, spread)
            weight = weight if counts is None else weight * counts
        return residual[..., 0].double(), contrast[..., 0], columns

    def _robust(self, residual: Tensor, yardstick: Yardstick) -> Tensor:
        each = huber(residual, yardstick.spread[:, None])
        each = each if yardstick.window is None else each * yardstick.window
        return each.sum(1) / self.pixels_per_measurement


def _grown(shadow: Tensor, by: int) -> Tensor:
    """[B, 1, H, W] the largest value within so many rows and columns."""
    return torch.nn.functional.max_pool2d(shadow, 2 * by + 1, stride=1, padding=by)
