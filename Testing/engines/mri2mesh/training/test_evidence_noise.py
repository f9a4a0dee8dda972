"""Tissue shares keep their amount and their place; the made-up faults stay probabilities and stay small."""

import numpy as np

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.deformation.crops import TISSUES
from mri2mesh.engines.mri2mesh.training.evidence_noise import blurred_as_seen, coarse_tissues, displaced
from mri2mesh.geometry.volume import Volume


def labels() -> Volume:
    """Two blocks off-centre on a 1 mm grid with an odd size; they end where the localiser's voxels do."""
    matrix = np.eye(4)
    matrix[:3, 3] = [-20.0, 7.0, -31.0]
    array = np.zeros((61, 70, 53), np.uint8)
    array[20:48, 36:60, 8:40] = Semantic.BODY
    array[20:48, 18:30, 20:32] = Semantic.CANAL
    return Volume(array, matrix)


def mass_and_centre(share: np.ndarray, matrix: np.ndarray) -> tuple[float, np.ndarray]:
    k, j, i = np.meshgrid(*(np.arange(n) for n in share.shape), indexing="ij")
    points = np.stack([i, j, k], -1) @ matrix[:3, :3].T + matrix[:3, 3]
    mass = share.sum() * np.linalg.det(matrix[:3, :3])
    return float(mass), (points * share[..., None]).reshape(-1, 3).sum(0) / share.sum()


def test_coarse_shares_keep_volume_and_centre_in_millimetres():
    made = labels()
    shares, matrix = coarse_tissues(made)
    for tissue in (Semantic.BODY, Semantic.CANAL):
        fine = mass_and_centre((made.array == tissue).astype(float), made.ijk_to_ras)
        coarse = mass_and_centre(shares[TISSUES.index(tissue)].double().numpy(), matrix)
        assert abs(coarse[0] / fine[0] - 1) < 1e-3
        assert np.abs(coarse[1] - fine[1]).max() < 0.01


def test_faults_leave_probabilities_near_the_truth():
    shares, matrix = coarse_tissues(labels())
    rng = np.random.default_rng(3)
    differences = []
    for _ in range(8):
        seen, moved = blurred_as_seen(shares, matrix, rng)
        assert float(seen.min()) >= 0
        assert float(seen.max()) <= 1
        assert np.linalg.norm(moved[:3, 3] - matrix[:3, 3]) < 5
        differences.append(float((seen - shares.float()).abs().mean()))
    assert 0 < np.mean(differences) < 0.05


def half_width_mm(shares: np.ndarray, matrix: np.ndarray, axis: int) -> float:
    """Half of the extent of the body's share along an axis of the array through its middle, mm."""
    body = shares[TISSUES.index(Semantic.BODY)]
    middle = [round(float(n)) for n in np.argwhere(body > 0.5).mean(0)]
    line = [slice(n, n + 1) if a != axis else slice(None) for a, n in enumerate(middle)]
    return float(body[tuple(line)].sum() * matrix[2 - axis, 2 - axis] / 2)


def test_edges_are_displaced_outwards_and_inwards_by_millimetres_or_left_out():
    shares, matrix = coarse_tissues(labels())
    rng = np.random.default_rng(4)
    true = half_width_mm(shares.float().numpy(), matrix, 1)
    changes, empty = [], 0
    for _ in range(60):
        seen = displaced(shares, matrix, rng).numpy()
        assert np.isfinite(seen).all()
        assert seen.min() >= 0
        assert seen.max() <= 1
        if seen[TISSUES.index(Semantic.BODY)].max() < 0.5:
            empty += 1
        else:
            changes.append(half_width_mm(seen, matrix, 1) - true)
    assert 3 <= empty <= 15
    assert max(changes) > 1.0
    assert min(changes) < -1.0
    assert np.abs(changes).max() < 8.0
    assert np.mean(np.abs(changes) < 0.05) > 0.2  # at times they are as they were
