"""How the audio is recognised: the options that `transcribe`, `evaluate` and `demo` share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import click

from auricle_cli.answers import Transcriber
from auricle_cli.connection import Connection, tls_options
from auricle_cli.groups import grouped

CTC_WEIGHT = "0.5"  # of DecodingOptions, a server's as well
LM_WEIGHT = "0.3"  # as above
LM_HELP = "Another language model than the one beside the model."
CONTEXT_DEFAULT = "the model's"
CONTEXT_HELP = "Encode what there is, or always the model's whole window."
PROCESSES_HELP = "Copies of the model, each with its share of the cores: more speech a second."
EXACT_HELP = "The same bits in any company, on any device: slower."
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Task = Literal["transcribe", "translate"]
AudioContext = Literal["auto", "full"]
Encoding = Literal["s16le", "s24le", "s32le", "u8", "f32le", "mulaw", "alaw"]


@dataclass(frozen=True, slots=True)
class Pcm:
    """What headerless audio is."""

    sample_rate: int  # Hz
    encoding: Encoding
    channels: int


@dataclass(frozen=True, slots=True)
class Recognition:
    """Where and how. Raises ValueError for options that do not go together."""

    server: str | None = None
    tls: bool = False
    ca_certificate: Path | None = None
    model: str | None = None
    lm: Path | None = None
    device: str | None = None
    dtype: str | None = None
    audio_context: AudioContext | None = None
    exact: bool = False
    processes: int | None = None
    beam: int = 1
    max_tokens: int | None = None
    temperature: float = 0.0
    seed: int | None = None
    ctc_weight: float | None = None
    lm_weight: float | None = None
    guards: bool = True
    language: str | None = None
    task: Task | None = None
    prompt: str | None = None
    timestamps: bool | None = None
    word_timestamps: bool = False  # an option where they can be shown
    fallback: bool | None = None
    sample_rate: int | None = None
    encoding: Encoding | None = None
    channels: int | None = None
    concurrency: int = 16

    def __post_init__(self) -> None:
        if self.server and (self.lm or self.device or self.dtype or self.exact):
            raise ValueError(
                "--lm, --device, --dtype and --exact are the server's choice: leave one side out"
            )
        if self.server and (self.audio_context or self.processes):
            raise ValueError(
                "--audio-context and --processes are the server's choice: leave one side out"
            )
        if not self.server and (self.tls or self.ca_certificate):
            raise ValueError("--tls and --ca-certificate are for a --server: name it, too")
        if self.temperature and self.beam > 1:
            raise ValueError("--temperature samples, --beam searches: leave one of them out")
        if self.sample_rate is None and (self.encoding or self.channels):
            raise ValueError(
                "--encoding and --channels describe headerless audio: it needs a --sample-rate, too"
            )

    @property
    def at_once(self) -> int:
        """Inputs under way: each process makes batches of its own."""
        return self.concurrency * (self.processes or 1)

    @property
    def pcm(self) -> Pcm | None:
        """What headerless audio is; None when nothing was said of it."""
        if self.sample_rate is None:
            return None
        return Pcm(self.sample_rate, self.encoding or "s16le", self.channels or 1)

    @property
    def connection(self) -> Connection:
        """How to reach the server."""
        return Connection(self.server or "", self.tls, self.ca_certificate)

    def open(self) -> Transcriber:
        """Reach the server or load the model. Raises Failure when that cannot be done."""
        if self.server:
            from auricle_cli.remote import connect

            return connect(self)
        from auricle_cli.local import load

        return load(self)


recognition_options = grouped(
    Recognition,
    "recognition",
    [
        click.option(
            "--server", metavar="HOST:PORT", help="Ask this server; without it, run here."
        ),
        *tls_options,
        click.option("--model", metavar="NAME|PATH", show_default="bundled", help="The model."),
        click.option("--lm", type=FILE, show_default="the model's, if any", help=LM_HELP),
        click.option(
            "--device", metavar="cpu|cuda|auto", show_default="auto", help="Where to run."
        ),
        click.option(
            "--dtype",
            metavar="TYPE",
            show_default="auto",
            help="Numbers to compute with: float32, bfloat16, float16 or int8.",
        ),
        click.option(
            "--audio-context",
            type=click.Choice(get_args(AudioContext)),
            show_default=CONTEXT_DEFAULT,
            help=CONTEXT_HELP,
        ),
        click.option("--exact", is_flag=True, help=EXACT_HELP),
        click.option("--processes", type=click.IntRange(1), show_default="1", help=PROCESSES_HELP),
        click.option(
            "--beam",
            type=click.IntRange(1, 32),
            default=1,
            help="Hypotheses kept; 1 is greedy.",
        ),
        click.option(
            "--max-tokens", type=click.IntRange(1), help="Most tokens for a piece of audio."
        ),
        click.option(
            "--temperature",
            type=click.FloatRange(0, 10),
            default=0.0,
            help="Of sampling; 0 takes the likeliest token each time.",
        ),
        click.option(
            "--seed", type=click.IntRange(0), help="Of sampling: the same seed, the same text."
        ),
        click.option(
            "--ctc-weight",
            type=click.FloatRange(0, 1),
            show_default=CTC_WEIGHT,
            help="CTC's share of a score; 0 leaves it to the decoder alone. Not for Whisper.",
        ),
        click.option(
            "--lm-weight",
            type=click.FloatRange(0, 10),
            show_default=LM_WEIGHT,
            help="The language model's part beside that, in a beam; 0 leaves it out.",
        ),
        click.option(
            "--guards/--no-guards",
            default=True,
            help="End words for noise, loops and more tokens than speech has.",
        ),
        click.option("--language", help="That is spoken; else the model finds out."),
        click.option(
            "--task",
            type=click.Choice(get_args(Task)),
            show_default="transcribe",
            help="Translate: into English, where the model can.",
        ),
        click.option("--prompt", help="What was said before, or likely words; Whisper only."),
        click.option(
            "--timestamps/--no-timestamps",
            default=None,
            show_default="the model's own",
            help="Let the model say times; Whisper only.",
        ),
        click.option(
            "--fallback/--no-fallback",
            default=None,
            show_default="no",
            help="Search doubtful words again, warmer; Whisper only.",
        ),
        click.option(
            "--sample-rate", type=click.IntRange(1), help="Hz, of headerless (PCM) audio only."
        ),
        click.option(
            "--encoding",
            type=click.Choice(get_args(Encoding)),
            show_default="s16le",
            help="Of headerless audio.",
        ),
        click.option(
            "--channels", type=click.IntRange(1), show_default="1", help="Of headerless audio."
        ),
        click.option(
            "--concurrency",
            type=click.IntRange(1, 256),
            default=16,
            help="Inputs at once, for each process.",
        ),
    ],
)
