"""How a text that somebody sent is written into an error or a log line: short, and on one line."""

QUOTED_CHARACTERS = 100


def printable(text: str) -> str:
    """Escape what does not print, such as line breaks, terminal codes and marks of direction."""
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def quoted(value: object) -> str:
    """Write a value as `repr` does, without what exceeds `QUOTED_CHARACTERS`."""
    if isinstance(value, str):
        return repr(value[:QUOTED_CHARACTERS]) + ("..." if len(value) > QUOTED_CHARACTERS else "")
    return shortened(printable(repr(value)), QUOTED_CHARACTERS)


def shortened(text: str, most: int) -> str:
    """Shorten a text to `most` characters; dots stand for the rest."""
    return text if len(text) <= most else text[: most - 3] + "..."


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
