"""What all versions of the lesson have in common: the numbers, by NumPy, and how they begin."""

from itertools import chain, permutations

import numpy as np
import pytest

import ddpg
import ddpg_update
import ddpg_update2
from tests.helpers import reference
from tests.helpers.environments import ENVIRONMENTS
from tests.helpers.graphs import (
    Step,
    batch,
    changed,
    doubles,
    forgetting,
    set_values,
    use_thread_pool,
    weights_for,
)
from tests.helpers.lessons import LESSONS, REFERENCES, Built, set_numbers

HARD_7_5 = dict(ddpg.HARD, rep_iter_a=7, rep_iter_c=5)
three_lessons = pytest.mark.parametrize('lesson', LESSONS, ids=lambda lesson: lesson.__name__)


def batches_for(env, count):
    """Return random batches for `env`."""
    random, space = np.random.RandomState(4), env.action_space
    dims = env.observation_space.shape[0], space.low, space.high
    return [batch(random, *dims) for _ in range(count)]


@pytest.fixture
def small(lesson):
    """The lesson built for three actions, and batches; it has learned once."""
    env = ENVIRONMENTS[3]()
    built, batches = Built(lesson, env, seed=1), batches_for(env, 9)
    built.learn(*batches.pop())
    return built, batches


# ---------------------------------------------------------------- the algorithm


@pytest.mark.parametrize('threads', ['caller', 'pool'])
@pytest.mark.parametrize('action_dim', [1, 3])
@pytest.mark.parametrize(
    'lesson, replacement',
    [(lesson, lesson.SOFT) for lesson in LESSONS] + [(ddpg, HARD_7_5)],
    ids=['ddpg-soft', 'ddpg_update', 'ddpg_update2', 'ddpg-hard'],
)
def test_200_learning_steps_agree_with_numpy(
    lesson, replacement, action_dim, threads, monkeypatch, record_property
):
    """Every weight of all four networks, within 1e-5, five times.

    The weights are numpy's, so that they are the same on every TensorFlow.
    """
    if threads == 'pool':
        use_thread_pool(monkeypatch)
    env = ENVIRONMENTS[action_dim]()
    built = Built(lesson, env, replacement, seed=3)
    start = {name: weights_for(net) for name, net in built.nets.items()}
    hard = dict(every_a=7, every_c=5) if replacement is HARD_7_5 else {}
    learner, batches = reference.learn_clear_of_jumps(
        built.reference(start, **hard), batches_for(env, 250)
    )
    assert len(batches) > 200

    forget = forgetting(built.sess, chain(*built.nets.values()))  # Adam's moments, the counters
    for repetition in range(5):
        built.sess.run(forget)
        for name, net in built.nets.items():
            set_values(built.sess, net, start[name])
        for b in batches:
            built.learn(*b)
        error = built.distance(learner)
        record_property('largest error', float(error))
        assert error < 1e-5, f'repetition {repetition}'


@pytest.mark.parametrize('numbers', [
    dict(GAMMA=0), dict(LR_A=0), dict(LR_C=0), dict(tau=0), dict(tau=1), dict(tau=0.3),
    dict(GAMMA=1.0), dict(LR_A=0.01), dict(LR_C=0.01), dict(VAR=0, GAMMA=0.0), dict(HIDDEN_UNITS=1),
    dict(BATCH_SIZE=1), dict(REWARD_SCALE=1),
], ids=str)  # fmt: skip
@three_lessons
def test_numbers_that_a_learner_tries_first(lesson, numbers, monkeypatch):
    """Ten steps as in NumPy with the same numbers, then two short episodes of the loop."""
    set_numbers(monkeypatch, lesson, MEMORY_CAPACITY=10, MAX_EP_STEPS=15, **numbers)
    env = ENVIRONMENTS[3]()
    tau = numbers.get('tau', 0.01)
    built = Built(lesson, env, dict(name='soft', tau=tau), seed=1)
    known = {name.lower(): numbers[name] for name in ('GAMMA', 'LR_A', 'LR_C') if name in numbers}
    learner, batches = reference.learn_clear_of_jumps(
        built.reference(built.values(), tau=tau, **known), batches_for(env, 10)
    )
    set_numbers(monkeypatch, lesson, BATCH_SIZE=32)
    for b in batches:
        built.learn(*b)
    assert built.distance(learner) < 1e-5

    set_numbers(monkeypatch, lesson, **numbers)
    before = built.values()
    var = lesson.train.__globals__['VAR']
    episodes = built.train(2, var=var)
    assert np.isfinite([episode.reward for episode in episodes]).all()
    moved = changed(before, built.values())
    for who, rate in (('actor', 'LR_A'), ('critic', 'LR_C')):
        learns = (
            numbers.get(rate) != 0 and 'HIDDEN_UNITS' not in numbers
        )  # a single one may be dead
        assert who in moved or not learns
        assert f'{who} target' in moved or not learns or tau == 0
        assert who not in moved or numbers.get(rate) != 0
    if var == 0:
        assert episodes[-1].var == 0


