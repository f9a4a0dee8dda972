"""3D bone surfaces from clinical images: the library behind the 3D Slicer extension.

Plain Python: nothing here imports ``slicer`` or Qt. Millimetres, patient RAS.
"""

__version__ = "0.1.0"
