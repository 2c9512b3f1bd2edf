"""ddpg_update.py: the numbers against the NumPy reference, and the order within a step."""

import ddpg_update
import numpy as np
import pytest

import ddpg
from tests import reference
from tests.environments import ENVIRONMENTS
from tests.graphs import (
    ancestors,
    batch,
    changed,
    doubles,
    forgetting,
    late_reads,
    set_values,
    use_thread_pool,
    weights_for,
)


def networks(both):
    """Return the variables of the four networks by name."""
    return {
        'actor': both.a_params,
        'actor average': [both.ema.average(v) for v in both.a_params],
        'critic': both.c_params,
        'critic average': [both.ema.average(v) for v in both.c_params],
    }


def values(both):
    return {name: both.sess.run(net) for name, net in networks(both).items()}


@pytest.mark.parametrize('threads', ['caller', 'pool'])
@pytest.mark.parametrize('action_dim', [1, 3])
def test_200_learning_steps_agree_with_numpy_20_times(action_dim, threads, monkeypatch):
    """Every weight and every average, within 1e-5, every time.

    That includes the order within a step: another one is ten times further away, as the next test
    shows.
    """
    if threads == 'pool':
        use_thread_pool(monkeypatch)
    env = ENVIRONMENTS[action_dim]()
    both = ddpg_update.build(env, seed=3)
    start = {name: weights_for(net) for name, net in networks(both).items()}
    batches, learner = batches_and_reference(env, start)
    learner, batches = reference.learn_clear_of_jumps(learner, batches)
    assert len(batches) > 200
    expected = (learner.actor, learner.actor_, learner.critic, learner.critic_)
    names = networks(both)
    forget = forgetting(both.sess, names['actor average'] + names['critic average'])

    for repetition in range(20):
        both.sess.run(forget)
        for name, net in networks(both).items():
            set_values(both.sess, net, start[name])
        for b in batches:
            both.learn(*b)
        for (name, got), wants in zip(values(both).items(), expected):
            for value, want in zip(got, wants):
                error = np.abs(value - want).max()
                assert error < 1e-5, f'repetition {repetition}, {name}: {error}'


def batches_and_reference(env, start, learner=reference.SimplifiedDDPG):
    space = env.action_space
    random = np.random.RandomState(4)
    dims = env.observation_space.shape[0], space.low, space.high
    batches = [batch(random, *dims) for _ in range(250)]
    return batches, learner(start['actor'], start['critic'], space.low, space.high)


def test_the_wrong_order_would_be_seen():
    """In NumPy: averages that move after the critic part the weights by more than 1e-4."""

    class Late(reference.SimplifiedDDPG):
        def learn(self, b_s, *rest):
            self.step_actor(b_s)
            self.step_critic(b_s, *rest)
            self.move_averages()

    env = ENVIRONMENTS[1]()
    start = {name: weights_for(net) for name, net in networks(ddpg_update.build(env)).items()}
    batches, right = batches_and_reference(env, start)
    _, wrong = batches_and_reference(env, start, Late)
    for b in batches:
        right.learn(*doubles(b))
        wrong.learn(*doubles(b))
    assert max(np.abs(x - y).max() for x, y in zip(right.critic, wrong.critic)) > 1e-4


def test_the_graph_fixes_the_order_of_a_step():
    """Actor, averages, target, critic: each waits for the one before."""
    both = ddpg_update.build(ENVIRONMENTS[3](), seed=1)
    operations = both.sess.graph.get_operations()

    def adam(scope):
        return {op for op in operations if 'ApplyAdam' in op.type and op.name.startswith(scope)}

    def moves():
        averages = {
            v.op.name for net in ('actor average', 'critic average') for v in networks(both)[net]
        }
        return {
            op
            for op in operations
            if op.type in ('AssignSub', 'AssignSubVariableOp') and op.inputs[0].op.name in averages
        }

    def products(scope):
        return [op for op in operations if op.type == 'MatMul' and op.name.startswith(scope)]

    assert (len(adam('A_train')), len(moves()), len(adam('C_train'))) == (4, 9, 5)
    for move in moves():
        assert adam('A_train') <= ancestors(move)
    assert len(products('C_train/')) >= 5
    for product in products('C_train/'):  # of the target networks, and of the critic's gradient
        assert moves() <= ancestors(product)
    for step in adam('C_train'):
        assert set(products('C_train/Actor')) | set(products('C_train/Critic')) <= ancestors(step)

    # The same target networks built outside, for `losses`, wait for nothing: in a step they could
    # read the averages before these move.
    outside = ancestors(both.td_error.op)
    assert not moves() & outside
    assert {op.inputs[0].op for op in moves()} <= outside


