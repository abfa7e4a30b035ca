"""How well a model hears, and how fast, beside its peers: python -m benchmarks.accuracy MANIFEST...

On each manifest, in one run: WER with 95 % intervals (percentile bootstrap over utterances) and
speed of Auricle, of faster-whisper in its three ways and of openai-whisper, these with Whisper
tiny.en where it is installed; a single clip with a ready model, and from nothing. Of Auricle also:
by length of utterance, in noise and over a telephone, greedy beside beams, each dtype beside
float32, long recordings beside their utterances, words invented where nobody speaks. Auricle
decodes as `auricle transcribe` does by default where nothing else is said, the peers greedily,
without timestamps and second tries. All texts go through Whisper's English normaliser.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from auricle.naming import BUNDLED, model_path
from auricle.recognizer import Recognizer
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Transcript
from benchmarks.accuracy_tables import tables
from benchmarks.beside import beside_peers
from benchmarks.command import benchmark_options, use_threads
from benchmarks.conditions import CONDITIONS, Samples
from benchmarks.corpora import Corpus
from benchmarks.results import Result
from benchmarks.scores import Score, english, score
from benchmarks.tapes import tapes
from benchmarks.wordless import WORDLESS, Sound

LENGTHS = ((0.0, 2.0), (2.0, 5.0), (5.0, 10.0), (10.0, 60.0))  # seconds
TAPE_SECONDS = 600.0
CLIPS = (3.0, 8.0, 15.0)  # seconds, of wordless sounds
CLIPS_OF_A_KIND = 70  # 10 minutes
FIRST_SEED = 5_000  # of the wordless sounds: the guards' limits come from smaller ones
QUICK_UTTERANCES, QUICK_CLIPS = 2, 2
DTYPES = ("float32", "bfloat16", "int8")
BEAMS = (1, 5)
DEFAULT = DecodingOptions()
PACKAGES = ("torch", "ctranslate2", "faster-whisper", "openai-whisper", "silero-vad")


@click.command(help=__doc__)
@click.argument("manifests", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", default=BUNDLED, help="A name, or a checkpoint's path.")
@click.option("--utterances", type=click.IntRange(1), help="The first ones of each manifest only.")
@benchmark_options
def main(
    manifests: Sequence[Path],
    model: str,
    utterances: int | None,
    quick: bool,
    threads: int,
    output: Path | None,
) -> None:
    """Measure, print the tables, write the result."""
    use_threads(threads)
    result = Result("accuracy", quick, threads, PACKAGES)
    limit = QUICK_UTTERANCES if quick else utterances
    corpora = [Corpus.load(path, limit) for path in manifests]
    figures = {
        "model": weights(model),
        "first_utterances_only": limit,
        "corpora": {corpus.name: corpus.size for corpus in corpora},
        **beside_peers(model, DEFAULT, corpora, threads, quick=quick),
        **of_conditions(model, corpora),
        "ways": dict(of_ways(model, corpora)),
        "invented": invented(model, QUICK_CLIPS if quick else CLIPS_OF_A_KIND),
    }
    print("\n\n".join(tables(figures)))
    result.write(figures, output)


def weights(model: str) -> dict[str, str | int]:
    """Which they are; of a folder all files."""
    path = model_path(model)
    files = sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
    content = [file.read_bytes() for file in files]
    name = Path(model).name  # of a path no more: where it lies is nobody's business
    return {
        "name": name,
        "sha256": sha256(b"".join(content)).hexdigest()[:12],
        "bytes": sum(map(len, content)),
    }


def of_conditions(model: str, corpora: Sequence[Corpus]) -> dict[str, Any]:
    """Every condition; what is clean in more detail."""
    found: dict[str, dict[str, Any]] = {
        name: {} for name in ("conditions", "by_length", "muted", "long_audio")
    }
    with Recognizer.from_pretrained(model) as recognizer:
        for corpus in tqdm(corpora, "conditions", leave=False, disable=None):
            heard = {
                name: transcripts(recognizer, [condition(each) for each in corpus.waveforms])
                for name, condition in CONDITIONS.items()
            }
            found["conditions"][corpus.name] = {
                name: judged(corpus.texts, words(answers)).to_dict()
                for name, answers in heard.items()
            }
            found["by_length"][corpus.name] = dict(by_length(corpus, words(heard["clean"])))
            found["muted"][corpus.name] = {name: muted(each) for name, each in heard.items()}
            found["long_audio"][corpus.name] = long_audio(recognizer, corpus, heard["clean"])
    return found


def of_ways(model: str, corpora: Sequence[Corpus]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each dtype, greedy and with a beam."""
    for dtype in DTYPES:
        with Recognizer.from_pretrained(model, dtype=dtype) as recognizer:
            for beam in BEAMS:
                options = DecodingOptions(beam_size=beam)
                scores = {
                    corpus.name: judged(
                        corpus.texts, words(transcripts(recognizer, corpus.waveforms, options))
                    ).to_dict()
                    for corpus in corpora
                }
                yield f"{dtype}, {'greedy' if beam == 1 else f'beam {beam}'}", scores


def by_length(corpus: Corpus, heard: Sequence[str]) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The score of each class of length; None where it is empty."""
    for shortest, longest in LENGTHS:
        rows = [row for row, length in enumerate(corpus.seconds) if shortest <= length < longest]
        found = judged([corpus.texts[row] for row in rows], [heard[row] for row in rows])
        yield f"{shortest:g} to {longest:g} s", found.to_dict() if rows else None


def muted(answers: Sequence[Transcript]) -> dict[str, int]:
    """Utterances without any word, and those that each guard ended."""
    guards = Counter(guard for answer in answers for guard in answer.receipt.guards)
    return {"wordless": sum(not answer.text for answer in answers), **guards}


def long_audio(
    recognizer: Recognizer, corpus: Corpus, alone: Sequence[Transcript]
) -> dict[str, Any]:
    """The same utterances joined to long recordings, and each by itself."""
    joined = list(tapes(corpus, TAPE_SECONDS))
    answers = transcripts(recognizer, [tape.samples for tape in joined])
    rows = [row for tape in joined for row in tape.rows]
    pieces = judged([corpus.texts[row] for row in rows], [alone[row].text for row in rows])
    return {
        "joined": judged([tape.text for tape in joined], words(answers)).to_dict(),
        "alone": pieces.to_dict(),
    }


def invented(model: str, clips: int) -> dict[str, float]:
    """Words an hour where nobody speaks."""
    with Recognizer.from_pretrained(model) as recognizer:
        kinds = tqdm(WORDLESS.items(), "wordless", leave=False, disable=None)
        return {name: _invented(recognizer, sound, clips) for name, sound in kinds}


def transcripts(
    recognizer: Recognizer, waveforms: Sequence[Samples], options: DecodingOptions = DEFAULT
) -> list[Transcript]:
    """The transcript of each waveform."""
    return recognizer.transcribe(list(waveforms), options=options)


def judged(references: Sequence[str], hypotheses: Sequence[str]) -> Score:
    """After Whisper's English normaliser."""
    return score(references, hypotheses, english())


def words(answers: Sequence[Transcript]) -> list[str]:
    """The words of each transcript."""
    return [answer.text for answer in answers]


def _invented(recognizer: Recognizer, sound: Sound, clips: int) -> float:
    lengths = [CLIPS[number % len(CLIPS)] for number in range(clips)]
    sounds = [sound(length, FIRST_SEED + number) for number, length in enumerate(lengths)]
    said = sum(len(text.split()) for text in words(transcripts(recognizer, sounds)))
    return round(said * 3600 / sum(lengths), 1)


if __name__ == "__main__":
    main()
