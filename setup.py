"""The library and Slicer's side of it, with ModelWeights/ as ``mri2mesh.model_weights``. The rest: pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[
        *find_packages("MRI2MeshExtension", include=["mri2mesh*"]),
        "mri2mesh.model_weights",
    ]
)
