"""The sample images that ship with the extension, offered by Slicer's Sample Data module; no network is needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mri2mesh.samples import HIPS_FRONT, LUMBAR_FRONT, LUMBAR_T2, PELVIS_FRONT, PELVIS_OBLIQUE

CATEGORY = "MRI2Mesh"


@dataclass(frozen=True)
class Sample:
    """title: in the Sample Data module, and its name for programs. files, nodes and sha256 belong together."""

    title: str
    thumbnail: str
    files: Sequence[Path]
    nodes: Sequence[str]
    sha256: Sequence[str]


SAMPLES = (
    Sample(
        "Lumbar spine MRI (T2)",
        "LumbarT2.png",
        (LUMBAR_T2,),
        ("LumbarT2",),
        ("380bbd7ad8c90fdfc5f43ab297190fe49b8b7e8eea69fabba42b4b30d28c844f",),
    ),
    Sample(
        "Pelvis, two radiographs (simulated)",
        "PelvisRadiographs.png",
        (PELVIS_FRONT, PELVIS_OBLIQUE),
        ("PelvisFront", "PelvisOblique"),
        (
            "b2d90e240c5c182fa9f6c9faf9306a69c03b67e194e1bfa0a9116297ff0bd792",
            "dbf1fffe63cfc12f44bbb914c53fc3d163395501a6fd8ac7004e2a68a4822186",
        ),
    ),
    Sample(
        "Hips, one radiograph from the front (simulated)",
        "HipsRadiograph.png",
        (HIPS_FRONT,),
        ("HipsFront",),
        ("7474c42a8b8ddbc544e45700a8bf40c71c864cef0b089629a6ab119dd70b2415",),
    ),
    Sample(
        "Lumbar spine, one radiograph from the front (simulated)",
        "LumbarRadiograph.png",
        (LUMBAR_FRONT,),
        ("LumbarFront",),
        ("9be2526de329ea1c6209f1e22bb8b39be831d6e0d5b6430e6e9eb58a65831ec2",),
    ),
)


def register_sample_data(icons: Path) -> None:
    """Called once Slicer has started, when the Sample Data module is there."""
    import SampleData

    for sample in SAMPLES:
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=sample.title,
            thumbnailFileName=str(icons / sample.thumbnail),
            uris=[file.as_uri() for file in sample.files],
            fileNames=[f"MRI2Mesh_{file.name}" for file in sample.files],
            nodeNames=list(sample.nodes),
            checksums=[f"SHA256:{digest}" for digest in sample.sha256],
            loadFileTypes=["VolumeFile"] * len(sample.files),
            loadFileProperties={"singleFile": True},  # beside them lies what else was ever downloaded
        )
