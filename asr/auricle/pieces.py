"""Recognises single pieces of audio: a piece to a request, the engine's outcome to segments."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from itertools import islice

from auricle.agreement import Wording
from auricle.audio import Samples
from auricle.decoding import TimedText
from auricle.engine import Outcome, Request
from auricle.engine.invariance import InvarianceChecker
from auricle.engine.serving import Serving
from auricle.engine.windowed import in_windows
from auricle.families import new_policy
from auricle.futures import then
from auricle.host import ModelDescription
from auricle.hypothesis import Hypothesis
from auricle.missing import missing_words
from auricle.segmentation.segmenter import Piece
from auricle.segmentation.vad import speech_end
from auricle.transcript import Recognition
from auricle_types.options import DecodingOptions
from auricle_types.transcript import Alternative, Segment, Word


class PieceRecognizer:
    """Submits pieces to an engine and turns its outcomes into segments of the whole audio."""

    def __init__(
        self, engine: Serving, model: ModelDescription, checker: InvarianceChecker | None
    ) -> None:
        """Use `engine`, which runs `model`; `checker` decodes a share of the requests again."""
        self._engine = engine
        self._config = model.config
        self._tokenizer = model.tokenizer
        self._policy = new_policy(model.config, model.tokenizer)
        self._checker = checker

    def submit(
        self, piece: Piece, options: DecodingOptions, deadline: float | None, *, block: bool
    ) -> Future[Recognition]:
        """Queue one piece, as `Recognizer.submit`."""
        request = Request(
            piece.samples,
            _quick(options) if piece.interim else options,
            deadline,
            piece.speech,
            self._speech_end(piece),
            prefix=piece.prefix,
            interim=piece.interim,
        )
        submitted = self._engine.submit(request, block=block and not piece.interim)
        recognition = then(submitted, partial(self._recognition, piece, options))
        if self._checker is not None and not piece.interim:
            self._checker.watch(request, submitted)  # behind `then`: when the answer is out
        return recognition

    def in_windows(self, samples: Samples, options: DecodingOptions) -> Iterator[Recognition]:
        """Recognise audio `(S,)` a window after another, as `Recognizer.transcribe_in_windows`."""
        return in_windows(self._engine, self._config, self._policy, samples, options)

    def _speech_end(self, piece: Piece) -> float | None:
        """Find the end of speech for models that use it; None where nobody speaks."""
        if piece.speech is False or not self._policy.needs_speech_end:
            return None
        return speech_end(piece.samples) or None

    def _recognition(self, piece: Piece, options: DecodingOptions, outcome: Outcome) -> Recognition:
        found = outcome.hypothesis
        confidence = self._config.calibration.confidence(found.confidence)
        segments = tuple(
            Segment(
                piece.start + each.start,
                min(piece.start + each.end, piece.end),
                each.text,
                confidence,
                _words_in(piece, each.words),
                found.language or "",
                alternatives=self._alternatives(found, each.text, options.alternatives - 1),
            )
            for each in self._timed_texts(piece, found, whole=options.alternatives > 1)
        )
        warnings = missing_words(found, piece.start, piece.end)
        wording = self._wording(piece, found) if piece.interim and not found.guards else None
        return Recognition(segments, outcome.receipt, piece.overlap, warnings, wording)

    def _wording(self, piece: Piece, found: Hypothesis) -> Wording:
        text = self._tokenizer.decode(found.tokens)
        known = len(piece.prefix.tokens) if piece.prefix is not None else 0
        counts = range(known + 1, len(found.tokens) + 1)
        parts = [self._tokenizer.decode(found.tokens[:count]) for count in counts]
        reaches = [len(part) if text.startswith(part) else -1 for part in parts]
        return Wording(text, found, (*[-1] * known, *reaches))

    def _alternatives(self, found: Hypothesis, text: str, most: int) -> tuple[Alternative, ...]:
        """List other texts, each once: hypotheses may differ in their times alone."""
        others: dict[str, Hypothesis] = {}
        for other in found.others:
            others.setdefault(self._tokenizer.decode(other.tokens), other)
        others.pop(text, None)
        return tuple(
            Alternative(words, self._config.calibration.confidence(other.confidence))
            for words, other in islice(others.items(), most)
        )

    def _timed_texts(self, piece: Piece, found: Hypothesis, *, whole: bool) -> list[TimedText]:
        """Divide the text at the times that the model predicts, if it does.

        A piece stays whole where alternatives belong to all of it, and where it overlaps the one
        before: words that are in both will be taken out.
        """
        whole = whole or piece.overlap > 0
        parts = [] if whole else self._policy.timed_texts(found, piece.duration)
        text = self._tokenizer.decode(found.tokens)
        return parts or [TimedText(0.0, piece.duration, text, found.words)]


def _quick(options: DecodingOptions) -> DecodingOptions:
    """Return the options of an interim request: greedy, once, without the times of words."""
    return replace(
        options,
        beam_size=1,
        alternatives=1,
        temperature=0.0,
        word_timestamps=False,
        fallback=None,
    )


def _words_in(piece: Piece, words: Sequence[Word]) -> tuple[Word, ...]:
    """Place words in the whole audio, in seconds; a piece may end within its last frame."""
    placed = (word.later(piece.start) for word in words)
    return tuple(replace(word, end=min(word.end, piece.end)) for word in placed)
