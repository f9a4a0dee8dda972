"""The sample images that ship with the extension, offered by Slicer's Sample Data module; no network is needed."""

from __future__ import annotations

from pathlib import Path

CATEGORY = "MRI2Mesh"
LUMBAR_T2 = "MRI2MeshLumbarT2"
SAMPLES = Path(__file__).resolve().parents[1] / "mri2mesh" / "samples"
CHECKSUM = "SHA256:380bbd7ad8c90fdfc5f43ab297190fe49b8b7e8eea69fabba42b4b30d28c844f"


def register_sample_data(icons: Path) -> None:
    """Called once Slicer has started, when the Sample Data module is there."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=LUMBAR_T2,
        sampleDescription="Lumbar spine MRI (T2)",
        thumbnailFileName=str(icons / "LumbarT2.png"),
        uris=(SAMPLES / "lumbar_t2.nii.gz").as_uri(),
        fileNames="MRI2MeshLumbarT2.nii.gz",
        nodeNames="LumbarT2",
        checksums=CHECKSUM,
        loadFileType="VolumeFile",
    )
