import pytest

from auricle.training.augmentation.fft import fast_size


@pytest.mark.parametrize(
    ("size", "fast"), [(1, 4096), (4096, 4096), (4097, 8192), (270_719, 274_432)]
)
def test_the_next_multiple(size: int, fast: int) -> None:
    assert fast_size(size) == fast
