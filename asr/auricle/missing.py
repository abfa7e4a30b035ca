"""Warns that words may be missing, where something else than the speech ended an answer."""

from auricle.hypothesis import Hypothesis

_WHY = {
    "repetition": "a phrase repeated itself and was cut",
    "rate": "more was said than there is time for",
    "limit": "the answer reached its limit of tokens",
}


def missing_words(found: Hypothesis, start: float, end: float) -> tuple[str, ...]:
    """Return the warnings of an answer to the audio between two times, in seconds."""
    return tuple(
        f"words may be missing between {start:.1f} and {end:.1f} s: {_WHY[guard]}"
        for guard in found.guards
        if guard in _WHY
    )
