"""lab/options.py"""

import pytest

from lab.messages import UsageError
from lab.options import parse

NOT_GIVEN = dict(episodes=None, seed=None, env=None, replacement=None, eval_episodes=None, set=[])
NOT_GIVEN.update(run=None, resume=None, play=None, gif=None, page=None)
NOT_GIVEN.update(last=False, force=False, render=False, quiet=False)


def options(*words):
    return vars(parse('ddpg', 'Pendulum-v0', ['soft', 'hard'], words))


@pytest.mark.parametrize('words, given', [
    ('', {}),
    ('--episodes 3 --seed 0 --env X-v0 --run a --replacement hard --eval-episodes 0 --set VAR=1',
     dict(episodes=3, seed=0, env='X-v0', run='a', replacement='hard', eval_episodes=0,
          set=['VAR=1'])),
    ('--resume a --render --quiet', dict(resume='a', render=True, quiet=True)),
    ('--play a --last --gif b.gif --force', dict(play='a', last=True, gif='b.gif', force=True)),
    ('--play a --page b.html', dict(play='a', page='b.html')),
])  # fmt: skip
def test_each_option(words, given):
    assert options(*words.split()) == dict(NOT_GIVEN, **given)


@pytest.mark.parametrize('words, says', [
    ('--episodes 0', "--episodes: needs a whole number from 1 to 1000000000, got '0'"),
    ('--seed -1', "--seed: needs a whole number from 0 to 4294967295, got '-1'"),
    ('--epis 3', 'unrecognized arguments: --epis 3'),
    ('--play a --resume b', '--play takes no --resume'),
    ('--play a --set GAMMA=1', '--play takes no --set'),
    ('--resume a --seed 0', '--resume takes no --seed'),
    ('--page a.html', '--page goes with --play'),
    ('--run \udce4\udcb8', 'needs a name in UTF-8, got '),
])  # fmt: skip
def test_a_wrong_option_is_one_line_that_names_it(words, says):
    with pytest.raises(UsageError) as refusal:
        options(*words.split())
    assert says in str(refusal.value) and '--help' in str(refusal.value)
    assert '\n' not in str(refusal.value)


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit, match='^0$'):
        options('--help')
    text = capsys.readouterr().out
    names = [name.replace('_', '-') for name in NOT_GIVEN]
    assert [name for name in names if f' --{name} ' not in text] == []
