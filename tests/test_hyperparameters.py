"""lab/hyperparameters.py: a lesson's hyperparameters, whom they reach, and what --set takes."""

import pytest

import ddpg
import robot_arm
from lab.hyperparameters import hyperparameters, load, parse_overrides, replacements, variant
from lab.messages import UsageError
from tests.helpers.environments import ENVIRONMENTS
from tests.helpers.lessons import LESSONS, Built, set_numbers, three_lessons

SMALL = dict(HIDDEN_UNITS=7, MEMORY_CAPACITY=9, MAX_EP_STEPS=5, MAX_EPISODES=3, BATCH_SIZE=2)

# ---------------------------------------------------------------- whom they reach


@three_lessons
def test_a_variant_builds_and_trains_with_its_numbers_and_changes_no_other_module(lesson):
    before = hyperparameters(lesson)
    other = variant(lesson, dict(SMALL, VAR=0.5))
    built = Built(other, ENVIRONMENTS[1](), seed=1)
    assert built.nets['actor'][0].shape[1] == built.nets['critic'][0].shape[1] == 7
    episodes = built.train()
    assert [episode.index for episode in episodes] == [0, 1, 2]
    assert episodes[-1].var == pytest.approx(0.5 * 0.9998**6)  # 15 steps, of which 9 fill it
    assert hyperparameters(other) == dict(before, VAR=0.5, **SMALL)
    assert hyperparameters(lesson) == before


@three_lessons
def test_what_one_sets_in_a_notebook_counts_for_this_lesson_alone(lesson, monkeypatch):
    set_numbers(monkeypatch, lesson, VAR=0.5, VAR_DECAY=0.9, **SMALL)
    episodes = Built(lesson, ENVIRONMENTS[1](), seed=1).train()
    assert [episode.var for episode in episodes] == pytest.approx([0.5, 0.45, 0.5 * 0.9**6])
    for other in set(LESSONS) - {lesson}:
        built = Built(other, ENVIRONMENTS[1](), seed=1)
        assert [episode.var for episode in built.train(1)] == [3]
        assert (built.memory.pointer, built.nets['actor'][0].shape[1]) == (200, 30)


def test_the_robot_arm_is_ddpg_with_its_own_numbers_called_from_python_too():
    for arm in (robot_arm.lesson(), load(robot_arm.__file__)):
        built = Built(arm, robot_arm.Arm(), seed=1)
        assert (built.memory.capacity, built.nets['actor'][0].shape[1]) == (30000, 300)
        assert variant(arm, dict(GAMMA=0.5)).VAR == arm.VAR == 1
    assert ddpg.HIDDEN_UNITS == 30


def test_the_file_is_read_as_it_is_now(tmp_path):
    """It may have been edited since somebody imported it."""
    path = edited(tmp_path, 'GAMMA = 0.9', 'GAMMA = 0.8')
    lesson = load(path)
    edited(tmp_path, 'GAMMA = 0.9', 'GAMMA = 0.75')
    assert (lesson.GAMMA, load(path).GAMMA) == (0.8, 0.75)


def edited(folder, old, new):
    """Write ddpg.py with one line changed into `folder`, and return its path."""
    with open(ddpg.__file__, encoding='utf-8') as file:
        text = file.read()
    assert text.count(f'\n{old}') == 1
    (folder / 'copy.py').write_text(text.replace(f'\n{old}', f'\n{new}'), encoding='utf-8')
    return str(folder / 'copy.py')


# ---------------------------------------------------------------- --set


def overrides(lesson, way, *words):
    return parse_overrides(words, hyperparameters(lesson), way and replacements(lesson)[way])


@three_lessons
def test_set_takes_every_hyperparameter_of_a_lesson(lesson):
    numbers = hyperparameters(lesson)
    words = [f'{name}={value}' for name, value in numbers.items()]
    assert parse_overrides(words, numbers) == (numbers, None)
    assert {type(value) for value in numbers.values()} == {int, float}


