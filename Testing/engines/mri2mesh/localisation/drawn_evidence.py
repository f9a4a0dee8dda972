"""Evidence of a localiser that makes no mistake, from solids drawn at a millimetre."""

import numpy as np
from numpy.typing import NDArray

from mri2mesh.anatomy.semantic import Semantic
from mri2mesh.engines.mri2mesh.localisation.evidence import Evidence
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM, Heat


def evidence_of(drawn: NDArray, origin: NDArray, tissue: Semantic) -> Evidence:
    """``drawn``: [K, J, I] bool, 1 mm along RAS, first voxel centre at ``origin``; shares of the localiser's voxels."""
    x, y, z = (int(mm) for mm in SPACING_MM)
    k, j, i = drawn.shape
    shares = drawn.reshape(k // z, z, j // y, y, i // x, x).mean((1, 3, 5))
    matrix = np.diag([*SPACING_MM, 1.0])
    matrix[:3, 3] = origin + (np.array(SPACING_MM) - 1) / 2
    semantic = np.zeros((len(Semantic), *shares.shape), np.float32)
    semantic[tissue] = shares
    heat = np.zeros((len(Heat), *shares.shape), np.float32)
    return Evidence(semantic, heat, np.ones(shares.shape, bool), matrix)
