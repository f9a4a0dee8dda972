"""3D Slicer's side of the extension: nodes to library types and back, scenes, jobs. The only package to import slicer.

The command line writes its ``--scene`` with the same code, in a process of its own where ``slicer`` is the slicer-core
wheel (`headless`).
"""
