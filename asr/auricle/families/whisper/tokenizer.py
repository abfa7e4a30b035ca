"""Whisper's vocabulary: text, languages, tasks and times as tokens (Radford et al. 2022)."""

from collections.abc import Sequence
from functools import cached_property

from auricle.config import SpecialTokens
from auricle.tokenizer.byte_pairs import BytePairTokenizer
from auricle.tokenizer.languages import LANGUAGES

TIMESTAMPS = 1501  # 0.00 to 30.00 s
TIMESTAMP_SECONDS = 0.02  # from one to the next
_GPT2_END = 50256  # of the vocabulary of the models for English alone
_NO_SPEECH = ("<|nospeech|>", "<|nocaptions|>")  # large-v3's name and the older one
# What nobody says: speaker tags and descriptions of noise begin with these.
_SYMBOLS = (
    *'"#()*+/:;<=>@[\\]^_`{|}~「」『』',
    *("<<", ">>", "<<<", ">>>", "--", "---", "-(", "-[", "('", '("'),
    *("((", "))", "(((", ")))", "[[", "]]", "{{", "}}", "♪♪", "♪♪♪"),
)
_NOTES = "♩♪♫♬♭♮♯"  # of several tokens each, of which the first only begins such signs


class WhisperTokenizer(BytePairTokenizer):
    """A `tokenizer.json` of a Whisper model."""

    @property
    def vocab_size(self) -> int:
        """The number of ids, with timestamps, which the files of early releases do not list."""
        return self.timestamp_begin + TIMESTAMPS

    @cached_property
    def special(self) -> SpecialTokens:
        """The special ids; suppressed is what openai-whisper suppresses by default."""
        names = ("<|transcribe|>", "<|translate|>", "<|startoflm|>")
        others = [self._one_of((name,)) for name in names]
        suppressed = {
            *others,
            self.start,
            self.start_of_previous,
            self.no_speech,
            *self._non_speech(),
        }
        return SpecialTokens((self.start,), self.end, tuple(sorted(suppressed)))

    @cached_property
    def start(self) -> int:
        """The token that begins a transcript."""
        return self._one_of(("<|startoftranscript|>",))

    @cached_property
    def end(self) -> int:
        """The token that ends a text. All ids below are text."""
        return self._one_of(("<|endoftext|>",))

    @cached_property
    def start_of_previous(self) -> int:
        """The token before the text of earlier audio."""
        return self._one_of(("<|startofprev|>",))

    @cached_property
    def no_speech(self) -> int:
        """The token that is likely after START where nobody speaks."""
        return self._one_of(_NO_SPEECH)

    @cached_property
    def no_timestamps(self) -> int:
        """The token that ends a prompt for a text without timestamps."""
        return self._one_of(("<|notimestamps|>",))

    @cached_property
    def timestamp_begin(self) -> int:
        """The token of 0.00 s. All ids from there on are timestamps."""
        return self.no_timestamps + 1

    @property
    def multilingual(self) -> bool:
        """Whether the model knows languages and tasks: those for English alone keep GPT-2's ids,
        or list no language where their vocabulary was cut.
        """
        return self.end != _GPT2_END and "<|en|>" in self.added

    @cached_property
    def languages(self) -> dict[str, int]:
        """The token of each language, by its code; none where the model is for English alone."""
        if not self.multilingual:
            return {}
        tokens = {code: self.added.get(f"<|{code}|>") for code in LANGUAGES}
        return {code: token for code, token in tokens.items() if token is not None}

    @cached_property
    def blanks(self) -> tuple[int, ...]:
        """The tokens that no transcript begins with: a space alone, and END."""
        return (*self.encode(" "), self.end)

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn `tokens` into text, without special ids and timestamps."""
        return self.spell([token for token in tokens if token < self.end]).strip()

    def piece(self, token: int) -> str:
        """Write a token as the file lists it, and a timestamp in seconds."""
        if token < self.timestamp_begin:
            return super().piece(token)
        return f"<|{(token - self.timestamp_begin) * TIMESTAMP_SECONDS:.2f}|>"

    def task(self, name: str) -> int:
        """Return the token of `transcribe` or `translate`."""
        return self._one_of((f"<|{name}|>",))

    def _non_speech(self) -> set[int]:
        """Find the first tokens of signs that are not spoken; inside of words - and ' are."""
        found = {self.encode(" -")[0], self.encode(" '")[0]}
        for symbol in (*_SYMBOLS, *_NOTES):
            for tokens in (self.encode(symbol), self.encode(f" {symbol}")):
                if len(tokens) == 1 or symbol in _NOTES:
                    found.add(tokens[0])
        return found