@three_lessons
def test_the_critic_ends_at_the_solution_of_a_problem_with_a_known_one(lesson):
    """With reward 1 for ever, Q must become 1 / (1 - gamma) everywhere: 10 for gamma 0.9."""
    env = ENVIRONMENTS[1]()
    built, random = Built(lesson, env, seed=1), np.random.RandomState(1)
    for _ in range(6000):
        b_s, b_a, b_r, b_s_ = batch(random, 3, [-2], [2])
        built.learn(b_s, b_a, np.ones_like(b_r), b_s_)
    q = built.sess.run(built.actor_value, dict(zip(built.feeds, (b_s, b_a, b_r, b_s_))))
    assert q == pytest.approx(1 / (1 - lesson.GAMMA), rel=0.05)


@three_lessons
def test_learning_for_real_swings_the_pendulum_up(lesson):
    """Doing nothing gives -1257; 30 episodes after the 70th are far above that on the average."""
    built = Built(lesson, ENVIRONMENTS[1](), seed=1)
    rewards = [episode.reward for episode in built.train(100)]
    assert np.mean(rewards[70:]) > -700


@three_lessons
def test_losses_are_those_of_the_equations_and_change_nothing(lesson, small):
    built, batches = small
    before = built.values()
    feed = dict(zip(built.feeds, batches[0]))
    td_error = built.sess.run(built.td_error, feed)
    value = np.mean(built.sess.run(built.actor_value, {built.feeds[0]: batches[0][0]}))
    assert changed(before, built.values()) == set()

    b_s, b_a, b_r, b_s_ = doubles(batches[0])
    bounds = built.env.action_space.low, built.env.action_space.high
    a_, _ = reference.actor_forward(before['actor target'], b_s_, *bounds)
    target = b_r + 0.9 * reference.critic_forward(before['critic target'], b_s_, a_)[0]
    q, _ = reference.critic_forward(before['critic'], b_s, b_a)
    assert td_error == pytest.approx(np.mean((target - q) ** 2), rel=1e-4)
    a, _ = reference.actor_forward(before['actor'], b_s, *bounds)
    q_of_actor, _ = reference.critic_forward(before['critic'], b_s, a)
    assert value == pytest.approx(np.mean(q_of_actor), rel=1e-4, abs=1e-5)


# ---------------------------------------------------------------- the order of a learning step

MOVES = {  # what moves in the two parts of a learning step, in this order
    ddpg: (
        [{'actor'}, {'actor target'}],
        [{'critic'}, {'critic target'}],
    ),
    ddpg_update: (
        [{'actor target', 'critic target'}, {'actor'}],
        [{'critic'}],
    ),
    ddpg_update2: (
        [{'actor'}, {'actor target', 'critic target'}],
        [{'critic'}],
    ),
}


@three_lessons
def test_each_part_of_a_step_moves_its_own_networks_and_nothing_else(lesson, small):
    built, (b, *_) = small
    parts = (built.learn_actor, b[:1]), (built.learn_critic, b)
    for (learn, feeds), moves in zip(parts, MOVES[lesson]):
        before = built.values()
        learn(*feeds)
        assert changed(before, built.values()) == set.union(*moves)


@pytest.mark.parametrize(
    'lesson, replacement',
    [(lesson, lesson.SOFT) for lesson in LESSONS] + [(ddpg, HARD_7_5)],
    ids=['ddpg-soft', 'ddpg_update', 'ddpg_update2', 'ddpg-hard'],
)
def test_the_graph_leaves_tensorflow_no_other_order(lesson, replacement, monkeypatch):
    """What the lesson runs to learn, operation by operation, by inputs and control dependencies.

    Of a variable that moves, every read is bound to come before the move or bound to come after.
    What moves later waits for what moves earlier, and is computed from its moved value.
    """
    fetches, make_callable = [], lesson.make_callable

    def noting(sess, fetch, feeds):
        fetches.append((fetch, feeds))
        return make_callable(sess, fetch, feeds)

    monkeypatch.setattr(lesson, 'make_callable', noting)
    built = Built(lesson, ENVIRONMENTS[3](), replacement, seed=1)
    parts = [(fetch, feeds) for fetch, feeds in fetches if not hasattr(fetch, 'shape')]
    parts.sort(key=lambda part: len(part[1]))  # the actor's takes states, the critic's a batch
    assert [len(feeds) for _, feeds in parts] == [1, 4]
    for (fetch, feeds), order in zip(parts, MOVES[lesson]):
        step = Step(fetch, feeds)
        assert step.races() == []
        moves = [
            {v.op.name: step.writes[v.op.name] for name in names for v in built.nets[name]}
            for names in order
        ]
        assert all(len(writes) == 1 for those in moves for writes in those.values())
        ours = {v.op.name for net in built.nets.values() for v in net}
        assert ours & set(step.writes) == {name for those in moves for name in those}
        for earlier, later in zip(moves, moves[1:]):
            for (write,) in later.values():
                for variable, (moved,) in earlier.items():
                    assert moved in step.before(write)
                    for read in step.reads_for(write).get(variable, ()):
                        assert moved in step.before(read)


