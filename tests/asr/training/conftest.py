"""Runs draw no pictures: a picture takes longer than a tiny run's epoch."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def pictures() -> Iterator[None]:
    """A module whose runs shall draw has a fixture of the same name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("auricle.training.epoch_evaluator.renew_curves", lambda folder: None)
        yield
