"""experiment/options.py"""

import pytest

from experiment.errors import BadInput
from experiment.options import parse

REPLACEMENTS = {'soft': {'name': 'soft', 'tau': 0.5}, 'hard': {'name': 'hard'}}


def options(*words):
    return vars(parse('ddpg', 200, REPLACEMENTS, words))


def test_defaults():
    assert options() == {
        'episodes': 200,
        'seed': 1,
        'env': 'Pendulum-v0',
        'replacement': REPLACEMENTS['soft'],
        'threads': 1,
        'run': None,
    }


def test_each_option():
    words = '--episodes 3 --seed 4294967295 --env X-v0 --replacement hard --threads 2 --run here'
    assert options(*words.split()) == {
        'episodes': 3,
        'seed': 2**32 - 1,
        'env': 'X-v0',
        'replacement': REPLACEMENTS['hard'],
        'threads': 2,
        'run': 'here',
    }


@pytest.mark.parametrize(
    'words, says',
    [
        ('--episodes 0', "--episodes: needs a whole number of at least 1, got '0'"),
        ('--episodes -3', "--episodes: needs a whole number of at least 1, got '-3'"),
        ('--episodes x', "--episodes: needs a whole number of at least 1, got 'x'"),
        ('--episodes 1.5', "--episodes: needs a whole number of at least 1, got '1.5'"),
        ('--seed -1', "--seed: needs a whole number from 0 to 4294967295, got '-1'"),
        ('--seed 4294967296', '--seed: needs a whole number from 0 to 4294967295'),
        ('--threads 0', "--threads: needs a whole number of at least 1, got '0'"),
        ('--replacement medium', "--replacement: invalid choice: 'medium'"),
        ('--run', '--run: expected one argument'),
        ('--epis 3', 'unrecognized arguments: --epis 3'),
        ('extra', 'unrecognized arguments: extra'),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(words, says):
    with pytest.raises(BadInput) as refusal:
        options(*words.split())
    assert says in str(refusal.value)
    assert '--help' in str(refusal.value)
    assert '\n' not in str(refusal.value)


def test_help_explains_every_option_with_its_default(capsys):
    with pytest.raises(SystemExit) as ending:
        options('--help')
    assert ending.value.code == 0
    text = ' '.join(capsys.readouterr().out.split())
    for option, default in {
        '--episodes N': '200',
        '--seed N': '1',
        '--env NAME': 'Pendulum-v0',
        '--replacement {soft,hard}': 'soft',
        '--threads N': '1',
        '--run DIR': 'the first free runs/ddpg-N',
    }.items():
        explanation = text.split(f' {option} ')[-1]
        assert f'(default: {default})' in explanation.split(' --')[0]
