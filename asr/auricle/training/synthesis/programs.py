"""Programs that are run once for each utterance, and what they may do wrong."""

import shutil
import subprocess

from auricle_types.errors import SynthesisError, SynthesizerMissingError


class ProgramKilledError(SynthesisError):
    """A signal ended it: that says nothing about its sentence, which is not to be skipped."""


TIMEOUT = 60.0  # seconds for one sentence, some thousand times what it takes


def require(program: str, packages: str | None = None) -> None:
    """Raise SynthesizerMissingError unless `program` is on the path."""
    if shutil.which(program) is None:
        raise SynthesizerMissingError(
            f"{program} is not installed: `apt-get install {packages or program}` on Debian and "
            "Ubuntu, or choose another engine"
        )


def output(command: list[str]) -> str:
    """What a command writes to its standard output.

    Raises:
        SynthesizerMissingError: there is no such program.
        ProgramKilledError: a signal ended it, one of the system's for want of memory, maybe.
        SynthesisError: it failed, or took too long.
    """
    require(command[0])
    try:
        done = subprocess.run(  # noqa: S603 a fixed program, no shell
            command,
            capture_output=True,
            check=True,
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C is for us: it may finish its sentence
        )
    except subprocess.CalledProcessError as error:
        if error.returncode < 0:
            raise ProgramKilledError(
                f"{command[0]} was killed by signal {-error.returncode}: run the same command "
                "again to go on"
            ) from error
        said = error.stderr.decode(errors="replace").strip()
        raise SynthesisError(f"{command[0]} failed ({error.returncode}): {said}") from error
    except subprocess.TimeoutExpired as error:
        raise SynthesisError(f"{command[0]} took over {TIMEOUT} s") from error
    return done.stdout.decode(errors="replace")
