"""The changes of docs/change.md, each made by its command in a copy of the programs."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import ddpg
from docs import patch
from lab.hyperparameters import load
from tests.helpers.environments import Joints
from tests.helpers.forks import Forks
from tests.helpers.graphs import batch
from tests.helpers.lessons import Built
from tests.helpers.program import OURS, PROJECT, SMALL, rewards

NUMBERS = {  # of each change: what --set gives it, among them the numbers that it has brought
    'second-layer': 'HIDDEN_UNITS=10',
    'ou-noise': 'THETA=0.3',
    'prioritised': 'ALPHA=0.9 BETA=1',
    'done': 'GAMMA=0.8',
    'early': 'LEARNING_STARTS=100',
    'no-var-list': 'LR_C=0.002',
}


@pytest.fixture(scope='module')
def changed(tmp_path_factory):
    """A function: the name of a change -> the folder of the programs with it."""
    folder = tmp_path_factory.mktemp('changed')

    def make(name):
        if not (folder / name).exists():
            patch.main('change', name, folder / name)
        return folder / name

    return make


@pytest.fixture
def lesson(changed, monkeypatch):
    """A function: (change, program) -> the changed lesson as a module, with its own memory.py."""

    def get(name, program='ddpg'):
        monkeypatch.setitem(sys.modules, 'memory', load(str(changed(name) / 'memory.py')))
        return load(str(changed(name) / f'{program}.py'))

    return get


def test_every_change_of_the_page_is_tried_here():
    page = (PROJECT / 'docs' / 'change.md').read_text(encoding='utf-8')
    assert [name for name in NUMBERS if f'change {name} ../{name}\n' not in page] == []
    assert page.count('python -m docs.patch change ') == len(NUMBERS) + 1


@pytest.mark.parametrize('name', [*NUMBERS, 'done in ddpg_update'])
def test_a_changed_lesson_is_killed_resumed_and_played(changed, tmp_path, monkeypatch, name):
    """The environment kills it in its twelfth episode, after the checkpoint of the tenth."""
    name, _, program = name.partition(' in ')
    forks, env = Forks(changed(name) / f'{program or "ddpg"}.py', tmp_path), f'--env {OURS}Obeys-v0'
    numbers = f'{SMALL} {NUMBERS[name]}'
    assert forks.run(f'--run whole --episodes 13 {env} {numbers}').err == ''
    monkeypatch.setenv('ORDERS', '450:9')
    assert forks.run(f'--run here --episodes 13 {env} {numbers}').returncode == -9
    monkeypatch.delenv('ORDERS')
    assert forks.run(f'--resume here {env}').err == ''
    assert rewards(tmp_path / 'whole') == rewards(tmp_path / 'here')
    whole, here = (np.load(str(tmp_path / run / 'checkpoint.npz')) for run in ('whole', 'here'))
    assert sorted(whole) == sorted(here) and whole['run:learning']
    assert all((whole[key] == here[key]).all() for key in whole)
    config = json.loads((tmp_path / 'here' / 'config.json').read_text())
    for word in numbers.split()[1:]:
        key, _, value = word.partition('=')
        assert config['hyperparameters'][key] == float(value)
    done = forks.run(f'--play here --episodes 1 {env}')
    assert (done.returncode, done.err) == (0, '')


def test_changed_lessons_are_compared(changed, tmp_path):
    """Also one whose memory.py is another, and a changed file that lies alone."""
    patch.main('change', 'no-var-list', tmp_path / 'no_var_list.py')
    versions = f'no_var_list.py,{changed("prioritised") / "ddpg.py"}'
    words = f'--versions {versions} --seeds 1 --episodes 12 --run here {SMALL}'
    done = Forks(PROJECT / 'compare.py', tmp_path).run(words)
    assert done.returncode == 0, done.err
    assert '| runs (seeds) | 1 | 1 |' in done.out


# ---------------------------------------------------------------- that each does what it says


def test_both_networks_have_a_second_layer_and_learn_with_it(lesson):
    built = Built(lesson('second-layer'), Joints(), seed=1)
    for net, value in built.values().items():
        assert len(value) == (7 if 'critic' in net else 6)
    before = built.values()
    built.learn(*batch(np.random.RandomState(0), 3, [-1, 0, -30], [1, 5, -10]))
    for net, value in built.values().items():
        assert all((new != old).any() for new, old in zip(value, before[net])), net


def test_ornstein_uhlenbeck_noise_is_correlated_and_as_large_as_var_says(lesson):
    lesson = lesson('ou-noise')
    lesson.MAX_EP_STEPS = lesson.MEMORY_CAPACITY = 5000
    built = Built(lesson, Joints(low=[-1e3, -1e3], high=[1e3, 1e3], length=5000), seed=1)
    built.do_instead(lambda s: np.zeros(2))
    built.train(1)
    actions = built.memory.data[:, 2:4]
    assert actions.std(axis=0) == pytest.approx([3, 3], rel=0.1)
    correlation = [np.corrcoef(one[1:], one[:-1])[0, 1] for one in actions.T]
    assert correlation == pytest.approx([0.85, 0.85], abs=0.02)


def test_prioritised_memory_draws_by_td_error_and_weighs_by_importance(lesson):
    lesson('prioritised')
    memory = sys.modules['memory'].PrioritisedMemory(4, 4, alpha=0.5, beta=0.25)
    for i in range(4):
        memory.store_transition([i], [i], i, [i])
    memory.update([0, 1, 2], np.array([[0.0], [-4.0], [9.0]]))
    p = np.sqrt([0.001, 4.001, 9.001, 1]) / np.sqrt([0.001, 4.001, 9.001, 1]).sum()
    np.random.seed(0)
    data, drawn, weights = memory.sample(40000)
    assert (data == drawn[:, np.newaxis]).all()
    assert np.bincount(drawn) / 40000 == pytest.approx(p, abs=0.01)
    wanted = (4 * p) ** -0.25
    assert weights[:, 0] == pytest.approx(wanted[drawn] / wanted.max())
    memory.store_transition([9], [9], 9, [9])
    assert memory.priorities[0] == memory.priorities.max()


def test_with_priorities_the_critic_weighs_its_errors_and_returns_them(lesson):
    built, plain = Built(lesson('prioritised'), Joints(), seed=1), Built(ddpg, Joints(), seed=1)
    b = batch(np.random.RandomState(0), 3, [-1, 0, -30], [1, 5, -10], n=2)
    target, q = plain.sess.run([plain.critic.target_q, plain.critic.q], dict(zip(plain.feeds, b)))
    assert built.critic.learn(*b, [[1], [0]]) == pytest.approx(target - q, rel=1e-5)
    plain.critic.learn(*(part[:1] for part in b))  # the row of weight 1 alone
    for one, other in zip(built.values()['critic'], plain.values()['critic']):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize('program', ['ddpg', 'ddpg_update'])
def test_the_target_of_a_last_transition_is_its_reward(lesson, program):
    lesson = lesson('done', program)
    lesson.MAX_EP_STEPS = 7
    built = Built(lesson, Joints(length=5), seed=1)
    graph, original = built.sess.graph, program == 'ddpg'
    b_s, b_a, b_r, b_s_ = batch(np.random.RandomState(0), 3, [-1, 0, -30], [1, 5, -10])
    d = graph.get_tensor_by_name('target_q/d:0' if original else 'TD_error/D:0')
    loss = built.critic.loss if original else built.critic.td_error

    def run(ended, b_s_):
        feed = dict(zip(built.feeds, (b_s, b_a, b_r, b_s_)))
        return built.sess.run(loss, {**feed, d: np.full((32, 1), ended)})

    q = built.sess.run(built.critic.q, dict(zip(built.feeds[:2], (b_s, b_a))))
    assert run(1, b_s_) == run(1, 2 * b_s_) == pytest.approx(np.mean((b_r - q) ** 2), rel=1e-5)
    assert run(0, b_s_) != run(0, 2 * b_s_)
    built.train(2)
    assert built.memory.data[:11, -1].tolist() == [0, 0, 0, 0, 1] * 2 + [0]
    lesson.MAX_EP_STEPS = 3  # ends an episode that could have gone on
    built.train(2)
    assert built.memory.data[10:16, -1].tolist() == [0] * 6


def test_learning_begins_early_with_the_rows_in_use(lesson):
    lesson = lesson('early')
    lesson.MAX_EP_STEPS = 60
    lesson.LEARNING_STARTS = 50
    built = Built(lesson, Joints(), seed=1)
    (episode,) = built.train(1)
    assert episode.var == pytest.approx(3 * 0.9998**10)
    drawn = built.memory.sample(1000)
    assert drawn.any(axis=1).all() and len(np.unique(drawn, axis=0)) == 60


def test_without_var_list_adam_of_the_critic_keeps_averages_of_the_actor_too(lesson):
    for module, has in ((lesson('no-var-list'), True), (ddpg, False)):
        names = {v.op.name for v in Built(module, Joints()).sess.graph.get_collection('variables')}
        assert ('C_train/Actor/eval_net/l1/w/Adam' in names) == has


# ---------------------------------------------------------------- the command


@pytest.mark.parametrize('words, says', [
    ('change done there', 'there is there already: name another'),
    ('change dine new', 'docs/change.md has no change named dine'),
    ('change done one.py', 'done changes ddpg.py and ddpg_update.py: name a folder'),
    ('change done', 'needs a page, the name of a change, and a folder'),
])  # fmt: skip
def test_what_the_command_cannot_do_is_one_line(tmp_path, words, says):
    (tmp_path / 'there').mkdir()
    command = [sys.executable, '-m', 'docs.patch', *words.split()]
    environ = dict(os.environ, PYTHONPATH=str(PROJECT))
    done = subprocess.run(command, cwd=str(tmp_path), env=environ, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr.decode()) == (2, f'docs.patch: {says}\n')
    assert [path.name for path in tmp_path.iterdir()] == ['there']


@pytest.mark.parametrize('text', ['A = 2\n', 'A = 1\nB = 1\nA = 1\n', 'A = 1\nA = 1\n', 'AA = 1\n'])
def test_the_old_lines_must_stand_in_the_file_once(text, capsys):
    with pytest.raises(SystemExit):
        patch.replace(text, '-A = 1\n+B = 1\n', 'ddpg.py')
    says = 'docs.patch: ddpg.py must have these lines, once:\nA = 1\n'
    assert capsys.readouterr().err == says
