"""How long a file is, by its header or its last page, without decoding it."""

from typing import BinaryIO

import av


def stated_seconds(file: BinaryIO) -> float | None:
    """Return the length that a file, which can seek, states; None where it states none.

    It is for showing progress: a file that is cut short or has no index may hold less or more.
    """
    try:
        with av.open(file, "r", options={"protocol_whitelist": "none"}) as container:
            return container.duration / av.time_base if container.duration else None
    except (OSError, ValueError):  # FFmpeg's errors are such, too
        return None
