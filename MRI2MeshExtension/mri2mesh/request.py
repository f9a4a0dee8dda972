"""What is asked of a run: images in, a folder out, and how. The command line and the worker both make one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.kinds import DEFAULT_FORMATS
from mri2mesh.engines.options import Option
from mri2mesh.engines.registry import options_by_name
from mri2mesh.errors import InputError


@dataclass(frozen=True)
class Request:
    """One reconstruction.

    images: one volume, or radiographs. engine: None for the default of their kind. options: those of the engine and of
    its kind of input, as `engines.declaration` has them, by name; what is not there was not given.
    """

    images: tuple[Path, ...]
    out: Path
    engine: str | None = None
    device: str = "auto"
    formats: tuple[str, ...] = DEFAULT_FORMATS
    options: Mapping[str, Any] = field(default_factory=dict)

    def refuse_missing(self) -> None:
        """Raises InputError for an image that is not there, which has no kind that an engine could be chosen by."""
        for number, image in enumerate(self.images, 1):
            if "\0" in str(image) or not image.exists():
                which = f"image {number}: " if len(self.images) > 1 else ""
                raise InputError(f"{which}no such file or folder: check the path of the image")

    def refuse_useless(self, engine: Engine) -> None:
        """Raises InputError for an option that the engine would silently ignore, one that it needs and was not given,
        one whose value it cannot use, and images that do not fit."""
        for name, value in self.options.items():
            option = engine.option(name)
            if option is None:
                _refuse_unknown(name, value, engine)
        if engine.image_limit is not None and len(self.images) > engine.image_limit:
            count = "one image" if engine.image_limit == 1 else f"up to {engine.image_limit} images"
            raise InputError(f"the engine {engine.name} takes {count}, got {len(self.images)}")
        for option in engine.all_options:
            value = self.options.get(option.name)
            if option.is_given(value):
                self._check(option, value)
                self._refuse_excluded(option, engine)
            elif option.required:
                choices = "|".join(getattr(option, "choices", ())) or option.value_shown
                raise InputError(f"the engine {engine.name} needs --{option.flag} {choices}: {option.help}")

    def _refuse_excluded(self, option: Option, engine: Engine) -> None:
        for other in (other for other in engine.all_options if other.name in option.excludes):
            if other.is_given(self.options.get(other.name)):
                raise InputError(
                    f"give either --{option.flag} or --{other.flag}: one makes the other useless"
                )

    def _check(self, option: Option, value: Any) -> None:
        try:
            option.check(value)
        except ValueError as error:
            raise InputError(f"--{option.flag} must be {error}, not {value!r}") from None
        n = len(self.images)
        if option.per_image and len(value) != n and not (option.one_for_all and len(value) == 1):
            once = f"give one --{option.flag}" + (" for all images, or one" if option.one_for_all else "")
            raise InputError(f"{once} per image, in their order: {len(value)} for {n} images")


def _refuse_unknown(name: str, value: Any, engine: Engine) -> None:
    known = options_by_name().get(name)
    if known is None:
        raise InputError(f"no engine has an option {name!r}")
    option = known[0][1]
    if option.is_given(value):
        raise InputError(
            f"the engine {engine.name}, for {engine.takes.words}, has no use for --{option.flag}: leave it out,"
            " or check the image"
        )
