"""What Whisper is told before it says anything."""

from dataclasses import dataclass

from auricle.decoding.filters import Tokens
from auricle.tokenizer.whisper import WhisperTokenizer


@dataclass(frozen=True, slots=True)
class Prompt:
    """Tokens, and where START stands among them: text that was said before comes first."""

    tokens: Tokens
    start: int = 0


def new_prompt(
    tokenizer: WhisperTokenizer,
    *,
    language: str | None,
    task: str,
    previous: Tokens,
    timestamps: bool,
) -> Prompt:
    """START, the language, the task, and whether times are wanted; `previous` text before it.

    Models for English alone are told neither the language nor the task: it is None for them.
    """
    tokens = [tokenizer.start]
    if language is not None:
        tokens += [tokenizer.languages[language], tokenizer.task(task)]
    if not timestamps:
        tokens.append(tokenizer.no_timestamps)
    before = (tokenizer.start_of_previous, *previous) if previous else ()
    return Prompt((*before, *tokens), len(before))


def previous_tokens(
    tokenizer: WhisperTokenizer, prompt: str | Tokens | None, context: int
) -> Tokens:
    """The end of what was said before: as much as leaves half of the `context` to the answer."""
    if not prompt:
        return ()
    said = tokenizer.encode(f" {prompt.strip()}") if isinstance(prompt, str) else prompt
    return tuple(said[-(context // 2 - 1) :])
