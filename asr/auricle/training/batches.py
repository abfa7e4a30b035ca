"""Length-bucketed batches under a budget of seconds, the same ones for the same seed and epoch."""

from collections.abc import Sequence

import numpy as np


def make_batches(
    seconds: Sequence[float], budget: float, *, seed: int, epoch: int
) -> list[list[int]]:
    """Group utterance indices so that rows x longest <= `budget` seconds.

    Lengths are jittered by a few per cent before sorting, so that companions change from epoch to
    epoch. The first epoch goes from short to long: alignments are learnt on short utterances
    first. Later ones are shuffled.

    Args:
        seconds: duration of each utterance.
        budget: most seconds in a batch, padding included; a longer utterance stands alone.
        seed: of the run.
        epoch: counted from 0.
    """
    random = np.random.default_rng([seed, epoch])
    lengths = np.asarray(seconds)
    order = np.argsort(lengths * random.uniform(0.95, 1.05, len(lengths)))
    batches: list[list[int]] = []
    longest = 0.0
    for index in order.tolist():
        longest = max(longest, lengths[index])
        if not batches or longest * (len(batches[-1]) + 1) > budget:
            batches.append([])
            longest = lengths[index]
        batches[-1].append(index)
    if epoch:
        random.shuffle(batches)
    return batches
