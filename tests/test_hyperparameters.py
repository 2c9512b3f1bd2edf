"""lab/hyperparameters.py: a lesson's hyperparameters, whom they reach, and what --set takes."""

import pytest

import ddpg
from lab.hyperparameters import hyperparameters, load, parse_overrides, replacements, variant
from lab.messages import UsageError
from tests.helpers.environments import ENVIRONMENTS
from tests.helpers.lessons import LESSONS, Built, set_numbers, three_lessons
from tests.helpers.program import edited

NUMBERS = dict(HIDDEN_UNITS=7, MEMORY_CAPACITY=9, MAX_EP_STEPS=5, MAX_EPISODES=3, BATCH_SIZE=2)
NUMBERS.update(VAR=0.5, VAR_DECAY=0.9)


@three_lessons
def test_a_variants_numbers_and_those_set_in_a_notebook_count_for_it_alone(lesson, monkeypatch):
    before = {each: hyperparameters(each) for each in LESSONS}
    other = variant(lesson, NUMBERS)
    assert {each: hyperparameters(each) for each in LESSONS} == before
    set_numbers(monkeypatch, lesson, **NUMBERS)
    for module in (other, lesson, variant(lesson, {})):
        assert hyperparameters(module) == {**before[lesson], **NUMBERS}
        built = Built(module, ENVIRONMENTS[1](), seed=1)
        assert built.nets['actor'][0].shape[1] == built.nets['critic'][0].shape[1] == 7
        explored = [episode.var for episode in built.train()]
        assert explored == pytest.approx([0.5, 0.45, 0.5 * 0.9**6])  # 9 of 15 steps fill the memory
    for each in set(LESSONS) - {lesson}:
        assert hyperparameters(each) == before[each]


# ---------------------------------------------------------------- --set


def overrides(lesson, way, *words):
    return parse_overrides(words, hyperparameters(lesson), replacements(lesson)[way])


def test_set_changes_numbers_and_the_replacement_and_leaves_the_lessons_own():
    numbers, soft = overrides(ddpg, 'soft', 'tau=1', 'VAR=0', 'BATCH_SIZE=64')
    assert soft == dict(name='soft', tau=1.0)
    assert numbers == dict(hyperparameters(ddpg), VAR=0, BATCH_SIZE=64)
    assert overrides(ddpg, 'hard', 'rep_iter_a=7')[1] == dict(ddpg.HARD, rep_iter_a=7)
    assert (ddpg.VAR, ddpg.SOFT['tau'], ddpg.HARD['rep_iter_a']) == (3, 0.01, 600)


def test_set_knows_what_a_student_has_added(tmp_path):
    lesson = load(
        edited(tmp_path, {'\nGAMMA = 0.9': '\nGAMMA, SIZES, ALPHA, CLIP = 0.9, 5, 0.6, True'})
    )
    numbers, _ = overrides(lesson, 'soft', 'SIZES=-3', 'ALPHA=2', 'CLIP=False')
    assert [numbers[name] for name in ('SIZES', 'ALPHA', 'CLIP')] == [-3, 2.0, False]
    for word, says in (
        ('SIZES=1.5', 'SIZES must be a whole number'),
        ('ALPHA=inf', 'ALPHA = inf must be a number'),
        ('CLIP=1', 'CLIP must be True or False'),
    ):
        with pytest.raises(UsageError, match=says):
            overrides(lesson, 'soft', word)


@pytest.mark.parametrize('words, says', [
    ('GAMA=0.9', '--set GAMA=0.9: needs NAME=VALUE, with a NAME among MAX_EPISODES, '),
    ('GAMMA', '--set GAMMA: needs NAME=VALUE'),
    ('GAMMA=1.5', 'GAMMA = 1.5 must be a number from 0 to 1'),
    ('GAMMA=0,9', '--set GAMMA=0,9: GAMMA must be a number from 0 to 1'),
    ('HIDDEN_UNITS=30.0', 'HIDDEN_UNITS must be a whole number from 1 to 100000'),
    ('LR_A=nan', 'LR_A = nan must be a number from 0 to'),
    ('VAR=1 VAR=2', '--set VAR=2: VAR is set twice'),
    ('rep_iter_a=7', '--set rep_iter_a=7: needs NAME=VALUE'),
    ('name=7', '--set name=7: needs NAME=VALUE'),
])  # fmt: skip
def test_what_set_cannot_take_is_one_line_that_says_what_it_takes(words, says):
    with pytest.raises(UsageError) as refusal:
        overrides(ddpg, 'soft', *words.split())
    assert says in str(refusal.value) and '\n' not in str(refusal.value)


@pytest.mark.parametrize('old, new, says', [
    ('GAMMA = 0.9', 'GAMMA = 0,9', r'GAMMA = \(0, 9\) at the top of the file must be a number'),
    ("SOFT = dict(name='soft', tau=0.01)", "SOFT = dict(name='soft', tau=2)", 'tau = 2 must be'),
])  # fmt: skip
def test_an_edit_at_the_top_that_cannot_work_is_one_line(tmp_path, old, new, says):
    with pytest.raises(UsageError, match=says):
        overrides(load(edited(tmp_path, {f'\n{old}': f'\n{new}'})), 'soft')
