"""The lines that a language model is made of, and how much each is worth."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from auricle.evaluation import read_manifest
from auricle.tokenizer import Tokenizer
from auricle.training.language_model.counts import Text
from auricle.training.synthesis.sentences import read_sentences, transcript
from auricle_types.errors import InvalidOptionError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Line:
    """`a-z`, apostrophes and single spaces."""

    text: str
    weight: float = 1.0


def read_lines(
    text: Path,
    *,
    sources: Path | None = None,
    manifests: Sequence[Path] = (),
    manifest_weight: float = 1.0,
) -> list[Line]:
    """The lines of a text and the transcripts of manifests, each distinct one once.

    Args:
        text: one sentence a line; a file that ends in `.xz` is unpacked.
        sources: where each line comes from; modern ones weigh more (`SOURCE_WEIGHTS`).
        manifests: of transcribed speech. Never of speech that a model is judged on.
        manifest_weight: of a transcript, beside a line from a novel.

    Raises:
        InvalidOptionError: a file that cannot be read, or files of different length.
        ManifestError: a manifest that cannot be read.
    """
    lines = [Line(each.text, each.weight) for each in read_sentences(text, sources=sources)]
    said = {transcript(each.text) for path in manifests for each in read_manifest(path)}
    return lines + [Line(text, manifest_weight) for text in sorted(said) if text]


def as_tokens(lines: Sequence[Line], tokenizer: Tokenizer) -> Text:
    """Lines between START and END; those that hold what the tokenizer does not know are left out.

    Raises InvalidOptionError when none is left.
    """
    rows, weights, unknown = [], [], 0
    for line in tqdm(lines, "tokens", disable=None):
        tokens = tokenizer.encode(line.text)
        if Tokenizer.unknown_id in tokens:
            unknown += 1
            continue
        rows.append([Tokenizer.start_id, *tokens, Tokenizer.end_id])
        weights.append(line.weight)
    if unknown:
        logger.warning("%d lines hold letters that the model does not know: left out", unknown)
    if not rows:
        raise InvalidOptionError("no line is left that the model's tokens can spell")
    return Text.of(rows, weights)
