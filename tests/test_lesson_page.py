"""docs/lesson: the batch worked by hand, the lines quoted from the code, its exercises' code."""

import re

import numpy as np
import pytest

import ddpg
from docs import starts
from tests.helpers import reference
from tests.helpers.environments import Joints
from tests.helpers.graphs import set_values
from tests.helpers.lessons import Built, set_numbers
from tests.helpers.program import PROJECT, SMALL, python_blocks

PAGE = (PROJECT / 'docs' / 'lesson.md').read_text('utf-8')  # the other has the same in it
ACTOR, CRITIC = ['l1/w', 'l1/b', 'a/w', 'a/b'], ['l1/w1_s', 'l1/w1_a', 'l1/b1', 'q/w', 'q/b']
WEIGHTS = [1, 0, 0.5, 0], [1, 0, 0.3, 0], [1, 0.5, 0.5, -1, 0], [1, 0.5, 0.5, -0.8, 0]
BATCH = s, a, r, s_ = [np.array([x], float).T for x in ([1, 2], [-1, -1], [-1, -4], [0, 1])]


def by_hand():
    """Return what the page's tables say, {name: the numbers of its row}, from the equations."""
    nets = [[np.full((1, 1), weight, float) for weight in net] for net in WEIGHTS]
    actor, actor_, critic, critic_ = nets
    learner = reference.DDPG(actor, critic, [-2], [2], tau=0.1, lr_a=0.1, lr_c=0.1)
    learner.actor_, learner.critic_ = map(reference.doubles, (actor_, critic_))
    row, (q, cache) = dict(s=s, a=a, r=r, s_=s_), reference.critic_forward(critic, s, a)
    row['a_'], _ = reference.actor_forward(actor_, s_, -2, 2)
    row['q_'], _ = reference.critic_forward(critic_, s_, row['a_'])
    row['target_q'], row['q'] = learner.target_q(r, s_), q
    row['TD_error'] = [np.mean((row['target_q'] - q) ** 2)]
    of_critic, _ = reference.critic_backward(critic, cache, q - row['target_q'])  # times 2 / 2
    learner.learn(*BATCH)
    row['actor.a'], cache = reference.actor_forward(actor, s, -2, 2)
    q, cache_q = reference.critic_forward(learner.critic, s, row['actor.a'])
    row['a_grad'] = reference.critic_backward(learner.critic, cache_q, np.ones_like(q))[1]
    row['slope'] = 2 - row['actor.a'] ** 2 / 2  # of 2 tanh
    of_actor = reference.actor_backward(actor, cache, row['a_grad'], -2, 2)
    row['actor.a after'], _ = reference.actor_forward(learner.actor, s, -2, 2)
    row.update(zip(ACTOR, zip(actor, of_actor, learner.actor, actor_, learner.actor_)))
    row.update(zip(CRITIC, zip(critic, of_critic, learner.critic, critic_, learner.critic_)))
    return {name: np.hstack([np.ravel(each) for each in row[name]]) for name in row}


def test_the_batch_worked_by_hand_follows_from_the_equations():
    for name, numbers in by_hand().items():
        (cells,) = re.findall(rf'(?m)^\| `{name}` \|(.*)$', PAGE)
        shown = [float(cell) for cell in cells.split('|')[: len(numbers)]]
        assert shown == pytest.approx(list(numbers), abs=0.5001e-4), name


def test_the_code_of_the_lesson_computes_the_same(monkeypatch):
    set_numbers(monkeypatch, ddpg, HIDDEN_UNITS=1, LR_A=0.1, LR_C=0.1, TAU=0.1)
    both, row = Built(ddpg, Joints([-2], [2])), by_hand()
    actor, critic, run = both.actor, both.critic, both.sess.run
    for variables, weights in zip(both.nets.values(), WEIGHTS):
        values = [np.full(v.shape, weight) for v, weight in zip(variables, weights)]
        set_values(both.sess, variables, values)
    fetches = dict(a_=actor.a_, q_=critic.q_, target_q=critic.target_q, q=critic.q)
    found = run(dict(fetches, TD_error=critic.loss), dict(zip(both.feeds, BATCH)))
    critic.learn(*BATCH)
    fetches = {'actor.a': actor.a, 'a_grad': critic.a_grads, **dict(zip(ACTOR, actor.policy_grads))}
    found.update(run(fetches, {actor.S: s}))
    actor.learn(s)
    found['actor.a after'] = run(actor.a, {actor.S: s})
    for name, value in found.items():
        wanted = row[name][1] if name in ACTOR else row[name]
        np.testing.assert_allclose(np.ravel(value), wanted, atol=1e-5, err_msg=name)
    columns = zip(both.values().values(), (ACTOR, ACTOR, CRITIC, CRITIC), (2, 4, 2, 4))
    for values, names, column in columns:
        wanted = [row[name][column] for name in names]
        assert [v.item() for v in values] == pytest.approx(wanted, abs=1e-5)


def test_quoted_lines_of_ours_stand_in_the_code():
    quoted = re.findall(r'(?m)^# (?:.* )?(ddpg|memory)\.py.*\n((?:(?!#|```).*\n)+)', PAGE)
    assert len(quoted) == 9
    for file, lines in quoted:
        code = (PROJECT / f'{file}.py').read_text('utf-8')
        assert [line for line in lines.splitlines() if line.strip() not in code] == []


def test_the_code_of_the_exercises_runs_and_starts_plays_from_rest(forks, monkeypatch, capsys):
    assert forks.run(f'--seed 1 --episodes 12 --run runs/seed-1 {SMALL}').returncode == 0
    monkeypatch.chdir(forks.folder)
    blocks = [block for block in python_blocks('lesson') if block.startswith('import')]
    assert len(blocks) == 3
    for block in blocks:
        exec(block, {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == ['0.00000000'] * 4 and len(lines) == 4 + 3 + 4

    with np.load('runs/seed-1/best.npz') as arrays:
        weights = dict(arrays)
    for name in ('w', 'b'):
        weights[f'Actor/eval_net/a/{name}'][:] = 0  # a policy that does nothing
    np.savez('runs/seed-1/best.npz', **weights)
    monkeypatch.setattr('sys.argv', ['starts', 'runs/seed-1'])
    starts.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + 7  # a heading, and 0, 30, ..., 180
    assert lines[-1] == f'| 180 | {-200 * np.pi**2:.1f} | {-50 * np.pi**2:.1f} | 180 |'  # it hangs
