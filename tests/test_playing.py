"""lab/playing.py: policies that are loaded and played, by the command line and from Python."""

import os
import shutil
import threading

import numpy as np
import pytest

import ddpg
import robot_arm
from lab import load_policy
from lab.hyperparameters import load
from lab.messages import UsageError
from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, SMALL, bytes_of, line_of, python_blocks


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """The folder of a run with a best policy; copy it before changing it."""
    folder = tmp_path_factory.mktemp('trained')
    done = Forks(PROJECT / 'ddpg.py', folder).run(f'--episodes 9 --run here {SMALL} HIDDEN_UNITS=9')
    assert done.returncode == 0
    return folder / 'here'


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
    assert lines[10].startswith('Played the best policy of here for 10 episodes: mean return -')
    mean, deviation = (float(word) for word in lines[10].replace(',', '').split()[-4::3])
    assert mean == pytest.approx(np.mean(returns), abs=0.6)
    assert deviation == pytest.approx(np.std(returns), abs=0.6)
    assert forks.run('--play here --seed 5').out == done.out
    assert forks.run('--play here').out != done.out  # fresh starts
    last = forks.run('--play here --seed 5 --last')
    assert last.out.splitlines()[10].startswith('Played the last policy of here for 10')
    assert bytes_of(here) == before


def test_a_run_without_a_best_policy_plays_its_last_and_says_so(forks):
    assert forks.run('--episodes 1 --run short').returncode == 0
    done = forks.run('--play short --episodes 1')
    assert done.returncode == 0
    assert 'Played the last policy of short (no best one was kept) for 1 episodes' in done.out


CHANGES = {  # of the run's folder: what is played then, and the line
    'rm here/best.npz here/checkpoint.npz': ('', 'here holds no policy yet'),
    'echo > here/best.npz': ('', 'best.npz is damaged, or no file of ours ('),
    'echo > here/checkpoint.npz': ('--last', 'checkpoint.npz is damaged, or no file of ours ('),
    'mkdir here/x; ln -s x here/curve.gif': ('', 'here/curve.gif is a link or a special file'),
    'rm here/config.json': ('', 'here holds no run: it has no config.json'),
    'true': ('--env MountainCarContinuous-v0', 'here is a run in Pendulum-v0, not in Mountain'),
}


@pytest.mark.parametrize('change', CHANGES)
def test_what_cannot_be_played_is_one_line(forks, here, change):
    words, says = CHANGES[change]
    assert os.system(change) == 0
    before = bytes_of(here)
    line = line_of(forks.run(f'--play here {words}'), 2)
    assert says in line and 'delete' not in line
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


def test_best_and_last_are_loaded_from_any_thread_and_after_a_reload(here):
    found = []
    thread = threading.Thread(target=lambda: found.append(load_policy(ddpg, 'here')))
    thread.start()
    thread.join()
    s = np.ones(3)
    assert found[0](s) == load_policy(load(ddpg.__file__), 'here')(s)
    shutil.copy('here/checkpoint.npz', 'here/best.npz')
    assert load_policy(ddpg, 'here')(s) == load_policy(ddpg, 'here', last=True)(s)
    with pytest.raises(UsageError, match='there is no folder nowhere'):
        load_policy(ddpg, 'nowhere')
    with pytest.raises(UsageError, match='here is a run of ddpg.py: use that'):
        load_policy(robot_arm, 'here')


@pytest.mark.parametrize('env', ['MovesLate', 'GlobalRandom', 'Simulator'])
def test_an_environment_of_ones_own_is_named_and_played_from_where_one_stands(forks, tmp_path, env):
    """It may change the current folder; and its global generators are seeded too."""
    env, cwd = f'{OURS}{env}-v0', os.getcwd()
    words = f'--run here --env {env} {SMALL}'
    assert forks.run(f'--episodes 9 --eval-episodes 2 {words}').returncode == 0
    assert f'say so with --env {env}' in line_of(forks.run('--play here'), 2)
    played = [forks.run(f'--play here --env {env} --seed 3') for _ in 'ab']
    assert played[0] == played[1] and played[0].returncode == 0
    try:
        os.chdir(str(tmp_path))
        action = load_policy(ddpg, 'here', env=env)(np.ones(2 if env.endswith('Random-v0') else 3))
    finally:
        os.chdir(cwd)
    assert np.isfinite(action).all()


def test_two_films_to_one_name_at_the_same_time_are_one_whole_film(forks, here):
    words = '--play here --seed 3 --gif [1].gif'
    assert [done.returncode for done in forks.run_together(words, words)] == [0, 0]
    (film,) = here.parent.glob('*.gif*')
    assert film.read_bytes()[-1:] == b';'
    assert '[1].gif is already there' in line_of(forks.run(words), 2)
    whole = film.read_bytes()
    assert forks.run(f'{words} --force').returncode == 0
    assert film.read_bytes() == whole
