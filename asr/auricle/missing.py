"""Warnings that words may be missing: an answer was ended by something else than its speech."""

from auricle.hypothesis import Hypothesis

_WHY = {
    "repetition": "a phrase repeated itself and was cut",
    "rate": "more was said than there is time for",
    "limit": "the answer reached its limit of tokens",
}


def missing_words(found: Hypothesis, start: float, end: float) -> tuple[str, ...]:
    """What is to be said of an answer to the audio between two times, in seconds."""
    return tuple(
        f"words may be missing between {start:.1f} and {end:.1f} s: {_WHY[guard]}"
        for guard in found.guards
        if guard in _WHY
    )
