import numpy as np

from auricle.diarization.clustering import MOST_COMPARED, cluster


def voices(*numbers: int, dimensions: int = 16) -> np.ndarray:
    """An embedding for each number: those of one voice differ by noise and by their lengths."""
    noise = np.random.default_rng(0).normal(0, 0.05, (len(numbers), dimensions))
    lengths = np.linspace(1, 9, len(numbers))[:, None]
    return (lengths * (np.eye(dimensions)[list(numbers)] + noise)).astype(np.float32)


def test_voices_are_numbered_by_appearance() -> None:
    assert cluster(voices(3, 3, 3, 0, 0, 0, 3, 2, 2, 2)).tolist() == [0, 0, 0, 1, 1, 1, 0, 2, 2, 2]


def test_a_number_of_speakers_is_kept() -> None:
    labels = cluster(voices(*[0] * 5, *[1] * 5, *[2] * 5), speakers=2)
    assert set(labels.tolist()) == {0, 1}


def test_one_window_is_one_voice() -> None:
    assert cluster(voices(4)).tolist() == [0]
    assert cluster(voices(4), speakers=3).tolist() == [0]


def test_where_nobody_says_much_the_little_counts() -> None:
    assert cluster(voices(4, 5)).tolist() == [0, 1]


def test_of_a_long_recording_a_part_is_compared_and_all_are_labelled() -> None:
    numbers = [0] * MOST_COMPARED + [1] * 30
    assert cluster(voices(*numbers, dimensions=3)).tolist() == numbers
