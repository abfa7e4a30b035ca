"""The cues of subtitles: segments divided at their words' times, so that they fit a screen."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from auricle_types.metadata import AT_LEAST_ONE, POSITIVE, check, option
from auricle_types.transcript import Segment, Transcript, Word, gap

Line = list[tuple[str, Word]]  # each word behind the space before it


@dataclass(frozen=True, slots=True)
class CueLimits:
    """How large a cue may be. Raises ValueError for limits that do not go together."""

    max_line_width: int | None = option(
        None, "Most characters in a line of srt and vtt; a longer word stays whole.", AT_LEAST_ONE
    )
    max_line_count: int | None = option(
        None, "Most lines in a cue of srt and vtt; needs --max-line-width.", AT_LEAST_ONE
    )
    max_cue_seconds: float | None = option(
        None, "Most seconds that a cue of srt and vtt stays.", POSITIVE
    )

    def __post_init__(self) -> None:
        check(self)
        if self.max_line_count and not self.max_line_width:
            raise ValueError("--max-line-count needs a --max-line-width, too")

    def __bool__(self) -> bool:
        return self != CueLimits()

    def applied(self, transcript: Transcript) -> Transcript:
        """Return the transcript with cues for segments, lines parted by newlines."""
        return replace(transcript, segments=tuple(cues(transcript.segments, self)))


def cues(segments: Iterable[Segment], limits: CueLimits) -> Iterator[Segment]:
    """Divide segments, each by itself, into cues that do not overlap, in the order of time.

    Every word stays. Where words have no times, they share their segment's by their letters.
    """
    reached = 0.0
    for segment in segments:
        for lines in _divided(_words(segment), limits):
            words = [word for line in lines for _, word in line]
            start = max(reached, words[0].start)
            reached = max(start, *(word.end for word in words))
            if limits.max_cue_seconds:
                reached = min(reached, start + limits.max_cue_seconds)
            text = "\n".join(map(_text, lines))
            yield replace(segment, start=start, end=reached, text=text, words=tuple(words))


def _divided(words: Line, limits: CueLimits) -> Iterator[list[Line]]:
    """Fill lines with words, and cues with lines."""
    lines: list[Line] = [[]]
    for space, word in words:
        if lines[0] and _is_late(lines[0][0][1], word, limits.max_cue_seconds):
            yield lines
            lines = [[]]
        elif lines[-1] and not _fits([*lines[-1], (space, word)], limits.max_line_width):
            if len(lines) == limits.max_line_count:
                yield lines
                lines = []
            lines.append([])
        lines[-1].append((space, word))
    if lines[0]:
        yield lines


def _is_late(first: Word, last: Word, most: float | None) -> bool:
    return most is not None and last.end - first.start > most


def _fits(line: Line, width: int | None) -> bool:
    return width is None or len(_text(line)) <= width


def _text(line: Line) -> str:
    return "".join(space + word.text for space, word in line)[len(line[0][0]) :]


def _words(segment: Segment) -> Line:
    """Return the words, each with the space that the segment's text has before it."""
    line: Line = []
    place = 0
    for word in _timed(segment):
        before = line[-1][1].text if line else ""
        found = segment.text.find(word.text, place)
        between = segment.text[place:found] if found >= 0 else "?"
        line.append((gap(before, word.text) if between.strip() else between, word))
        place = max(place, found + len(word.text)) if found >= 0 else place
    return line


def _timed(segment: Segment) -> Sequence[Word]:
    if segment.words:
        return [word for word in segment.words if word.text]
    texts = segment.text.split()
    share = (segment.end - segment.start) / max(1, sum(map(len, texts)))
    ends = [segment.start + share * sum(map(len, texts[: i + 1])) for i in range(len(texts))]
    return [
        Word(end - share * len(text), end, text, segment.confidence)
        for text, end in zip(texts, ends, strict=True)
    ]
