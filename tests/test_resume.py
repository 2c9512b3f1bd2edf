"""Runs that are stopped, killed and resumed, through the real command line: the same bytes."""

import json
import os
import re
import subprocess

import pytest

from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, SMALL, rewards, rows
from tests.test_folder import scalars

JOINTS, INCIDENTS = f'--env {OURS}ThreeJoints-v0', '--env tests.helpers.incidents:Incidents-v0'
WORDS = f'--episodes 34 --quiet {INCIDENTS} {SMALL} --eval-episodes'


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    """The folder of a run to whose environment nothing happened."""
    folder = tmp_path_factory.mktemp('whole')
    done = Forks(PROJECT / 'ddpg.py', folder).run(f'{WORDS} 2 --run whole')
    assert done.returncode == 0, done.err
    return folder / 'whole'


def same_run(one, other):
    """Whether two runs' tables, best policies and last checkpoints are the same bytes."""
    names = 'rewards.csv', 'best.npz', 'checkpoint.npz'
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


# ---------------------------------------------------------------- exactly the same

AFTER = 'stopped, after {}; what was saved is kept; resume'
ENDS = [  # what a process is sent, in which of its steps; its exit code and line
    ('4:9', -9, ''),
    ('4:15', 143, AFTER.format('episode 0')),
    ('399:2', 130, AFTER.format('episode 8')),
    ('45:1', 129, AFTER.format('episode 10')),
    ('415:2 417:2', 130, 'stopped at once, after episode 18; what was saved is kept; resume'),
    ('420:9', -9, ''),
]


def test_a_run_that_is_ended_often_is_that_of_one_that_never_was(
    forks, whole, tmp_path, monkeypatch
):
    words = f'{WORDS} 2 --run here'
    for orders, code, says in ENDS:
        monkeypatch.setenv('ORDERS', orders)
        done = forks.run(words)
        words = f'--resume here {INCIDENTS}'
        assert done.err == (f'ddpg.py: {says} with: python ddpg.py {words}\n' if says else '')
        assert done.returncode == code
        words += ' --quiet'
    monkeypatch.delenv('ORDERS')
    assert forks.run(words).returncode == 0
    assert same_run(tmp_path / 'here', whole)
    assert scalars(tmp_path / 'here').keys() == scalars(whole).keys()  # TensorBoard's points
    played = [forks.run(f'--play here {INCIDENTS} --seed 3 --episodes 2') for _ in 'ab']
    assert played[0] == played[1] and played[0].returncode == 0
    assert os.listdir(str(tmp_path)) == ['here']


def test_evaluations_leave_the_rewards_alone(forks, whole, tmp_path):
    assert forks.run(f'{WORDS} 0 --run here').returncode == 0
    assert (whole / 'best.npz').exists() and not (tmp_path / 'here' / 'best.npz').exists()
    assert rewards(tmp_path / 'here') == rewards(whole)


EDITS = [
    'rm here/*',
    'cp here/rewards.csv x; mv x here/rewards.csv; touch here/x; echo {} > here/config.json',
]


@pytest.mark.parametrize('edit', EDITS)
def test_what_somebody_does_to_its_files_costs_a_run_nothing(
    forks, whole, tmp_path, monkeypatch, edit
):
    """Nor if it is killed, once it has been saved again: episode 20 is, and episode 21 is not."""
    monkeypatch.setenv('INCIDENT', f'930 cd {tmp_path}; {edit}')
    monkeypatch.setenv('ORDERS', '1100:9')
    done = forks.run(f'{WORDS} 2 --run here')
    assert done.returncode == -9
    for name in ('rewards.csv', 'config.json'):
        assert f'here/{name} was removed or changed meanwhile: it is rewritten\n' in done.err
    monkeypatch.delenv('INCIDENT')
    monkeypatch.delenv('ORDERS')
    assert forks.run(f'--resume here --quiet {INCIDENTS}').returncode == 0
    assert same_run(tmp_path / 'here', whole)
    assert forks.run(f'--resume here --episodes 35 {INCIDENTS}').returncode == 0
    assert forks.run(f'--play here --episodes 1 {INCIDENTS}').returncode == 0


KILLS = {  # before which call of which function of C, in a run that saves twice
    'ddpg': 'posix.replace:2 None.BufferedWriter.write:90',
    'ddpg_update': 'posix.fsync:8',
    'ddpg_update2': 'None.FileIO.write:17',
    'robot_arm': 'posix.replace:5',
}


