"""The engine's three networks, built and filled from verified weights."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import get_args

import torch

from mri2mesh.anatomy.templates import TemplateKind, template
from mri2mesh.device import choose_device
from mri2mesh.engines.mri2mesh.deformation.graphs import build_graphs
from mri2mesh.engines.mri2mesh.networks.baseline import build_baseline
from mri2mesh.engines.mri2mesh.networks.localiser import SPACING_MM, build_localiser
from mri2mesh.engines.mri2mesh.networks.mesh_net import MeshNet
from mri2mesh.engines.mri2mesh.networks.profile_net import ProfileNet
from mri2mesh.engines.mri2mesh.networks.template_graph import TemplateGraph
from mri2mesh.errors import InputError
from mri2mesh.geometry.mesh import Mesh
from mri2mesh.imaging.volumes.crop import CropGrid
from mri2mesh.networks.layout import fast_module
from mri2mesh.networks.unet import UNet3d
from mri2mesh.weights import find, load_safetensors
from mri2mesh.weights_manifest import WeightsEntry

LOCALISER = "mri2mesh_localiser"
SURFACES = "mri2mesh_surfaces"
PROFILES = "mri2mesh_profiles"
BASELINE = "baseline_unet"


@dataclass(frozen=True)
class Models:
    """Networks in evaluation mode on ``device``, the graphs they deform, and where the weights came from."""

    localiser: UNet3d
    surfaces: MeshNet
    profiles: ProfileNet
    graphs: dict[str, TemplateGraph]
    templates: dict[TemplateKind, Mesh]
    weights: list[WeightsEntry]
    device: torch.device


def crop_grid_from(config: dict) -> CropGrid:
    return CropGrid(tuple(config["shape"]), tuple(config["spacing"]), tuple(config["lower"]))


def load_mesh_net(
    name: str, device: torch.device, weights_dir: str | os.PathLike[str] | None = None
) -> tuple[MeshNet, WeightsEntry]:
    """The deformation network called ``name`` in the manifest. Raises InputError when its weights do not fit."""
    entry = find(name, weights_dir)
    network = MeshNet(crop_grid_from(entry.metadata["crop"]), entry.metadata["base_width"])
    _fill(network, entry, device, weights_dir)
    return network, entry


def load_localiser(
    device: torch.device, weights_dir: str | os.PathLike[str] | None = None
) -> tuple[UNet3d, WeightsEntry]:
    entry = find(LOCALISER, weights_dir)
    if tuple(entry.metadata.get("spacing_mm", ())) != SPACING_MM:
        raise InputError(
            f"the weights {entry.name!r} are for another voxel size than this version's: train or import newer ones"
        )
    network = build_localiser(tuple(entry.metadata["widths"]))
    _fill(network, entry, device, weights_dir)
    return network, entry


def load_profiles(
    device: torch.device, weights_dir: str | os.PathLike[str] | None = None
) -> tuple[ProfileNet, WeightsEntry]:
    """The network that moves surfaces onto edges. Raises InputError when its weights do not fit."""
    entry = find(PROFILES, weights_dir)
    network = ProfileNet()
    _fill(network, entry, device, weights_dir)
    return network, entry


def load_baseline(device: torch.device, weights_dir: str | os.PathLike[str] | None = None) -> UNet3d:
    """The U-Net that the engine is measured against."""
    network = build_baseline()
    _fill(network, find(BASELINE, weights_dir), device, weights_dir)
    return network


def _fill(
    network: torch.nn.Module,
    entry: WeightsEntry,
    device: torch.device,
    weights_dir: str | os.PathLike[str] | None,
) -> None:
    try:
        network.load_state_dict(load_safetensors(entry.name, device, weights_dir))
    except RuntimeError:
        raise InputError(f"the weights {entry.name!r} are of another network than this version's") from None
    network.to(device).eval()
    fast_module(network, device)


def load_models(device: str = "auto", weights_dir: str | os.PathLike[str] | None = None) -> Models:
    """Everything the engine needs. Raises InputError when weights are missing, altered or of another network."""
    where = choose_device(device)
    localiser, localiser_entry = load_localiser(where, weights_dir)
    surfaces, surfaces_entry = load_mesh_net(SURFACES, where, weights_dir)
    profiles, profiles_entry = load_profiles(where, weights_dir)
    graphs = {name: graph.to(where) for name, graph in build_graphs().items()}
    templates = {kind: template(kind) for kind in get_args(TemplateKind)}
    entries = [localiser_entry, surfaces_entry, profiles_entry]
    return Models(localiser, surfaces, profiles, graphs, templates, entries, where)
