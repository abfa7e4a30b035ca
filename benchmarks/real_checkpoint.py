"""A checkpoint's true weights in Auricle and in its peers: WER and speed in one run.

    python -m benchmarks.real_checkpoint openai/whisper-tiny manifest.jsonl

MODEL is a name on the Hub, a folder as the Hub or faster-whisper has it, or one of OpenAI's .pt
files; tiny.en and base are taken from packages where those are installed. MANIFEST has
`audio_filepath` and `text` a line. Everybody decodes greedily, in English, without timestamps and
second tries. Auricle is given all utterances at once, as it is meant to be. Words are compared
after Whisper's own English normaliser.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import click

from auricle.naming import model_path
from auricle.pretrained import load_pretrained
from auricle_types.errors import AuricleError
from auricle_types.options import DecodingOptions
from benchmarks import peer_tables, readers, real_weights
from benchmarks.command import benchmark_options, use_threads
from benchmarks.corpora import Corpus
from benchmarks.peers.real import MOONSHINE, WHISPER, Load
from benchmarks.real_weights import MissingWeightsError
from benchmarks.results import Result

PACKAGES = ("torch", "ctranslate2", "faster-whisper", "openai-whisper", "transformers")
QUICK_UTTERANCES = 3
PEERS: Mapping[str, Mapping[str, Load]] = {"whisper": WHISPER, "moonshine": MOONSHINE}
PACKED = {each.name: each for each in real_weights.ALL}
OPTIONS = {"whisper": DecodingOptions(language="en", timestamps=False, fallback=False)}


@click.command(help=__doc__)
@click.argument("model")
@click.argument(
    "manifests",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--dtype", multiple=True, default=("int8", "float32"), help="Of Auricle.")
@click.option("--rounds", type=click.IntRange(1), default=1, help="How often each reads all.")
@benchmark_options
def main(
    model: str,
    manifests: Sequence[Path],
    dtype: tuple[str, ...],
    rounds: int,
    quick: bool,
    threads: int,
    output: Path | None,
) -> None:
    """Let all read, print the tables, write the result."""
    use_threads(threads)
    result = Result(
        f"whisper-{model}" if model in PACKED else "real_checkpoint", quick, threads, PACKAGES
    )
    where, family = _found(model)
    corpora = [Corpus.load(path, QUICK_UTTERANCES if quick else None) for path in manifests]
    ways = product(dict.fromkeys(dtype), dict.fromkeys((1, threads)))
    ours = readers.ours(where, OPTIONS.get(family, DecodingOptions()), threads, ways)
    peers = readers.peers(PEERS.get(family, {}), where, threads)
    standings = readers.side_by_side({**ours, **peers}, corpora, rounds)
    figures = {
        "corpora": {corpus.name: corpus.size for corpus in corpora},
        "readers": readers.figures(standings),
    }
    print("\n\n".join(peer_tables.tables(figures)))
    if output or model in PACKED:  # of others no result is among the project's own
        result.write(figures, output)


def _found(model: str) -> tuple[str, str]:
    """Where it lies, and its family."""
    try:
        where = real_weights.folder(PACKED[model]) if model in PACKED else model_path(model)
        return str(where), load_pretrained(where).model.config.family
    except (AuricleError, MissingWeightsError) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