def test_set_changes_numbers_and_the_replacement_and_leaves_the_lessons_own():
    numbers, soft = overrides(ddpg, 'soft', 'tau=1', 'VAR=0', 'BATCH_SIZE=64')
    assert soft == dict(name='soft', tau=1.0)
    assert (numbers['VAR'], numbers['BATCH_SIZE'], numbers['GAMMA']) == (0.0, 64, 0.9)
    assert overrides(ddpg, 'hard', 'rep_iter_a=7')[1] == dict(ddpg.HARD, rep_iter_a=7)
    assert (ddpg.VAR, ddpg.SOFT['tau'], ddpg.HARD['rep_iter_a']) == (3, 0.01, 600)


def test_set_knows_what_a_student_has_added(tmp_path):
    lesson = load(edited(tmp_path, 'GAMMA = 0.9', 'GAMMA, SIZES, ALPHA, CLIP = 0.9, 5, 0.6, True'))
    numbers, _ = overrides(lesson, None, 'SIZES=-3', 'ALPHA=2', 'CLIP=False')
    assert [numbers[name] for name in ('SIZES', 'ALPHA', 'CLIP')] == [-3, 2.0, False]
    for word, says in (
        ('SIZES=1.5', 'SIZES must be a whole number'),
        ('ALPHA=inf', 'ALPHA = inf must be a number'),
        ('CLIP=1', 'CLIP must be True or False'),
    ):
        with pytest.raises(UsageError, match=says):
            overrides(lesson, None, word)


@pytest.mark.parametrize('words, says', [
    ('GAMA=0.9', '--set GAMA=0.9: needs NAME=VALUE, with a NAME among MAX_EPISODES, '),
    ('GAMMA', '--set GAMMA: needs NAME=VALUE'),
    ('GAMMA=1.5', 'GAMMA = 1.5 must be a number from 0 to 1'),
    ('GAMMA=0,9', '--set GAMMA=0,9: GAMMA must be a number from 0 to 1'),
    ('HIDDEN_UNITS=30.0', 'HIDDEN_UNITS must be a whole number from 1 to 100000'),
    ('HIDDEN_UNITS=0', 'HIDDEN_UNITS = 0 must be a whole number from 1 to'),
    ('LR_A=nan', 'LR_A = nan must be a number from 0 to'),
    ('VAR=-1', 'VAR = -1.0 must be a number from 0 to'),
    ('REWARD_SCALE=0', 'REWARD_SCALE = 0.0 must be a number from'),
    ('VAR=1 VAR=2', '--set VAR=2: VAR is set twice'),
    ('rep_iter_a=7', '--set rep_iter_a=7: needs NAME=VALUE'),
    ('name=7', '--set name=7: needs NAME=VALUE'),
    ('ENV_NAME=7', '--set ENV_NAME=7: needs NAME=VALUE'),
    ('tau=2', 'tau = 2.0 must be a number from 0 to 1'),
])  # fmt: skip
def test_what_set_cannot_take_is_one_line_that_says_what_it_takes(words, says):
    with pytest.raises(UsageError) as refusal:
        overrides(ddpg, 'soft', *words.split())
    assert says in str(refusal.value) and '\n' not in str(refusal.value)


@pytest.mark.parametrize('old, new, says', [
    ('MEMORY_CAPACITY = 10000', 'MEMORY_CAPACITY = 0.5', 'MEMORY_CAPACITY = 0.5 at the top of the'),
    ('GAMMA = 0.9', 'GAMMA = 0,9', r'GAMMA = \(0, 9\) at the top of the file must be a number'),
    ('BATCH_SIZE = 32', 'BATCH_SIZE = True', 'BATCH_SIZE = True at the top'),
    ("SOFT = dict(name='soft', tau=0.01)", "SOFT = dict(name='soft', tau=2)", 'tau = 2 must be'),
])  # fmt: skip
def test_an_edit_at_the_top_that_cannot_work_is_one_line(tmp_path, old, new, says):
    lesson = load(edited(tmp_path, old, new))
    with pytest.raises(UsageError, match=says):
        hyperparameters(lesson), replacements(lesson)
