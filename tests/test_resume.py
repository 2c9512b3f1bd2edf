"""Runs that are stopped, killed and resumed, through the real command line: the same bytes."""

import json
import os
import re
import subprocess

import pytest

from tests.helpers.forks import Forks
from tests.helpers.program import OURS, PROJECT, SMALL, rewards, rows

JOINTS, OBEYS = f'--env {OURS}ThreeJoints-v0', f'--env {OURS}Obeys-v0'
INCIDENTS = '--env tests.helpers.incidents:Incidents-v0'


def same_run(one, other):
    """Whether two runs' tables, best policies and last checkpoints are the same bytes."""
    names = 'rewards.csv', 'best.npz', 'checkpoint.npz'
    return all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


def steps(events):
    """Return {(tag, step)} of what TensorBoard shows of a run."""
    from tests.test_folder import scalars

    os.chdir(str(events))
    return set(scalars())


# ---------------------------------------------------------------- exactly the same

AFTER = 'stopped, after {}; what was saved is kept; resume'
ENDS = [  # what a process is sent, in which of its steps; its exit code and line
    ('4:9', -9, ''),
    ('4:15', 143, AFTER.format('episode 0')),
    ('150:9', -9, ''),
    ('399:2', 130, AFTER.format('episode 8')),
    ('401:15', 143, AFTER.format('episode 16')),
    ('45:1', 129, AFTER.format('episode 18')),
    ('415:2 417:2', 130, 'stopped at once, after episode 26; what was saved is kept; resume'),
    ('420:9', -9, ''),
]


def test_a_run_that_is_ended_often_is_that_of_one_that_never_was(forks, tmp_path, monkeypatch):
    words = f'--episodes 45 {OBEYS} {SMALL} --eval-episodes 2 --run'
    assert forks.run(f'{words} whole').returncode == 0
    words = f'{words} here'
    for orders, code, says in ENDS:
        monkeypatch.setenv('ORDERS', orders)
        done = forks.run(words)
        words = f'--resume here {OBEYS}'
        assert done.err == (f'ddpg.py: {says} with: python ddpg.py {words}\n' if says else '')
        assert done.returncode == code
    monkeypatch.delenv('ORDERS')
    assert forks.run(words).returncode == 0
    assert same_run(tmp_path / 'here', tmp_path / 'whole')
    assert steps(tmp_path / 'here') == steps(tmp_path / 'whole')  # TensorBoard's points, `best` too


KILLS = {  # before which call of which function of C, in a run that saves twice
    'ddpg': 'posix.replace:2 None.FileIO.write:15 None.BufferedWriter.write:90',
    'ddpg_update': 'posix.fsync:8',
    'ddpg_update2': 'None.FileIO.write:17',
    'robot_arm': 'posix.replace:5',
}


@pytest.mark.parametrize('program', KILLS)
def test_killed_in_the_middle_of_a_save_each_program_resumes_to_the_same_bytes(tmp_path, program):
    forks = Forks(PROJECT / f'{program}.py', tmp_path)
    words = f'--episodes 23 {SMALL} HIDDEN_UNITS=10 --eval-episodes 2 --quiet --run'
    assert forks.run(f'{words} whole').returncode == 0
    words = f'{words} here'
    for kill in KILLS[program].split():
        assert forks.run(words, kill=kill).returncode == -9, kill
        words = '--resume here --quiet'
    done = forks.run(words)
    assert done.returncode == 0, done.err
    assert same_run(tmp_path / 'here', tmp_path / 'whole')
    assert not list((tmp_path / 'here').glob('*.part'))


@pytest.mark.parametrize('env', ['DrawsFromEverywhere', 'MovesLate', 'Port'])
def test_in_whatever_environment_it_is_the_same_and_none_is_lost(forks, tmp_path, env):
    """Random generators of each kind, a current folder that changes, an environment that is one."""
    words = f'--episodes 25 --env {OURS}{env}-v0 {SMALL} --eval-episodes 2 --quiet --run'
    assert forks.run(f'{words} whole').returncode == 0
    assert forks.run(f'{words} here', kill='None.FileIO.write:23').returncode == -9
    assert forks.run(f'--resume here --env {OURS}{env}-v0 --quiet').returncode == 0
    assert same_run(tmp_path / 'here', tmp_path / 'whole')
    played = [forks.run(f'--play here --env {OURS}{env}-v0 --seed 3 --episodes 2') for _ in 'ab']
    assert played[0] == played[1] and played[0].returncode == 0
    assert sorted(os.listdir(str(tmp_path))) == ['here', 'whole']