def test_all_weights_are_read_before_they_move():
    graph = ddpg_update.build(ENVIRONMENTS[1](), seed=1).sess.graph
    for step in ('A_train/Adam', 'C_train/Adam'):
        assert late_reads(graph.get_operation_by_name(step)) == []


def test_averages_begin_as_copies_and_seeds_decide_the_weights():
    env = ENVIRONMENTS[3]()
    first = values(ddpg_update.build(env, seed=1))
    for who in ('actor', 'critic'):
        for value, average in zip(first[who], first[f'{who} average']):
            assert (value == average).all()
    assert changed(first, values(ddpg_update.build(env, seed=1))) == set()
    assert changed(first, values(ddpg_update.build(env, seed=2))) == set(first)


def test_weights_begin_as_tensorflow_would_have_them(monkeypatch):
    """Glorot uniform: within sqrt(6 / (fan_in + fan_out)), and nearly reaching it; biases 0."""
    monkeypatch.setattr(ddpg_update, 'HIDDEN_UNITS', 500)
    both = ddpg_update.build(ENVIRONMENTS[3](), seed=1)
    for name in ('actor', 'critic'):
        for variable in networks(both)[name]:
            value = both.sess.run(variable)
            if variable.op.name.endswith('/b'):
                assert (value == 0).all(), variable.op.name
            else:
                limit = np.sqrt(6 / sum(value.shape))
                assert 0.95 * limit < np.abs(value).max() <= limit, variable.op.name


def test_losses_are_those_of_the_equations_and_change_nothing():
    env = ENVIRONMENTS[3]()
    both = ddpg_update.build(env, seed=1)
    batches, _ = batches_and_reference(env, values(both))
    for b in batches[:5]:
        both.learn(*b)
    before = values(both)
    losses = both.losses(*batches[5])
    assert changed(before, values(both)) == set()

    b_s, b_a, b_r, b_s_ = doubles(batches[5])
    bounds = env.action_space.low, env.action_space.high
    a_, _ = reference.actor_forward(before['actor average'], b_s_, *bounds)
    target = b_r + 0.9 * reference.critic_forward(before['critic average'], b_s_, a_)[0]
    q, _ = reference.critic_forward(before['critic'], b_s, b_a)
    a, _ = reference.actor_forward(before['actor'], b_s, *bounds)
    q_of_actor, _ = reference.critic_forward(before['critic'], b_s, a)
    assert losses['loss/critic'] == pytest.approx(np.mean((target - q) ** 2), rel=1e-4)
    assert losses['loss/actor'] == pytest.approx(-np.mean(q_of_actor), rel=1e-4)


@pytest.mark.parametrize('action_dim', [1, 3])
def test_choose_action_is_the_actors_and_within_each_range(action_dim):
    env = ENVIRONMENTS[action_dim]()
    low, high = env.action_space.low, env.action_space.high
    both = ddpg_update.build(env, seed=1)
    s = np.random.RandomState(0).normal(size=env.observation_space.shape)
    want, _ = reference.actor_forward(both.sess.run(both.a_params), s[np.newaxis], low, high)
    assert both.choose_action(s) == pytest.approx(want[0], rel=1e-5, abs=1e-5)
    weights = both.sess.run(both.a_params)
    for push, end in ((-1e3, low), (1e3, high)):
        set_values(both.sess, both.a_params, weights[:3] + [np.full(action_dim, push)])
        assert both.choose_action(s) == pytest.approx(end, rel=1e-6)


def test_what_differs_from_the_original_and_what_does_not():
    assert (ddpg_update.LR_A, ddpg_update.LR_C) == (0.001, 0.002)
    assert ddpg_update.train is ddpg.train  # imported, not copied
    for name in ('GAMMA', 'SOFT', 'HIDDEN_UNITS'):
        assert getattr(ddpg_update, name) is getattr(ddpg, name)
