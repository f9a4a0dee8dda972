"""PyTorch through the PyTorch extension (`PyTorchUtils`), where that is installed: one PyTorch for all extensions."""

from __future__ import annotations

import importlib.util

from slicer.i18n import tr as _

from mri2mesh_slicer.installation.requirements import TORCH


def is_here() -> bool:
    """Whether the PyTorch extension is."""
    return importlib.util.find_spec("PyTorchUtils") is not None


def install() -> str:
    """Installs the PyTorch that fits this computer's graphics driver; Slicer's window waits. Returns why it failed, or
    an empty text."""
    import PyTorchUtils

    wanted = TORCH.requirement.removeprefix(TORCH.name)
    try:
        torch = PyTorchUtils.PyTorchUtilsLogic().installTorch(
            askConfirmation=False, torchVersionRequirement=wanted
        )
    except Exception as error:  # the extension, light-the-torch and pip raise what they like
        return _("The PyTorch extension could not install PyTorch ({kind}).").format(
            kind=type(error).__name__
        )
    return "" if torch is not None else _("The PyTorch extension did not install PyTorch.")
