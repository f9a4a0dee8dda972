"""Any cameras that surfaces can be rendered with."""

from mri2mesh.rendering.cameras import OrthographicCameras
from mri2mesh.rendering.projective import ProjectiveCameras

Cameras = ProjectiveCameras | OrthographicCameras