@pytest.mark.parametrize('learner', REFERENCES.values(), ids=lambda learner: learner.__name__)
def test_every_wrong_order_would_be_seen(learner):
    """In NumPy: 200 steps in another order part the weights by more than 1e-4.

    In the original the critic's replacement and the actor's half do not meet: their order is free.
    """
    c, replace_c, a, replace_a = reference.DDPG.ORDER
    free = {(c, a, replace_c, replace_a), (c, a, replace_a, replace_c)}
    env = ENVIRONMENTS[1]()
    built = Built(ddpg, env)
    weights = weights_for(built.nets['actor']), weights_for(built.nets['critic'])

    def learned(order):
        space = env.action_space
        one = learner(*weights, space.low, space.high)
        one.ORDER = order
        for b in batches_for(env, 200):
            one.learn(*doubles(b))
        return one.actor + one.actor_ + one.critic + one.critic_

    right = learned(learner.ORDER)
    for order in set(permutations(learner.ORDER)) - {learner.ORDER}:
        apart = max(np.abs(x - y).max() for x, y in zip(right, learned(order)))
        assert apart == 0 if order in free else apart > 1e-4, order


# ---------------------------------------------------------------- how a lesson begins, and acts


@pytest.mark.parametrize('action_dim', [1, 3])
@three_lessons
def test_targets_begin_as_copies_and_seeds_decide_the_weights(lesson, action_dim):
    env = ENVIRONMENTS[action_dim]()
    first = Built(lesson, env, seed=1).values()
    for who in ('actor', 'critic'):
        for e, t in zip(first[who], first[f'{who} target']):
            assert (e == t).all()
    assert changed(first, Built(lesson, env, seed=1).values()) == set()
    assert changed(first, Built(lesson, env, seed=2).values()) == set(first)


@three_lessons
def test_a_seed_goes_to_numpy_and_to_the_environment_and_none_to_neither(lesson):
    env, seeds = ENVIRONMENTS[3](), []
    env.seed = seeds.append
    lesson.build(env, seed=5)
    drawn = np.random.uniform()
    assert (seeds, drawn) == ([5], np.random.RandomState(5).uniform())
    np.random.seed(7)
    lesson.build(env)
    assert (seeds, np.random.uniform()) == ([5], np.random.RandomState(7).uniform())


@pytest.mark.parametrize('action_dim', [1, 3])
@three_lessons
def test_choose_action_is_the_actors_and_within_each_range(lesson, action_dim):
    env = ENVIRONMENTS[action_dim]()
    low, high = env.action_space.low, env.action_space.high
    built = Built(lesson, env, seed=1)
    s = np.random.RandomState(0).normal(size=env.observation_space.shape)
    weights = built.values()['actor']
    want, _ = reference.actor_forward(weights, s[np.newaxis], low, high)
    a = built.choose_action(s)
    assert a.shape == (action_dim,)
    assert a == pytest.approx(want[0], rel=1e-5, abs=1e-5)
    # pushed hard, each action reaches its own two ends, and no further
    for push, end in ((-1e3, low), (1e3, high)):
        set_values(built.sess, built.nets['actor'], weights[:3] + [np.full(action_dim, push)])
        assert built.choose_action(s) == pytest.approx(end, rel=1e-6)


@pytest.mark.parametrize('which, wrong', [(2, (32,)), (2, (1, 1)), (1, (31, 3)), (0, (32, 4))])
@three_lessons
def test_a_batch_of_the_wrong_shape_is_refused_and_teaches_nothing(lesson, small, which, wrong):
    built, (b, *_) = small
    before = built.values()
    b[which] = np.zeros(wrong)
    with pytest.raises(ValueError, match=r'takes an array \(\d+, \d\), got \('):
        built.learn_critic(*b)
    assert changed(before, built.values()) == set()


@pytest.mark.parametrize('lesson', [ddpg_update, ddpg_update2], ids=lambda lesson: lesson.__name__)
def test_weights_begin_as_tensorflow_would_have_them(lesson, monkeypatch):
    """Glorot uniform: within sqrt(6 / (fan_in + fan_out)), deviation that over sqrt(3); biases 0.

    The critic's b1 is drawn like a weight.
    """
    monkeypatch.setattr(lesson, 'HIDDEN_UNITS', 2000)
    values = Built(lesson, ENVIRONMENTS[3](), seed=1).values()
    actor, critic = values['actor'], values['critic']
    for bias in (actor[1], actor[3], critic[4]):
        assert (bias == 0).all()
    for weights in (actor[0], actor[2], *critic[:4]):
        limit = np.sqrt(6 / sum(weights.shape))
        assert np.abs(weights).max() <= limit
        assert weights.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)
        assert abs(weights.mean()) < 0.1 * limit
