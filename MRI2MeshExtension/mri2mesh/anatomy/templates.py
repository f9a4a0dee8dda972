"""The surfaces that reconstruction starts from: one vertebra, one disc, one S1 body."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

from mri2mesh.anatomy import storage
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh

TemplateKind = Literal["vertebra", "disc", "sacrum"]
"""The kinds of structures that have a template; the others have shape models."""


@lru_cache(maxsize=3)
def template(kind: TemplateKind) -> Mesh:
    """The template of a kind of structure: closed, outward, in its local frame, mm, a region on every vertex.

    ``"vertebra"``: an average L3, genus 1 (the canal). ``"disc"``: an average L3-L4, genus 0. ``"sacrum"``: the body
    of S1, cut off the rest of the sacrum, genus 0. Left-right symmetric. Raises InputError for another kind.
    """
    stored = storage.read("templates")
    if f"{kind}_vertices" not in stored:
        raise InputError(f"no template for {kind!r}: use 'vertebra', 'disc' or 'sacrum'")
    vertices = storage.unpack(stored[f"{kind}_vertices"])
    faces = stored[f"{kind}_faces"].astype(np.int64)
    return Mesh(vertices, faces, {"region": stored[f"{kind}_regions"].copy()})
