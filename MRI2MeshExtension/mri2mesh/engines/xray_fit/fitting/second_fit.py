"""A second fit where the first explains little of its images: from what is expected alone.

A coarse search can find many places that look a little like the bone, as in a field that shows half of it, and they
crowd out the one that the geometry gives. The end shows it: there the images agree much better with the right place.
"""

from __future__ import annotations

from collections.abc import Sequence

from mri2mesh.engines.xray_fit.fitting.beside import Neighbours
from mri2mesh.engines.xray_fit.fitting.coarse_to_fine import Fit, FitSettings, Watch, fit
from mri2mesh.engines.xray_fit.fitting.family import SurfaceFamily
from mri2mesh.engines.xray_fit.fitting.image_term import Observation
from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.solver import Term

DOUBTFUL = 0.7
"""Agreement of the worst view below which a fit to values is not trusted; simulated films have 0.85 and more."""


def fit_twice_if_doubtful(
    views: Sequence[Observation],
    family: SurfaceFamily,
    starts: Parameters,
    settings: FitSettings,
    more: Sequence[Term] = (),
    watch: Watch | None = None,
    *,
    expected: Parameters,
    beside: Neighbours | None = None,
    held: Sequence[Term] = (),
) -> Fit:
    """As `fit`; where that is doubtful and nothing but the images holds the bone, the better of it and of a fit from
    the expected pose alone. beside: the other bones, where they were found: then the place is known, and one fit is
    made. held: as of `fit`. watch: called during the second fit too, with all of it done."""
    found = fit(views, family, starts, settings, more, watch, expected, beside, held)
    if more or beside is not None or min(found.agreement) >= DOUBTFUL:
        return found

    def still(at: Parameters, _fraction: float) -> None:
        if watch is not None:
            watch(at, 1.0)

    again = fit(views, family, expected, settings, watch=still, expected=expected, held=held)
    return again if min(again.agreement) > min(found.agreement) else found
