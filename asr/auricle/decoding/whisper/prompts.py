"""What Whisper is told before it says anything."""

from dataclasses import dataclass

from auricle.decoding.filters import Tokens
from auricle.tokenizer.whisper import WhisperTokenizer
from auricle_types.errors import InvalidOptionError


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


def plain_prompt(tokenizer: WhisperTokenizer) -> Prompt:
    """Of who asks for nothing: English, to be transcribed, without times."""
    language = "en" if "en" in tokenizer.languages else None
    return new_prompt(
        tokenizer, language=language, task="transcribe", previous=(), timestamps=False
    )


def prompt_tokens(tokenizer: WhisperTokenizer, prompt: str | Tokens | None) -> Tokens:
    """What was said before, as tokens: text begins with a space."""
    if isinstance(prompt, str):
        said = prompt.strip()
        return tuple(tokenizer.encode(f" {said}")) if said else ()
    return tuple(prompt or ())


def check_prompt(tokenizer: WhisperTokenizer, prompt: str | Tokens | None, context: int) -> None:
    """Raise InvalidOptionError: it is longer than the context, or its tokens are in no vocabulary.

    Half of the context is the answer's, so of a prompt that fits only as much as that is told.
    """
    told = prompt_tokens(tokenizer, prompt)
    if len(told) > context:
        raise InvalidOptionError(
            f"prompt has {len(told)} tokens where the context has {context}: shorten it, "
            f"the last {context // 2 - 1} are what is heard of it"
        )
    strangers = sorted({token for token in told if not 0 <= token < tokenizer.vocab_size})
    if strangers:
        raise InvalidOptionError(
            f"prompt: tokens {strangers} are not in the vocabulary of {tokenizer.vocab_size}"
        )
