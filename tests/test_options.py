"""experiment/options.py"""

import pytest

from experiment.options import parse
from support.messages import BadInput

NOT_GIVEN = dict.fromkeys(
    ('episodes', 'seed', 'env', 'replacement', 'threads', 'run', 'resume', 'play', 'gif')
)
NOT_GIVEN.update(dict.fromkeys(('last', 'force', 'render', 'quiet'), False), set=[])


def options(*words):
    return vars(parse('ddpg', 'Pendulum-v0', ['soft', 'hard'], words))


GIVEN = {
    '': {},
    '--episodes 3 --seed 4294967295 --env X-v0': dict(episodes=3, seed=2**32 - 1, env='X-v0'),
    '--replacement hard --threads 2 --run a': dict(replacement='hard', threads=2, run='a'),
    '--seed 0 --set VAR=1 GAMMA=0.5': dict(seed=0, set=['VAR=1', 'GAMMA=0.5']),
    '--resume a --render --quiet': dict(resume='a', render=True, quiet=True),
    '--play a --last --gif b.gif --force': dict(play='a', last=True, gif='b.gif', force=True),
}


@pytest.mark.parametrize('words', GIVEN)
def test_each_option(words):
    assert options(*words.split()) == dict(NOT_GIVEN, **GIVEN[words])


@pytest.mark.parametrize('words, says', [
    ('--episodes 0', "--episodes: needs a whole number from 1 to 1000000000, got '0'"),
    ('--episodes x', "--episodes: needs a whole number from 1 to 1000000000, got 'x'"),
    ('--seed -1', "--seed: needs a whole number from 0 to 4294967295, got '-1'"),
    ('--seed 4294967296', '--seed: needs a whole number from 0 to 4294967295'),
    ('--threads 0', "--threads: needs a whole number from 1 to 256, got '0'"),
    ('--replacement medium', "--replacement: invalid choice: 'medium'"),
    ('--run', '--run: expected one argument'),
    ('--epis 3', 'unrecognized arguments: --epis 3'),
    ('extra', 'unrecognized arguments: extra'),
    ('--play a --resume b', '--play takes no --resume'),
    ('--play a --run b', '--play takes no --run'),
    ('--play a --replacement soft', '--play takes no --replacement'),
    ('--play a --threads 2', '--play takes no --threads'),
    ('--play a --set GAMMA=1', '--play takes no --set'),
    ('--resume a --run b', '--resume takes no --run'),
    ('--play a --gif b.gif --render', '--gif takes no --render'),
    ('--last', '--last goes with --play'),
    ('--gif a.gif', '--gif goes with --play'),
    ('--play a --force', '--force goes with --gif'),
])  # fmt: skip
def test_a_wrong_option_is_one_line_that_names_it(words, says):
    with pytest.raises(BadInput) as refusal:
        options(*words.split())
    assert says in str(refusal.value)
    assert '--help' in str(refusal.value)
    assert '\n' not in str(refusal.value)


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit, match='^0$'):
        options('--help')
    text = capsys.readouterr().out
    assert [name for name in NOT_GIVEN if f' --{name} ' not in text] == []
