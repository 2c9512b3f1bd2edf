"""docs/lesson: the batch worked by hand, the lines quoted from the code, its exercises' code."""

import re

import numpy as np
import pytest

import ddpg
from tests.helpers.environments import Joints
from tests.helpers.forks import Forks
from tests.helpers.graphs import set_values
from tests.helpers.lessons import Built, set_numbers
from tests.helpers.program import PROJECT, SMALL, python_blocks

PAGES = ['docs/lesson.md', 'docs/lesson.zh-CN.md']
ACTOR, CRITIC = ['l1/w', 'l1/b', 'a/w', 'a/b'], ['l1/w1_s', 'l1/w1_a', 'l1/b1', 'q/w', 'q/b']
NETS = np.array([1, 0, 0.5, 0]), np.array([1, 0.5, 0.5, -1, 0])
TARGETS = np.array([1, 0, 0.3, 0]), np.array([1, 0.5, 0.5, -0.8, 0])
BATCH = s, a, r, s_ = [np.array(x, float) for x in ([1, 2], [-1, -1], [-1, -4], [0, 1])]


def text(name):
    return (PROJECT / name).read_text(encoding='utf-8')


def mu(p, s):
    hidden = np.maximum(p[0] * s + p[1], 0)
    return hidden, 2 * np.tanh(p[2] * hidden + p[3])


def q(p, s, a):
    hidden = np.maximum(p[0] * s + p[1] * a + p[2], 0)
    return hidden, p[3] * hidden + p[4]


def by_hand():
    """Return what the page's tables say, {name: the numbers of its row}, from the equations."""
    row = dict(s=s, a=a, r=r, s_=s_, a_=mu(TARGETS[0], s_)[1])
    (actor, critic), row['q_'] = NETS, q(TARGETS[1], s_, row['a_'])[1]
    row['target_q'] = r + 0.9 * row['q_']
    hidden, row['q'] = q(critic, s, a)
    row['TD_error'] = [np.mean((row['target_q'] - row['q']) ** 2)]
    d_q = 2 / len(s) * (row['q'] - row['target_q'])
    d_hidden = d_q * critic[3] * (hidden > 0)
    of_critic = [d_hidden @ s, d_hidden @ a, d_hidden.sum(), d_q @ hidden, d_q.sum()]
    new_critic = critic - 0.1 * np.sign(of_critic)  # Adam's first step

    hidden, row['actor.a'] = mu(actor, s)
    row['a_grad'] = new_critic[3] * new_critic[1] * (q(new_critic, s, row['actor.a'])[0] > 0)
    row['slope'] = 2 - row['actor.a'] ** 2 / 2  # of 2 tanh
    d_out = row['a_grad'] * row['slope']
    d_hidden = d_out * actor[2] * (hidden > 0)
    of_actor = [d_hidden @ s, d_hidden.sum(), d_out @ hidden, d_out.sum()]
    new_actor = actor + 0.1 * np.sign(of_actor)  # with the negative rate
    row['actor.a after'] = mu(new_actor, s)[1]
    for names, old, grads, new, target in (
        (ACTOR, actor, of_actor, new_actor, TARGETS[0]),
        (CRITIC, critic, of_critic, new_critic, TARGETS[1]),
    ):
        row.update(zip(names, zip(old, grads, new, target, 0.9 * target + 0.1 * new)))
    return row


@pytest.mark.parametrize('page', PAGES)
def test_the_batch_worked_by_hand_follows_from_the_equations(page):
    for name, numbers in by_hand().items():
        (cells,) = re.findall(rf'(?m)^\| `{name}` \|(.*)$', text(page))
        shown = [float(cell) for cell in cells.split('|')[: len(numbers)]]
        assert shown == pytest.approx(list(numbers), abs=0.5001e-4), name


def test_the_code_of_the_lesson_computes_the_same(monkeypatch):
    set_numbers(monkeypatch, ddpg, HIDDEN_UNITS=1, LR_A=0.1, LR_C=0.1, TAU=0.1)
    both, row = Built(ddpg, Joints([-2], [2])), by_hand()
    actor, critic, run, b = both.actor, both.critic, both.sess.run, [x.reshape(2, 1) for x in BATCH]
    names = dict(zip(both.nets, (ACTOR, ACTOR, CRITIC, CRITIC)))
    for (net, variables), column in zip(both.nets.items(), (0, 3, 0, 3)):
        values = [np.full(v.shape, row[name][column]) for v, name in zip(variables, names[net])]
        set_values(both.sess, variables, values)
    fetches = dict(a_=actor.a_, q_=critic.q_, target_q=critic.target_q, q=critic.q)
    found = run(dict(fetches, TD_error=critic.loss), dict(zip(both.feeds, b)))
    critic.learn(*b)
    fetches = {'actor.a': actor.a, 'a_grad': critic.a_grads, **dict(zip(ACTOR, actor.policy_grads))}
    found.update(run(fetches, {actor.S: b[0]}))
    actor.learn(b[0])
    found['actor.a after'] = run(actor.a, {actor.S: b[0]})
    for name, value in found.items():
        wanted = row[name][1] if name in ACTOR else row[name]
        np.testing.assert_allclose(np.ravel(value), wanted, atol=1e-5, err_msg=name)
    for (net, values), column in zip(both.values().items(), (2, 4, 2, 4)):
        wanted = [row[name][column] for name in names[net]]
        assert [v.item() for v in values] == pytest.approx(wanted, abs=1e-5), net


@pytest.mark.parametrize('page', PAGES)
def test_quoted_lines_of_ours_stand_in_the_code(page):
    quoted = re.findall(r'(?m)^# (?:.* )?(ddpg|memory)\.py.*\n((?:(?!#|```).*\n)+)', text(page))
    assert len(quoted) == 9
    for file, lines in quoted:
        for line in lines.splitlines():
            assert line.strip() in text(f'{file}.py')


def test_the_code_of_the_exercises_runs(forks, tmp_path, monkeypatch, capsys):
    assert forks.run(f'--seed 1 --episodes 12 --run runs/seed-1 {SMALL}').returncode == 0
    monkeypatch.chdir(tmp_path)
    blocks = [block for block in python_blocks('lesson') if block.startswith('import')]
    assert len(blocks) == 3
    for block in blocks:
        exec(block, {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == ['0.00000000'] * 4 and len(lines) == 4 + 3 + 4


def test_starts_plays_from_rest_and_prints_a_row_an_angle(forks, tmp_path):
    """A policy whose output weights are 0 does nothing."""
    assert forks.run(f'--episodes 8 --run here {SMALL}').returncode == 0
    with np.load(str(tmp_path / 'here' / 'best.npz')) as arrays:
        weights = dict(arrays)
    for name in ('w', 'b'):
        weights[f'Actor/eval_net/a/{name}'][:] = 0
    np.savez(str(tmp_path / 'here' / 'best.npz'), **weights)
    done = Forks(PROJECT / 'docs' / 'starts.py', tmp_path).run('here')
    assert (done.returncode, done.err) == (0, '')
    lines = done.out.splitlines()
    assert len(lines) == 2 + 7  # a heading, and 0, 30, ..., 180
    assert lines[-1] == f'| 180 | {-200 * np.pi**2:.1f} | {-50 * np.pi**2:.1f} | 180 |'  # it hangs
