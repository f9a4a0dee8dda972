"""An NRRD or MetaImage file whose header is written anew from what was understood of it.

The libraries under ITK end the process, or never end, for some headers that are damaged or made to do harm. They are
given the fields that matter alone, each of a plausible length, and the voxels as they are.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mri2mesh.errors import InputError
from mri2mesh.imaging.files import link

LONGEST_VALUE, LONGEST_WORD = 1000, 40
"""Characters of a field, and of one number or word of it."""


@dataclass(frozen=True)
class Rewritten:
    """lines: of the new header, all but the one that names the data. kind: of `FORMS`.

    voxels: the file that holds them. own: whether that is the file of the header, in which they begin at `offset`.
    """

    lines: tuple[str, ...]
    voxels: Path
    offset: int
    own: bool
    kind: str

    @contextmanager
    def file(self) -> Iterator[str]:
        """The new file, under a plain name."""
        attached, detached, own_line, other_line = FORMS[self.kind]
        with tempfile.TemporaryDirectory(prefix="mri2mesh-") as folder:
            path = os.path.join(folder, attached if self.own else detached)
            with open(path, "wb") as stream:
                stream.write("".join(f"{line}\n" for line in self.lines).encode("ascii"))
                stream.write((own_line if self.own else other_line).encode("ascii"))
                if self.own:
                    with self.voxels.open("rb") as voxels:
                        voxels.seek(self.offset)
                        shutil.copyfileobj(voxels, stream, 1 << 20)
            if not self.own:
                link(self.voxels, os.path.join(folder, "voxels.raw"))
            yield path


FORMS = {
    "nrrd": ("image.nrrd", "image.nhdr", "\n", "data file: voxels.raw\n\n"),
    "metaimage": ("image.mha", "image.mhd", "ElementDataFile = LOCAL\n", "ElementDataFile = voxels.raw\n"),
}
"""Names of an attached and of a detached file, and the end of the header of each."""


def check_fields(fields: dict[str, str], damaged: str) -> None:
    """Raises InputError, `damaged`, for a value that no program writes."""
    for value in fields.values():
        words = re.split(r"[\s(),]+", value)
        if (
            len(value) > LONGEST_VALUE
            or max(map(len, words)) > LONGEST_WORD
            or not value.isascii()
            or not value.isprintable()
        ):
            raise InputError(damaged)


def passed_on(fields: dict[str, str], names: Sequence[str], joint: str, damaged: str) -> tuple[str, ...]:
    """The lines of those fields, in the order of `names`, checked as by `check_fields`."""
    passed = {name: fields[name] for name in names if fields.get(name)}
    check_fields(passed, damaged)
    return tuple(f"{name}{joint}{value}" for name, value in passed.items())
