"""What tests of the continuous decoder are run over."""

import pytest

from tests.asr.model.slots import KINDS, Kind


@pytest.fixture(params=KINDS, scope="session")
def kind(request: pytest.FixtureRequest) -> Kind:
    """Both kinds of cache, one after the other."""
    kind: Kind = request.param
    return kind
