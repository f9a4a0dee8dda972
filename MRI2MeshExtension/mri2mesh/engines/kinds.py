"""The kinds of input that the library reads, with the options that go with each."""

from __future__ import annotations

from mri2mesh.engines.declaration import Kind
from mri2mesh.engines.options import Choice, File, Flag, Number, Option, Text, Texts

DEFAULT_FORMATS = ("vtp",)

OF_EVERY_RUN: tuple[Option, ...] = (
    Choice(
        "device",
        help="where to compute (default: auto, the best that is there)",
        choices={"auto": "automatic", "cpu": "processor", "cuda": "NVIDIA card", "mps": "Apple GPU"},
        default="auto",
    ),
    Texts(
        "formats",
        help="of the surfaces, any of vtp,vtk,stl,ply,obj (default: vtp)",
        placeholder="vtp,stl",
        default=DEFAULT_FORMATS,
    ),
)
"""Whatever the engine."""

_OF_A_VOLUME: tuple[Option, ...] = (
    Number("series", help="which series, where a DICOM folder holds several", whole=True),
    Flag("labelmaps", help="also write label maps on the grid of the input"),
    Flag("scene", help="also write scene.mrb, which opens in 3D Slicer"),
)

VOLUME = Kind(
    name="volume",
    words="a volume such as an MRI",
    read="mri2mesh.engines.reading:volume",
    options=_OF_A_VOLUME,
)

LABELS = Kind(
    name="labels",
    words="a label map",
    read="mri2mesh.engines.segmentation.label_map:read_label_map",
    options=(
        *_OF_A_VOLUME,
        File(
            "scan",
            flag="image",
            help="image that the labels were drawn on, same grid: they are compared with it, and pictures show it",
            placeholder="IMAGE",
            endings=(".nii.gz", ".nii", ".nrrd", ".mha", ".mhd"),
        ),
    ),
)

RADIOGRAPHS = Kind(
    name="radiographs",
    words="radiographs",
    read="mri2mesh.engines.reading:radiographs",
    several=True,
    options=(
        File(
            "cameras",
            flag="camera",
            help="geometry of a radiograph (default: from DICOM tags)",
            placeholder="camera.json",
            endings=(".json",),
            per_image=True,
            beside=".camera.json",
            beside_pictures=True,
        ),
        Text(
            "markers",
            flag="calibrate",
            help="scale of a radiograph from something of known size in it: wire:MM@COLUMN,ROW,COLUMN,ROW (diameter, "
            "two points on its axis), sphere:MM@... (diameter, its centre and a point on its rim), length:MM@... (two "
            "points that far apart), intensifier:MM (its round field); the name of a .mrk.json file of Slicer instead "
            "of numbers; @MM at the end for how far from the source the marker is",
            placeholder="MARKER",
            per_image=True,
        ),
        Choice(
            "bone",
            help="how radiographs show bone, where it is taken wrongly: dark as on fluoroscopy, bright as on film",
            choices={"dark": "dark", "bright": "bright"},
        ),
        Number(
            "frames",
            flag="frame",
            help="frame of a multi-frame DICOM radiograph, from 1",
            whole=True,
            per_image=True,
            one_for_all=True,
        ),
    ),
)
