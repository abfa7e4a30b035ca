"""The teacher's case and punctuation where words agree, else the reference's word."""

import pytest

from auricle.training.labels.correction import corrected, similar

CASES = {
    "as heard": ("Is it so? Yes, it is.", "is it so yes it is", "Is it so? Yes, it is."),
    "another word": ("Which is the way?", "what is the way", "What is the way?"),
    "a name": ("I met Jon at the inn.", "i met john at the inn", "I met John at the inn."),
    "a word that is missing": ("He fell.", "and then he fell", "And then he fell."),
    "a word too many": ("The cat sat. Down.", "the cat sat", "The cat sat."),
    "a sentence that goes on": (
        "She ran. He fell.",
        "she ran and he fell",
        "She ran. And he fell.",
    ),
    "spelled letters": ("P-I-T-P-S.", "p i t t s", "P-I-T-T-S."),
    "an abbreviation": ("I saw the TV.", "i saw the t v", "I saw the TV."),
    "a hyphen": ("At the well-known inn.", "at the well known inn", "At the well-known inn."),
    "a compound": ("My well being is good.", "my wellbeing is good", "My well being is good."),
    "a title": ("Mr. Smith came.", "mister smith came", "Mr. Smith came."),
    "a title that is missing": ("Smith came.", "mister smith came", "Mr. Smith came."),
    "oneself": ("You and me.", "you and i", "You and I."),
    "half a quotation": ('"Go, he said.', "go he said", "Go, he said."),
    "half a bracket": ("Go (he said.", "go he said", "Go he said."),
    "a curly apostrophe": ("Don\u2019t go.", "don't go", "Don't go."),
    "a fragment": ("and so they", "and so they", "And so they"),
    "nothing heard": ("", "hello there", "Hello there."),
    "nothing said": ("You.", "", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text(name: str) -> None:
    heard, reference, expected = CASES[name]
    assert corrected(heard, reference).text == expected


def test_what_a_normaliser_makes_equal_is_as_heard() -> None:
    def digits(text: str) -> str:
        return text.lower().replace("thirty seven", "37").rstrip(".")

    assert corrected("Enter 37.", "enter thirty seven", digits).text == "Enter 37."
    assert corrected("Enter 37.", "enter thirty seven").text == "Enter thirty seven."


def test_agreement_is_the_share_of_the_reference() -> None:
    assert corrected("One two three.", "one two three").agreement == 1.0
    assert corrected("One two.", "one two three four").agreement == 0.5
    assert corrected("One two.", "").agreement == 0.0


def test_similarity_is_of_letters() -> None:
    assert similar("Well-known!", "well known") == 1.0
    assert similar("abcd", "efgh") == 0.0
