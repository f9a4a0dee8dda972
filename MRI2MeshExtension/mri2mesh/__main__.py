"""``python -m mri2mesh`` is the same as ``mri2mesh``."""

import sys

from mri2mesh.cli import main

if __name__ == "__main__":
    sys.exit(main())
