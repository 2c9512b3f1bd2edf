"""What docs/seeing.py and docs/graph.dot say of a run and of the graph is TensorFlow's own."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

import ddpg
from lab.environments import make_env
from lab.evaluation import HELD_OUT, make_evaluator
from lab.folder import read_config
from lab.hyperparameters import variant
from lab.playing import LoadedRun
from tests.helpers.forks import Forks
from tests.helpers.program import PROJECT

STATES = [[0.5, -3.0, 2.0], [0.0, 4.0, -8.0]]  # angles, angular velocities


@pytest.fixture(scope='module')
def run(tmp_path_factory):
    """The folder of a run that is short in all but its episodes."""
    path = tmp_path_factory.mktemp('seeing')
    numbers = '--set MAX_EP_STEPS=5 MEMORY_CAPACITY=260 HIDDEN_UNITS=8'
    done = Forks(PROJECT / 'ddpg.py', path).run(f'--run run --quiet {numbers}')
    assert done.returncode == 0, done.err
    return path / 'run'


@pytest.fixture(scope='module')
def last(run):
    """The last networks of the run in TensorFlow: a LoadedRun."""
    config = read_config(str(run))
    loaded = LoadedRun(str(run), config, last=True)
    variant(ddpg, config['hyperparameters']).main(loaded)
    return loaded


def output(*words):
    """Return what Python prints, started with these words in the project's folder."""
    return subprocess.check_output([sys.executable, *map(str, words)], cwd=str(PROJECT)).decode()


def test_the_discounted_return_is_of_all_that_follows():
    rewards = 'np.array([[1, 0], [2, 0], [4, 8]])'  # of two episodes
    code = f'from docs.seeing import *; print(discounted({rewards}, 0.5).tolist())'
    assert json.loads(output('-c', code)) == [[3, 2], [4, 4], [4, 8]]


def test_its_networks_are_those_of_the_run(run, last):
    code = (
        'import json, sys; from docs.seeing import *; found = networks(sys.argv[1]); '
        f'answers = np.array(ask(found[200], np.array({STATES}))); '
        'print(json.dumps([sorted(found), answers.tolist()]))'
    )
    episodes, answers = json.loads(output('-c', code, run))
    assert episodes == list(range(0, 201, 4))
    sess, S, a, q = last.tensors
    b_s = [[np.cos(angle), np.sin(angle), velocity] for angle, velocity in zip(*STATES)]
    for answer, tensor in zip(answers, (q, a)):
        assert answer == pytest.approx(sess.run(tensor, {S: b_s})[:, 0], abs=1e-5)


def test_it_prints_the_returns_and_draws(run, last, tmp_path):
    code = (
        'import sys; from docs import seeing; '
        'seeing.HERE = seeing.Path(sys.argv.pop()); seeing.main()'
    )
    *_, row = output('-c', code, run, tmp_path).splitlines()
    returns = make_evaluator(make_env('Pendulum-v0'), HELD_OUT, 200)(last.choose_actions)
    assert re.match(r'\| 200 \| (-\d+) \|', row)[1] == f'{returns.mean():.0f}'
    for name in ('seeing.png', 'value.png'):
        assert (tmp_path / name).read_bytes().startswith(b'\x89PNG')


def test_a_run_that_has_not_kept_the_moments_is_refused(forks):
    assert forks.run('--run run --episodes 8 --quiet').returncode == 0
    words = [sys.executable, '-m', 'docs.seeing', str(forks.folder / 'run')]
    done = subprocess.run(words, cwd=str(PROJECT), stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert b'a run of 200 episodes does' in done.stderr


def test_every_arrow_of_the_drawn_graph_is_in_tensorflows():
    """A solid one carries a tensor; a dashed one says what comes first."""
    drawn = (PROJECT / 'docs' / 'graph.dot').read_text()
    sess, *_ = ddpg.build(make_env('Pendulum-v0'), seed=1)
    flows, orders = set(), set()
    for op in sess.graph.get_operations():
        flows.update((tensor.op.name, op.name) for tensor in op.inputs)
        orders.update((before.name, op.name) for before in op.control_inputs)

    def joined(pairs, start, end):
        return any(a.startswith(f'{start}/') and b.startswith(f'{end}/') for a, b in pairs)

    arrows = re.findall(r'(?m)^ *"?([\w/]+)"? -> "?([\w/]+)"?(.*)$', drawn)
    assert len(arrows) == 17
    for start, end, style in arrows:
        dashed = 'dashed' in style
        assert joined(orders, start, end) or not dashed, (start, end)
        assert joined(flows, start, end) != dashed, (start, end)
    boxes = {name.partition('/')[0] for op in sess.graph.get_operations() for name in [op.name]}
    assert boxes - {'init'} == {end.partition('/')[0] for arrow in arrows for end in arrow[:2]}
