"""lab/options.py"""

import pytest

from lab.messages import UsageError
from lab.options import parse

NOT_GIVEN = dict(episodes=None, seed=None, env=None, replacement=None, eval_episodes=None, set=[])
NOT_GIVEN.update(run=None, resume=None, play=None, gif=None, page=None)
NOT_GIVEN.update(last=False, force=False, render=False, quiet=False)


def options(*words):
    return vars(parse('ddpg', 'Pendulum-v0', ['soft', 'hard'], words))


GIVEN = {
    '': {},
    '--episodes 3 --seed 4294967295 --env X-v0': dict(episodes=3, seed=2**32 - 1, env='X-v0'),
    '--replacement hard --eval-episodes 0 --run a': dict(
        replacement='hard', eval_episodes=0, run='a'
    ),
    '--seed 0 --set VAR=1 GAMMA=0.5': dict(seed=0, set=['VAR=1', 'GAMMA=0.5']),
    '--resume a --render --quiet': dict(resume='a', render=True, quiet=True),
    '--play a --seed 0 --last --gif b.gif --force': dict(
        play='a', seed=0, last=True, gif='b.gif', force=True
    ),
    '--play a --page b.html': dict(play='a', page='b.html'),
}


@pytest.mark.parametrize('words', GIVEN)
def test_each_option(words):
    assert options(*words.split()) == dict(NOT_GIVEN, **GIVEN[words])


@pytest.mark.parametrize('words, says', [
    ('--episodes 0', "--episodes: needs a whole number from 1 to 1000000000, got '0'"),
    ('--seed -1', "--seed: needs a whole number from 0 to 4294967295, got '-1'"),
    ('--eval-episodes -1', '--eval-episodes: needs a whole number from 0 to 100000'),
    ('--replacement medium', "--replacement: invalid choice: 'medium'"),
    ('--run', '--run: expected one argument'),
    ('--epis 3', 'unrecognized arguments: --epis 3'),
    ('extra', 'unrecognized arguments: extra'),
    ('--play a --resume b', '--play takes no --resume'),
    ('--play a --set GAMMA=1', '--play takes no --set'),
    ('--resume a --seed 0', '--resume takes no --seed'),
    ('--resume a --set GAMMA=1', '--resume takes no --set'),
    ('--play a --gif b.gif --render', '--gif takes no --render'),
    ('--play a --gif b.gif --page c.html', '--gif takes no --page'),
    ('--last', '--last goes with --play'),
    ('--page a.html', '--page goes with --play'),
    ('--play a --force', '--force goes with --gif or --page'),
])  # fmt: skip
def test_a_wrong_option_is_one_line_that_names_it(words, says):
    with pytest.raises(UsageError) as refusal:
        options(*words.split())
    assert says in str(refusal.value)
    assert '--help' in str(refusal.value)
    assert '\n' not in str(refusal.value)


@pytest.mark.parametrize('name', ['', ' ', 'r\udcff', '\udce4\udcb8'])
def test_a_name_that_no_file_of_the_run_could_have_is_refused(name):
    for option in ('--run', '--resume', '--play', '--env', '--gif'):
        with pytest.raises(UsageError, match='needs a name in UTF-8, got '):
            options(option, name)


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit, match='^0$'):
        options('--help')
    text = capsys.readouterr().out
    names = [name.replace('_', '-') for name in NOT_GIVEN]
    assert [name for name in names if f' --{name} ' not in text] == []
