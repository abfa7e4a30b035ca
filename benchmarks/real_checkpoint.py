"""A checkpoint's true weights in Auricle and in its peers: WER and speed in one run.

    python -m benchmarks.real_checkpoint openai/whisper-tiny manifest.jsonl

MODEL is a name on the Hub, a folder as the Hub or faster-whisper has it, or one of OpenAI's .pt
files; MANIFEST has `audio_filepath` and `text` a line. Everybody decodes greedily, in English,
without second tries. Auricle is given all utterances at once, as it is meant to be; the peers take
one after another, as their libraries do. Words are compared after Whisper's own English normaliser.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click

from auricle.audio import load_audio
from auricle.config import SAMPLE_RATE, DecodingOptions
from auricle.errors import AuricleError
from auricle.evaluation import Hypothesis, Utterance, normalizer, read_manifest, score
from auricle.recognizer import Recognizer
from benchmarks.command import benchmark_options, use_threads
from benchmarks.conditions import Samples
from benchmarks.ours import THROUGHPUT
from benchmarks.peers.real import MOONSHINE, WHISPER, Listen, Load, NotForThisError
from benchmarks.results import Result, table
from benchmarks.rounds import Standing, alternate

PACKAGES = ("torch", "ctranslate2", "faster-whisper", "openai-whisper", "transformers")
QUICK_UTTERANCES = 3
PEERS = {"whisper": WHISPER, "moonshine": MOONSHINE, "auricle": dict[str, Load]()}
OPTIONS = {"whisper": DecodingOptions(language="en", timestamps=False, fallback=False)}
Answer = Callable[[Sequence[Samples]], list[str]]


class Reader:
    """A contestant who reads the same recordings in each round and keeps what it last said."""

    def __init__(self, name: str, answer: Answer, waveforms: Sequence[Samples]) -> None:
        self.name = name
        self.texts: list[str] = []
        self._answer = answer
        self._waveforms = waveforms

    @property
    def audio_seconds(self) -> float:
        """In one run."""
        return sum(map(len, self._waveforms)) / SAMPLE_RATE

    def run(self) -> None:
        """Read all."""
        self.texts = self._answer(self._waveforms)

    def facts(self) -> dict[str, Any]:
        """Nothing beside its speed."""
        return {}


@click.command(help=__doc__)
@click.argument("model")
@click.argument("manifest", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dtype", multiple=True, default=("auto", "int8"), help="Of Auricle; any number.")
@click.option("--rounds", type=click.IntRange(1), default=1, help="How often each reads all.")
@benchmark_options
def main(
    model: str,
    manifest: Path,
    dtype: tuple[str, ...],
    rounds: int,
    quick: bool,
    threads: int,
    output: Path | None,
) -> None:
    """Let all read, print the table, write the result."""
    use_threads(threads)
    result = Result("real_checkpoint", quick, threads, PACKAGES)
    utterances = read_manifest(manifest)[: QUICK_UTTERANCES if quick else None]
    waveforms = [load_audio(each.audio).samples for each in utterances]
    with ExitStack() as stack:
        recognizers = [stack.enter_context(_recognizer(model, name)) for name in dtype]
        readers = [ours(each, waveforms) for each in recognizers]
        readers += peers(recognizers[0].config.family, model, threads, waveforms)
        for reader in readers:
            reader.run()  # the first run is slower
        standings = alternate(readers, rounds)
    rows = [_row(reader, standings[reader.name], utterances) for reader in readers]
    print(_table(rows))
    if output:  # never among the project's own results: whose weights are these?
        result.write({"model": model, "manifest": manifest.name, "readers": rows}, output)


def ours(recognizer: Recognizer, waveforms: Sequence[Samples]) -> Reader:
    """Auricle, all utterances together."""
    options = OPTIONS.get(recognizer.config.family, DecodingOptions())

    def answer(samples: Sequence[Samples]) -> list[str]:
        return [each.text for each in recognizer.transcribe(list(samples), options=options)]

    return Reader(f"auricle {recognizer.dtype}", answer, waveforms)


def peers(family: str, model: str, threads: int, waveforms: Sequence[Samples]) -> Iterator[Reader]:
    """Those that are installed and can read it; of the others it says why not."""
    for name, load in PEERS[family].items():
        try:
            listen = load(model, threads)
        except (ModuleNotFoundError, NotForThisError) as missing:
            click.echo(f"without {name}: {missing}", err=True)
            continue
        yield Reader(name, partial(_one_by_one, listen), waveforms)


def _one_by_one(listen: Listen, waveforms: Sequence[Samples]) -> list[str]:
    return [listen(each) for each in waveforms]


def _recognizer(model: str, dtype: str) -> Recognizer:
    try:
        return Recognizer.from_pretrained(model, device="cpu", dtype=dtype, engine=THROUGHPUT)
    except AuricleError as error:
        raise click.ClickException(str(error)) from error


def _row(reader: Reader, standing: Standing, utterances: Sequence[Utterance]) -> dict[str, Any]:
    hypotheses = [Hypothesis(text) for text in reader.texts]
    report = score(utterances, hypotheses, reader.audio_seconds, normalizer("whisper"))
    return {"name": reader.name, "wer": report.words.rate, **standing.to_dict()}


def _table(rows: Sequence[dict[str, Any]]) -> str:
    cells = [(row["name"], f"{row['wer']:.1%}", row["audio_seconds_per_second"]) for row in rows]
    return table(("", "WER", "Audio s/s"), cells)


if __name__ == "__main__":
    main()
