"""Where a fit ended, stored and read back."""

import json

import pytest
import torch

from mri2mesh.engines.xray_fit.fitting.parameters import Parameters
from mri2mesh.engines.xray_fit.fitting.stored import from_plain, to_plain
from mri2mesh.errors import InputError

AT = Parameters.at(torch.eye(3)[None], torch.tensor([[1.0, 2.0, 3.0]]), n_modes=4, n_views=2)


def test_parameters_come_back_through_json():
    again = from_plain(json.loads(json.dumps(to_plain(AT))), n_modes=4, n_views=2)
    for name, value in vars(AT).items():
        assert torch.equal(getattr(again, name), value)


@pytest.mark.parametrize(
    ("stored", "n_modes", "n_views"), [({}, 4, 2), (to_plain(AT), 5, 2), (to_plain(AT), 4, 1)]
)
def test_another_model_other_views_and_nothing_are_refused(stored, n_modes, n_views):
    with pytest.raises(InputError, match="continued"):
        from_plain(stored, n_modes, n_views)
