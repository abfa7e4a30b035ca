"""The prompts of Whisper's decoder."""

from dataclasses import dataclass

from auricle.decoding.logits_processors import Tokens
from auricle.families.whisper.tokenizer import WhisperTokenizer
from auricle_types.errors import InvalidOptionError


@dataclass(frozen=True, slots=True)
class Prompt:
    """Tokens, and the index of START among them: the text of earlier audio comes first."""

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
    """Join the `previous` text, START, the language, the task, and whether to predict timestamps.

    Models for English alone take neither the language, which is None for them, nor the task.
    """
    tokens = [tokenizer.start]
    if language is not None:
        tokens += [tokenizer.languages[language], tokenizer.task(task)]
    if not timestamps:
        tokens.append(tokenizer.no_timestamps)
    before = (tokenizer.start_of_previous, *previous) if previous else ()
    return Prompt((*before, *tokens), len(before))


def plain_prompt(tokenizer: WhisperTokenizer) -> Prompt:
    """Make the prompt of plain options: English, to be transcribed, without timestamps."""
    language = "en" if "en" in tokenizer.languages else None
    return new_prompt(
        tokenizer, language=language, task="transcribe", previous=(), timestamps=False
    )


def prompt_tokens(tokenizer: WhisperTokenizer, prompt: str | Tokens | None) -> Tokens:
    """Turn the text of earlier audio into tokens: it begins with a space."""
    if isinstance(prompt, str):
        text = prompt.strip()
        return tuple(tokenizer.encode(f" {text}")) if text else ()
    return tuple(prompt or ())


def check_prompt(tokenizer: WhisperTokenizer, prompt: str | Tokens | None, context: int) -> None:
    """Raise InvalidOptionError: it is longer than the context, or its tokens are in no vocabulary.

    Half of the context is for the text, so only the last part of a long prompt is used.
    """
    tokens = prompt_tokens(tokenizer, prompt)
    if len(tokens) > context:
        raise InvalidOptionError(
            f"prompt has {len(tokens)} tokens where the context has {context}: shorten it, "
            f"the last {context // 2 - 1} are used"
        )
    unknown = sorted({token for token in tokens if not 0 <= token < tokenizer.vocab_size})
    if unknown:
        raise InvalidOptionError(
            f"prompt: tokens {unknown} are not in the vocabulary of {tokenizer.vocab_size}"
        )
