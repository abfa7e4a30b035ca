"""The standard output where it is closed or cannot be written: one line, and status 2."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from auricle_cli.failure import Failure, complain

# Commands give the errors of all other files a name of their own.
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def require_output() -> None:
    """Raise Failure where the standard output is closed: the answers would go nowhere."""
    if sys.stdout is None:
        raise Failure("the standard output is closed: let it go to a file or a terminal")


@contextmanager
def writable_output() -> Iterator[None]:
    """Inside, an error of the standard output ends the process with one line and status 2.

    A reader that has gone away (EPIPE) is left to click, which ends without a word.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        _forget_output()
        complain(f"the standard output cannot be written: {error.strerror}")
        sys.exit(Failure.exit_code)


def _forget_output() -> None:
    """Let what is left go nowhere, or Python would complain about it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
