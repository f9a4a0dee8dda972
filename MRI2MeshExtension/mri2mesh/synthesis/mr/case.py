"""One synthetic case: an image, its tissue map and the surfaces it was made from, all in one file."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from mri2mesh.anatomy.spine_model import LumbarSpineModel, SpineOptions, SpineSample
from mri2mesh.geometry.volume import Volume
from mri2mesh.synthesis.mr.acquisition import acquire
from mri2mesh.synthesis.mr.case_file import read_case, write_case
from mri2mesh.synthesis.mr.compose import compose_tissues
from mri2mesh.synthesis.mr.contrast import paint
from mri2mesh.synthesis.mr.field_of_view import FieldOfView, random_grid, spine_line, turned
from mri2mesh.synthesis.mr.tissues import Tissue


@dataclass(frozen=True)
class SyntheticCase:
    """A synthetic lumbar MR and everything known about it.

    image: [K, J, I] float32, 0 .. 1.5, after acquisition, on a 1 mm grid along RAS. tissues: [K, J, I] uint8
    `Tissue`, same grid, AIR where the scan has no data (`targets.semantic_labels` makes the training labels).
    spine: the surfaces, same RAS, also of what lies outside the image (`targets.centres` says what is in view).
    description: what was drawn, for looking at, not for training.
    """

    image: Volume
    tissues: Volume
    spine: SpineSample
    description: dict[str, object] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write one .npz file of about a byte and a bit per voxel (image in 8 bits)."""
        write_case(path, self.image, self.tissues, self.spine, self.description)

    @classmethod
    def load(cls, path: Path) -> SyntheticCase:
        """Read what `save` wrote; the image comes back within 0.003 of what it was. Raises InputError
        otherwise."""
        return cls(*read_case(path))


@dataclass(frozen=True)
class Profile:
    """What kind of cases to make.

    contrast: a name as in `contrast.paint`, None for all. view: box sizes. cases_per_spine: so many consecutive
    seeds share a spine (surfaces cost more time than images), each with its own pose, body, contrast and scan.
    """

    contrast: str | None = None
    view: FieldOfView = field(default_factory=FieldOfView)
    spine: SpineOptions = field(default_factory=lambda: SpineOptions(top="T7"))
    cases_per_spine: int = 1


@lru_cache(maxsize=1)
def _spine_model() -> LumbarSpineModel:
    return LumbarSpineModel.load()


@lru_cache(maxsize=2)
def _spine(seed: int, top: str, spread: float, findings: tuple[tuple[str, float], ...]) -> SpineSample:
    options = SpineOptions(top, spread, dict(findings))
    return _spine_model().sample(np.random.default_rng(np.random.SeedSequence([seed, 1])), options)


def make_case(
    seed: int, data_dir: Path, profile: Profile | None = None, model: LumbarSpineModel | None = None
) -> SyntheticCase:
    """The case of a seed: the same seed, data and profile always give the same case.

    data_dir: the training data, with abdomen_ct/. model: spines of other shapes than the shipped family's.
    Raises InputError when data are missing.
    """
    profile = profile or Profile()
    pose_rng, body_rng, contrast_rng, scan_rng = (
        np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(4)
    )
    drawn = profile.spine
    subject = seed // profile.cases_per_spine
    if model is None:
        spine = _spine(subject, drawn.top, drawn.spread, tuple(drawn.findings.items()))
    else:
        spine = model.sample(np.random.default_rng(np.random.SeedSequence([subject, 1])), drawn)
    spine = turned(spine, pose_rng, profile.view.max_turn)
    grid = random_grid(spine, pose_rng, profile.view)
    tissues, body = compose_tissues(spine, body_rng, grid, Path(data_dir))
    signal, contrast = paint(tissues.array, contrast_rng, profile.contrast)
    image, seen, scan = acquire(signal, scan_rng, spine_line(spine, grid))
    tissues.array[~(seen[0][:, None, None] & seen[1][:, None] & seen[2])] = Tissue.AIR
    description = {"seed": seed, "contrast": contrast, **body, "scan": scan, "findings": list(spine.notes)}
    return SyntheticCase(Volume(image, grid.ijk_to_ras), tissues, spine, description)