@pytest.mark.parametrize('program', KILLS)
def test_killed_in_the_middle_of_a_save_each_program_resumes_to_the_same_bytes(tmp_path, program):
    forks, here = Forks(PROJECT / f'{program}.py', tmp_path), tmp_path / 'here'
    words = f'--episodes 23 {SMALL} HIDDEN_UNITS=10 --eval-episodes 2 --quiet --run'
    assert forks.run(f'{words} whole').returncode == 0
    words = f'{words} here'
    for kill in KILLS[program].split():
        assert forks.run(words, kill=kill).returncode == -9, kill
        words = '--resume here --quiet'
    done = forks.run(words)
    assert done.returncode == 0, done.err
    assert same_run(here, tmp_path / 'whole')
    assert not list(here.glob('*.part'))
    assert {'curve.png', 'run.html', 'config.json'} <= set(os.listdir(str(here)))
    assert forks.run('--play here --episodes 1').returncode == 0


def test_a_finished_run_is_trained_further_as_if_it_had_not_ended(forks, tmp_path):
    """In an environment that has no module, and is not the lesson's own; on other versions."""
    for name, episodes in (('whole', 22), ('here', 12)):
        words = f'--episodes {episodes} --run {name} --env MountainCarContinuous-v0 {SMALL}'
        assert forks.run(words).returncode == 0
    place = tmp_path / 'here' / 'config.json'
    config = json.loads(place.read_text())
    now, config['versions']['numpy'] = config['versions']['numpy'], '1.0'
    place.write_text(json.dumps(config))
    done = forks.run('--resume here --episodes 22')
    assert f'resumed on numpy {now} (was 1.0): rewards may differ from here on\n' in done.err
    assert done.out.splitlines()[-1].startswith('Trained 10 episodes in 0:')
    again = forks.run('--resume here')
    assert re.match(r'Trained 0 episodes in 0:\d\d:\d\d, mean return of the last 20: -', again.out)
    assert 'resumed on' not in again.err and 'see its kept policy with' in again.out
    assert rewards(tmp_path / 'here') == rewards(tmp_path / 'whole')
    config = json.loads(place.read_text())
    assert (config['episodes'], config['versions']['numpy']) == (22, '1.0')
    ((episode, versions),) = (each.values() for each in config['resumed'])
    assert (episode, versions['numpy']) == (12, now)


OTHER = os.environ.get('OTHER_PYTHON')  # one with the other TensorFlow


@pytest.mark.skipif(not OTHER, reason='OTHER_PYTHON names no Python with the other TensorFlow')
def test_a_run_is_resumed_under_the_other_tensorflow(forks, tmp_path):
    words = f'{PROJECT / "ddpg.py"} --episodes 25 --run here {SMALL}'
    assert subprocess.run([OTHER, *words.split()], cwd=str(tmp_path)).returncode == 0
    before = rewards(tmp_path / 'here')
    done = forks.run('--resume here --episodes 40')
    assert done.returncode == 0 and 'rewards may differ from here on' in done.err
    assert rewards(tmp_path / 'here').startswith(before)
    assert len(rows(tmp_path / 'here')) == 40
    assert forks.run('--play here --episodes 2').returncode == 0


# ---------------------------------------------------------------- folders


def test_two_at_once_share_no_folder_and_the_same_seed_gives_the_same_bytes(forks, tmp_path):
    words = f'--episodes 8 --quiet {JOINTS} {SMALL}'
    done = forks.run_together(words, words, f'{words} --run other --seed 2')
    assert [each.returncode for each in done] == [0, 0, 0]
    one = tmp_path / 'runs' / 'ddpg-1'
    assert rewards(one) == rewards(tmp_path / 'runs' / 'ddpg-2')
    pairs = zip(rows(one), rows(tmp_path / 'other'))
    assert all(a['reward'] != b['reward'] for a, b in pairs)
    done = forks.run_together(*[f'{words} --run here'] * 2)
    assert sorted(each.returncode for each in done) == [0, 2]
    assert rewards(tmp_path / 'here') == rewards(one)


@pytest.mark.parametrize('name', ['ram://lr[0.1]', r'--跑 a\b'])
def test_no_name_of_a_folder_is_a_pattern_or_a_scheme_to_anybody(forks, tmp_path, name):
    (tmp_path / '[proj]').mkdir()
    forks.folder = tmp_path / '[proj]'
    words = ['--episodes', '6', *JOINTS.split(), *SMALL.split()]
    assert forks.run(f'--run={name}', *words).returncode == 0
    assert forks.run(f'--resume={name}', *JOINTS.split(), '--episodes', '7').returncode == 0
    assert forks.run(f'--play={name}', *JOINTS.split(), '--episodes', '1').returncode == 0
    here = tmp_path / '[proj]' / name
    assert len(rows(here)) == 7 and len(list(here.glob('events.*'))) == 2
    assert {'checkpoint.npz', 'best.npz', 'curve.png', 'config.json'} < set(os.listdir(str(here)))
