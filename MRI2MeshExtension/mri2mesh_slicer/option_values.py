"""What was chosen for the options of the engines, saved with the scene.

An option of the whole run is kept in the scene's parameter node, one of single images with its image's node: so it goes
where the image goes. Keys are made of the engine's and the option's names, values are JSON: a new option needs nothing
here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mri2mesh.engines.declaration import Engine
from mri2mesh.engines.options import Choice, Option
from mri2mesh_slicer.parameters import Parameters

ATTRIBUTE = "MRI2Mesh.Option."
"""Beginning of an image node's attributes."""


def value_of(parameters: Parameters, engine: Engine, option: Option, image: Any = None) -> Any:
    """In the option's type. image: the node, for an option of single images; the value is that of this one.

    What was never chosen, or cannot be used any more, is the option's default, or the first of several choices where
    one must be made.
    """
    if option.per_image:
        text = image.GetAttribute(ATTRIBUTE + _key(engine, option)) if image is not None else None
    else:
        text = parameters.parameterNode.GetParameter(_key(engine, option))
    try:
        return _parsed(option, text)
    except ValueError:
        if isinstance(option, Choice) and option.required and option.default is None:
            return next(iter(option.choices))
        return None if option.per_image else option.default


def keep_value(parameters: Parameters, engine: Engine, option: Option, value: Any, image: Any = None) -> None:
    """value: in the option's type, None for nothing."""
    text = "" if value is None else json.dumps(option.to_json(value))
    if option.per_image:
        if image is not None:
            image.SetAttribute(ATTRIBUTE + _key(engine, option), text or None)
    else:
        parameters.parameterNode.SetParameter(_key(engine, option), text)


def options_of_every_case(parameters: Parameters, engine: Engine) -> Mapping[str, Any]:
    """What was chosen that goes with every case of a folder, by name, in the options' types."""
    found = {}
    for option in engine.all_options:
        if option.label and option.in_batch and not option.per_image:
            value = value_of(parameters, engine, option)
            if value is not None and (option.required or option.is_given(value)):
                found[option.name] = value
    return found


def _parsed(option: Option, text: str | None) -> Any:
    """Raises ValueError where there is no value."""
    given = json.loads(text or "")
    value = option.from_json([given])[0] if option.per_image else option.from_json(given)
    option.check(value)
    return value


def _key(engine: Engine, option: Option) -> str:
    return f"{engine.name}.{option.name}"