def test_a_finished_run_is_trained_further_as_if_it_had_not_ended(forks, tmp_path):
    """In an environment that has no module, and is not the lesson's own."""
    car = '--env MountainCarContinuous-v0'
    for name, episodes in (('whole', 22), ('here', 12)):
        assert forks.run(f'--episodes {episodes} --run {name} {car} {SMALL}').returncode == 0
    done = forks.run('--resume here --episodes 22')
    assert done.out.splitlines()[-1].startswith('Trained 10 episodes in 0:')
    assert rewards(tmp_path / 'here') == rewards(tmp_path / 'whole')
    config = json.loads((tmp_path / 'here' / 'config.json').read_text())
    assert (config['episodes'], config['env']) == (22, 'MountainCarContinuous-v0')
    before = rewards(tmp_path / 'here')
    done = forks.run('--resume here')
    assert re.match(r'Trained 0 episodes in 0:\d\d:\d\d, mean return of the last 20: -', done.out)
    assert 'see its best policy with' in done.out
    assert rewards(tmp_path / 'here') == before


def test_evaluations_leave_the_rewards_alone_in_whatever_environment(forks, tmp_path):
    words = f'--episodes 25 --env {OURS}DrawsFromEverywhere-v0 {SMALL} --run'
    assert forks.run(f'{words} with --eval-episodes 2').returncode == 0
    assert forks.run(f'{words} without --eval-episodes 0').returncode == 0
    assert (tmp_path / 'with' / 'best.npz').exists()
    assert not (tmp_path / 'without' / 'best.npz').exists()
    assert rewards(tmp_path / 'with') == rewards(tmp_path / 'without')


def test_two_at_the_same_time_share_no_folder(forks, tmp_path):
    words = f'--episodes 12 --quiet {JOINTS} {SMALL}'
    codes = [done.returncode for done in forks.run_together(words, words)]
    assert codes == [0, 0]
    assert rewards(tmp_path / 'runs' / 'ddpg-1') == rewards(tmp_path / 'runs' / 'ddpg-2')
    done = forks.run_together(*[f'{words} --run here'] * 2)
    assert sorted(each.returncode for each in done) == [0, 2]
    assert rewards(tmp_path / 'here') == rewards(tmp_path / 'runs' / 'ddpg-1')


# ---------------------------------------------------------------- meanwhile

EDITS = [
    'rm here/*',
    'cp here/rewards.csv x; mv x here/rewards.csv; touch here/x; echo {} > here/config.json',
]


@pytest.mark.parametrize('edit', EDITS)
def test_what_somebody_does_to_its_files_costs_a_run_nothing(forks, tmp_path, monkeypatch, edit):
    """A run that ends well can be resumed and played."""
    words = f'--episodes 24 --quiet {INCIDENTS} {SMALL} --eval-episodes 2 --run'
    assert forks.run(f'{words} whole').returncode == 0
    monkeypatch.setenv('INCIDENTS', f'930 {edit}')
    assert forks.run(f'{words} here').returncode == 0
    assert same_run(tmp_path / 'here', tmp_path / 'whole')
    monkeypatch.delenv('INCIDENTS')
    assert forks.run(f'--resume here --episodes 25 {INCIDENTS}').returncode == 0
    assert forks.run(f'--play here --episodes 1 {INCIDENTS}').returncode == 0


def test_a_run_on_other_versions_says_so_and_keeps_both(forks, tmp_path):
    assert forks.run(f'--episodes 5 --run here {JOINTS} {SMALL}').returncode == 0
    place = tmp_path / 'here' / 'config.json'
    config = json.loads(place.read_text())
    now, config['versions']['numpy'] = config['versions']['numpy'], '1.0'
    place.write_text(json.dumps(config))
    for says in (f'resumed on numpy {now} (was 1.0): rewards may differ from here on\n', ''):
        done = forks.run(f'--resume here {JOINTS} --episodes 6')
        assert (done.returncode, done.err) == (0, says)
    config = json.loads(place.read_text())
    assert config['versions']['numpy'] == '1.0'
    assert [(each['episode'], each['versions']['numpy']) for each in config['resumed']] == [
        (5, now)
    ]


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


# ---------------------------------------------------------------- names


@pytest.mark.parametrize('name', ['lr[0.1]', 'ram://x', r'--跑 a\b'])
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
