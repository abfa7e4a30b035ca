"""What tests of every room may ask for."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def all_is_speech() -> Iterator[None]:
    """The VAD hears words in whatever it is given: tiny models talk on noise, and should."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("vad", "segmenter"):
            patch.setattr(f"auricle.{module}.has_word", lambda speech: True)
        yield
