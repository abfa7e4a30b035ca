"""Where transcripts go: to the standard output, or to a file for each input and format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import TypeVar

import click

from auricle_cli.cues import CueLimits
from auricle_cli.failure import Failure
from auricle_cli.formats import ALONE, SUBTITLES, WRITERS, writer_of
from auricle_cli.groups import option_group
from auricle_cli.inputs import Source
from auricle_types.metadata import option
from auricle_types.transcript import Transcript

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class OutputSetup:
    """What is written, and where. Raises ValueError for options that do not go together."""

    format: tuple[str, ...] = ("txt",)
    cues: CueLimits = CueLimits()
    output_dir: Path | None = option(
        None, "Folder for a file of each input and format; files that exist are kept."
    )
    overwrite: bool = option(False, "Write files of --output-dir that exist anew.")
    separate_channels: bool = option(
        False, "Transcribe each channel by itself, and say which one speaks; not with --server."
    )

    def __post_init__(self) -> None:
        if not self.format:
            raise ValueError(f"--format must name at least one of {', '.join(WRITERS)}")
        if self.overwrite and self.output_dir is None:
            raise ValueError("--overwrite is for files: add an --output-dir")
        if len(self.format) > 1 and self.output_dir is None:
            raise ValueError("several formats become several files: add an --output-dir")
        if self.cues and not self.has_subtitles:
            raise ValueError("line widths and cues are for subtitles: add --format srt or vtt")

    @property
    def has_subtitles(self) -> bool:
        """Whether a format has cues."""
        return any(each in SUBTITLES for each in self.format)

    @property
    def needs_words(self) -> bool:
        """Whether cues are cut at the times of words."""
        return bool(self.cues)

    def check_inputs(self, sources: Sequence[Source], count: int) -> None:
        """Raise UsageError where `count` inputs cannot go where they should."""
        if self.output_dir is not None:
            self._check_files(sources, self.output_dir)
        elif count > 1 and self.format[0] in ALONE:
            raise click.UsageError(
                f"{self.format[0]} holds one recording: give one at a time, or an --output-dir"
            )

    def missing(self, source: Source) -> list[Path]:
        """Return the files of `source` that are still to be written."""
        files = [self._file(source, each) for each in self.format]
        return files if self.overwrite else [file for file in files if not file.exists()]

    def journal(self, source: Source) -> Path | None:
        """Return where the finished pieces of `source` are kept until all are."""
        return None if self.output_dir is None else self._file(source, "partial.jsonl")

    def write(self, source: Source, transcript: Transcript) -> None:
        """Write what is missing, each file as a whole, and drop the journal.

        Raises StorageError.
        """
        from auricle.storage import replacing, writing  # late: one for the standard output alone

        for file in self.missing(source):
            written = writer_of(file.suffix[1:], self.cues)(source.name, transcript)
            with writing(file):
                file.parent.mkdir(parents=True, exist_ok=True)
            with replacing(file) as partial:
                partial.write_text(f"{written}\n", encoding="utf-8")
        if journal := self.journal(source):
            journal.unlink(missing_ok=True)

    def _file(self, source: Source, suffix: str) -> Path:
        """Return a file's path, named as openai-whisper does, in the input's subfolder."""
        return (self.output_dir or Path()) / source.below / f"{Path(source.name).stem}.{suffix}"

    def _check_files(self, sources: Sequence[Source], folder: Path) -> None:
        owners: dict[Path, Source] = {}
        for source in sources:
            if source.path is None:
                raise click.UsageError("the standard input has no name for a file: give a path")
            file = self._file(source, self.format[0])
            if (other := owners.setdefault(file, source)) is not source:
                raise click.UsageError(
                    f"{other.name} and {source.name} would both become {file}: "
                    "give them in two runs, each with an --output-dir of its own"
                )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(f"{folder}: {error.strerror or error}") from error


def output_options(command: Command) -> Command:
    """Add the options of output; the command gets one `output`."""
    kinds = click.option(
        "--format",
        type=click.Choice(list(WRITERS)),
        multiple=True,
        default=["txt"],
        help="Output format, again for several; json has one object a line.",
    )
    groups: list[Callable[[Command], Command]] = [
        kinds,
        option_group(CueLimits, "cues", is_shared=False),
        option_group(OutputSetup, "output", is_shared=False),
    ]
    return reduce(lambda inner, group: group(inner), reversed(groups), command)
