from collections import Counter
from itertools import islice

import numpy as np

from auricle.training.synthesis.plan import Plan, weighted_order
from auricle.training.synthesis.sentences import Sentence
from auricle.training.synthesis.voices import PITCH_RANGE, RATE_RANGE, Voice, draw_voice

CAST = {"flite": ["rms", "slt"], "espeak-ng": ["en-us+f1", "en-gb+m1", "en-gb+m2"]}
SENTENCES = [Sentence(f"line {i}", f"Line {i}.") for i in range(20)]


def test_an_order_is_a_permutation_that_the_seed_decides() -> None:
    order = weighted_order([1.0] * 50, seed=3)
    assert sorted(order) == list(range(50))
    assert order == weighted_order([1.0] * 50, seed=3)
    assert order != weighted_order([1.0] * 50, seed=4)


def test_heavy_lines_come_first_in_proportion() -> None:
    weights = [3.0] * 5000 + [1.0] * 5000
    heavy = sum(index < 5000 for index in weighted_order(weights, seed=0)[:500])
    # 500 draws with p = 3/4: four standard deviations are 39
    assert abs(heavy - 375) < 39


def test_a_plan_can_be_entered_anywhere() -> None:
    plan = Plan(SENTENCES, CAST, seed=1)
    through = list(islice(plan.utterances(), 30))
    assert list(islice(plan.utterances(start=17), 13)) == through[17:]
    assert [utterance.index for utterance in through] == list(range(30))


def test_sentences_come_back_by_other_voices() -> None:
    plan = Plan(SENTENCES, CAST, seed=1)
    once, again = plan.utterance(4), plan.utterance(24)
    assert once.sentence == again.sentence
    assert once.voice != again.voice
    assert len({plan.utterance(i).sentence.text for i in range(20)}) == 20


def test_seeds_change_sentences_and_voices() -> None:
    one, two = Plan(SENTENCES, CAST, seed=1), Plan(SENTENCES, CAST, seed=2)
    assert [one.utterance(i).sentence for i in range(5)] != [
        two.utterance(i).sentence for i in range(5)
    ]
    assert one.utterance(0).voice != two.utterance(0).voice


def test_identity_tells_plans_apart() -> None:
    same = Plan(SENTENCES, CAST, seed=1).identity()
    assert Plan(list(SENTENCES), dict(reversed(CAST.items())), seed=1).identity() == same
    others = [
        Plan(SENTENCES, CAST, seed=2),
        Plan(SENTENCES[1:], CAST, seed=1),
        Plan(SENTENCES, {"flite": ["rms"]}, seed=1),
    ]
    assert all(other.identity() != same for other in others)


def test_voices_are_drawn_from_the_whole_cast_within_the_ranges() -> None:
    voices = [draw_voice(np.random.default_rng(i), CAST) for i in range(300)]
    assert {(v.engine, v.name) for v in voices} == {(e, n) for e in CAST for n in CAST[e]}
    assert all(PITCH_RANGE[0] <= v.pitch <= PITCH_RANGE[1] for v in voices)
    assert all(RATE_RANGE[0] <= v.rate <= RATE_RANGE[1] for v in voices)
    # engines are equally likely, however many speakers they have: six standard deviations
    assert abs(Counter(v.engine for v in voices)["flite"] - 150) < 52


def test_a_speaker_is_one_whatever_the_pitch() -> None:
    assert Voice("flite", "slt", pitch=0.8).speaker == Voice("flite", "slt").speaker == "flite-slt"
