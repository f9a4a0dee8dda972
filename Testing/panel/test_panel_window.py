"""The window goes on drawing while a result is added, and may be closed between two of its turns."""

from __future__ import annotations

from host.application import wait_until
from panel.watched import LONG, run_in_new_host
from scene.made_runs import spine_run


def test_closing_slicer_between_adding_a_result_and_showing_it_leaves_no_files(
    panel, slicer, load_volume, two_vertebrae
):
    panel.ui.inputSelector.setCurrentNode(load_volume(two_vertebrae, "LumbarPart"))
    panel.ui.runButton.click()
    running = panel.panel.running
    files = running._folder
    import qt

    def added() -> bool:
        return slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLModelNode") > 0

    # Turn by turn, to stop right after the one that adds.
    wait_until(lambda: panel.ui.stageLabel.text.startswith("write the results") or added(), LONG)
    while not added():
        qt.application.processEvents(qt.QEventLoop.AllEvents, 1)
    assert running.busy and panel.ui.resultsSection.isHidden()
    panel.cleanup()
    qt.application.processEvents()
    assert not running.busy and not files.exists()


def test_showing_a_result_loads_no_more_code_and_never_scipy_or_torch(tmp_path):
    result = spine_run(tmp_path / "result")
    printed = run_in_new_host(
        "panel = open_module('MRI2Mesh').panel\n"
        "from mri2mesh_slicer.jobs import running\n"
        "running._import_ahead()\n"
        "from mri2mesh_slicer.runs.results import read_run\n"
        "from mri2mesh_slicer.runs.scene_building import add_run\n"
        f"result = read_run({str(result)!r}); before = set(sys.modules)\n"
        "run = add_run(slicer.mrmlScene, result, [], name='run')\n"
        "for _ in panel._show(run, {}): pass\n"
        "panel._done(run, result.report)\n"
        "print(*sorted(name for name in set(sys.modules) - before if name.startswith('mri2mesh')), 'end')\n"
        "print(*sorted({'scipy', 'torch', 'trimesh'} & set(sys.modules)), 'end')"
    )
    assert printed[-2:] == ["end", "end"]
