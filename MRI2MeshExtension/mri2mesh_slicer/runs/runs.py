"""The nodes of a run in the scene, found again from one of them: its folder, which refers to all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mri2mesh.anatomy.doubtful_levels import shown_name
from mri2mesh.errors import InputError
from mri2mesh.reconstruction import LevelCount, given_statement
from mri2mesh_slicer.mrml_nodes import nodes_of
from mri2mesh_slicer.runs.results import RunReport, read_report

RUN, REPORTED_AS = "MRI2Mesh.Run", "MRI2Mesh.ReportedAs"
"""Node attributes: the engine, on a run's folder; on a model, its structure as the report calls it."""
NAMED = "MRI2Mesh.NamedLevel"
"""Attribute of a run's folder: the level that the user named in it after the run."""
STRUCTURE, LABEL = "MRI2Mesh.Structure", "MRI2Mesh.Label"
"""Attributes of models and tags of segments: the structure now, and its value in label maps."""
MODEL, SEGMENTATION, STRUCTURES, MEASURES, LINES, CHECKS, REPORT, INPUT = (
    f"MRI2Mesh.{role}"
    for role in (
        "Model",
        "Segmentation",
        "Structures",
        "Measures",
        "MeasuredLines",
        "Checks",
        "Report",
        "Input",
    )
)
"""Roles of the nodes that a run's folder refers to."""
GONE = "this run is no longer in the scene: choose another, or run again"


@dataclass(frozen=True)
class ResultRow:
    """One structure of a run, as a panel lists it. name: now, after level shifts. shown: with a question mark while its
    level is a guess. volume_mm3: None where not measured,
    and meaningless unless the run's `scale_known`. failed: a sentence per failed check."""

    model: Any
    name: str
    shown: str
    colour: tuple[float, float, float]
    volume_mm3: float | None
    checks: int
    failed: tuple[str, ...]


@dataclass(frozen=True)
class RunNodes:
    """A run by its folder's node, a ``vtkMRMLFolderDisplayNode``. What it returns is what is there now: nodes that the
    user deleted are missing from lists, or None. Raises InputError where the run itself has gone."""

    folder: Any

    @property
    def scene(self) -> Any:
        scene = self.folder.GetScene()
        if scene is None:
            raise InputError(GONE)
        return scene

    @property
    def folder_item(self) -> int:
        """Its item in the subject hierarchy."""
        return int(self.scene.GetSubjectHierarchyNode().GetItemByDataNode(self.folder))

    @property
    def name(self) -> str:
        return str(self.folder.GetName())

    @property
    def engine(self) -> str:
        return str(self.folder.GetAttribute(RUN))

    @property
    def models(self) -> list[Any]:
        """Model nodes in the report's order."""
        return self._all(MODEL)

    @property
    def inputs(self) -> list[Any]:
        return self._all(INPUT)

    @property
    def segmentation(self) -> Any:
        return self._one(SEGMENTATION)

    @property
    def structures_table(self) -> Any:
        return self._one(STRUCTURES)

    @property
    def measures_table(self) -> Any:
        """None in runs of earlier versions too."""
        return self._one(MEASURES)

    @property
    def measured_lines(self) -> Any:
        """The model of the lines that measures were taken along, or None."""
        return self._one(LINES)

    @property
    def checks_table(self) -> Any:
        return self._one(CHECKS)

    @property
    def report_text(self) -> Any:
        """The text node with report.json as the engine wrote it: with the names of before any level shift."""
        return self._one(REPORT)

    @property
    def report(self) -> RunReport:
        """Raises InputError where the user deleted it."""
        node = self.report_text
        if node is None:
            raise InputError("the report of this run was deleted from the scene: run again")
        return read_report(node.GetText())

    @property
    def scale_known(self) -> bool:
        return self.report.scale_known

    @property
    def levels(self) -> LevelCount | None:
        """How the vertebrae came by the names that they have now; None where the engine counts none."""
        count, named = self.report.levels, self.folder.GetAttribute(NAMED)
        if count is None or not named:
            return count
        return LevelCount("given", given_statement(named), count.lowest)

    @property
    def levels_certain(self) -> bool:
        """False where the names of the vertebrae are a guess."""
        count = self.levels
        return count is None or count.certain

    def rows(self) -> list[ResultRow]:
        """One per model that is there."""
        report, certain = self.report, self.levels_certain
        reported = {one.name: one for one in report.structures}
        rows = []
        for model in self.models:
            original = str(model.GetAttribute(REPORTED_AS))
            checks = report.checks_of(original)
            failed = tuple(check.detail or check.name for check in checks if not check.passed)
            display = model.GetDisplayNode()
            colour = display.GetColor() if display is not None else reported[original].structure.colour
            rows.append(
                ResultRow(
                    model,
                    structure_name(model),
                    shown_name(structure_name(model), reported[original].structure.kind, certain),
                    colour,
                    reported[original].volume_mm3,
                    len(checks),
                    failed,
                )
            )
        return rows

    def nodes(self) -> list[Any]:
        """Every node of the run that is there; not its inputs."""
        tables = (self.structures_table, self.measures_table, self.checks_table)
        others = (self.segmentation, self.measured_lines, *tables, self.report_text)
        return [*self.models, *(node for node in others if node is not None)]

    def _all(self, role: str) -> list[Any]:
        count = self.folder.GetNumberOfNodeReferences(role) if self.scene else 0
        found = (self.folder.GetNthNodeReference(role, n) for n in range(count))
        return [node for node in found if node is not None]

    def _one(self, role: str) -> Any:
        return next(iter(self._all(role)), None)


def structure_name(model: Any) -> str:
    """The structure that a model of a run is now."""
    return str(model.GetAttribute(STRUCTURE))


def runs_of(scene: Any) -> list[RunNodes]:
    """The runs in the scene, oldest first."""
    return [RunNodes(node) for node in nodes_of(scene, "vtkMRMLFolderDisplayNode") if node.GetAttribute(RUN)]


def find_run(scene: Any, folder_item: int) -> RunNodes:
    """The run of a subject hierarchy folder. Raises InputError where it is none."""
    node = scene.GetSubjectHierarchyNode().GetItemDataNode(folder_item) if folder_item else None
    if node is None or not node.GetAttribute(RUN):
        raise InputError(GONE)
    return RunNodes(node)
