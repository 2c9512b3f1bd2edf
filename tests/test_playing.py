"""lab/playing.py: policies that are loaded and played, by the command line and from Python."""

import shutil

import numpy as np
import pytest

import ddpg
import robot_arm
from lab import load_policy
from lab.messages import UsageError
from tests.helpers.forks import train_here
from tests.helpers.program import OURS, SMALL, bytes_of, line_of, python_blocks


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """The folder of a run with a best policy; copy it before changing it."""
    return train_here(tmp_path_factory.mktemp('trained'))


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    """A copy of it, in the current folder."""
    shutil.copytree(str(trained), str(tmp_path / 'here'))
    monkeypatch.chdir(tmp_path)
    return tmp_path / 'here'


def test_play_prints_ten_returns_and_changes_nothing(forks, here):
    before = bytes_of(here)
    done = forks.run('--play here --seed 5')
    assert (done.returncode, done.err) == (0, '')
    lines = done.out.splitlines()
    returns = [float(line.split()[-1]) for line in lines[:10]]
    assert lines[10].startswith('Played the kept policy of here for 10 episodes: mean return -')
    mean, deviation = (float(word) for word in lines[10].replace(',', '').split()[-4::3])
    assert mean == pytest.approx(np.mean(returns), abs=0.6)
    assert deviation == pytest.approx(np.std(returns), abs=0.6)
    assert forks.run('--play here --seed 5').out == done.out
    assert forks.run('--play here').out != done.out  # fresh starts
    last = forks.run('--play here --seed 5 --last')
    assert last.out.splitlines()[10].startswith('Played the last policy of here for 10')
    assert bytes_of(here) == before


def test_the_pages_lines_load_the_policy_with_the_runs_numbers_and_its_weights(here):
    """Without TensorFlow the same weights give the same action; nobody's module is changed."""
    names = dict(s=np.array([1.0, 0.0, 0.5]))
    for block in python_blocks('running')[:2]:
        exec(block.replace('runs/ddpg-1', str(here)), names)
        names.setdefault('loaded', names['a'])
    assert names['loaded'].shape == (1,) and abs(names['loaded']) <= 2
    assert names['a'] == pytest.approx(names['loaded'], abs=1e-5)
    assert (ddpg.HIDDEN_UNITS, ddpg.MAX_EP_STEPS) == (30, 200)


def test_the_last_policy_is_that_of_the_checkpoint_and_what_is_no_run_of_it_is_refused(here):
    with np.load('here/checkpoint.npz') as arrays:
        changed = {**arrays, 'Actor/eval_net/a/b': arrays['Actor/eval_net/a/b'] + 1}
    np.savez('here/checkpoint.npz', **changed)
    s = np.ones(3)
    last = load_policy(ddpg, 'here', last=True)(s)
    assert last != load_policy(ddpg, 'here')(s)
    shutil.copy('here/checkpoint.npz', 'here/best.npz')
    assert last == load_policy(ddpg, 'here')(s)
    with pytest.raises(UsageError, match='there is no folder nowhere'):
        load_policy(ddpg, 'nowhere')
    with pytest.raises(UsageError, match='here is a run of ddpg.py: use that'):
        load_policy(robot_arm, 'here')


def test_an_environment_of_ones_own_is_named_and_its_global_generators_are_seeded(
    forks, tmp_path, monkeypatch
):
    env = f'{OURS}GlobalRandom-v0'
    assert forks.run(f'--episodes 9 --run here --env {env} {SMALL}').returncode == 0
    played = [forks.run(f'--play here --env {env} --seed 3') for _ in 'ab']
    assert played[0] == played[1] and played[0].returncode == 0
    monkeypatch.chdir(tmp_path)
    assert abs(load_policy(ddpg, 'here', env=env)(np.ones(2))) <= 1
    with pytest.raises(UsageError, match=f'say so with --env {env}'):
        load_policy(ddpg, 'here')


def test_two_films_to_one_name_at_the_same_time_are_one_whole_film(forks, here):
    words = '--play here --seed 3 --gif [1].gif'
    assert [done.returncode for done in forks.run_together(words, words)] == [0, 0]
    (film,) = here.parent.glob('*.gif*')
    assert film.read_bytes()[-1:] == b';'
    assert '[1].gif is already there' in line_of(forks.run(words), 2)
    whole = film.read_bytes()
    assert forks.run(f'{words} --force').returncode == 0
    assert film.read_bytes() == whole
