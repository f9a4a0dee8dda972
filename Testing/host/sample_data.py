"""Stands in for Slicer's module SampleData: what a source may be registered with. Not covered: downloading, loading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import slicer


class SampleDataLogic:
    @staticmethod
    def registerCustomSampleDataSource(
        category: str = "Custom",
        sampleName: str | None = None,
        uris: Sequence[str] | None = None,
        fileNames: Sequence[str] | None = None,
        nodeNames: Sequence[str] | None = None,
        customDownloader: Any = None,
        thumbnailFileName: str | None = None,
        loadFileTypes: Sequence[str] | None = None,
        loadFiles: Sequence[bool] | None = None,
        loadFileProperties: Mapping[str, Any] = MappingProxyType({}),
        checksums: Sequence[str] | None = None,
    ) -> None:
        """No other names than these, in Slicer 5.8 to 5.13; one entry per file in each list."""
        source = {name: value for name, value in locals().items() if name != "category"}
        slicer.modules.sampleDataSources.setdefault(category, []).append(source)
