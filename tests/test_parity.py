"""What all versions of the lesson have in common: the numbers, by NumPy, and how they begin."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import ddpg
import ddpg_update
import ddpg_update2
import fast_tf
from tests.helpers import reference
from tests.helpers.environments import ENVIRONMENTS
from tests.helpers.graphs import Step, batch, changed, set_values, weights_for
from tests.helpers.lessons import LESSONS, Built, set_numbers, three_lessons

HARD_6_4 = dict(ddpg.HARD, rep_iter_a=6, rep_iter_c=4)
versions = pytest.mark.parametrize(
    'lesson, replacement',
    [(lesson, None) for lesson in LESSONS] + [(ddpg, HARD_6_4)],
    ids=['ddpg-soft', 'ddpg_update', 'ddpg_update2', 'ddpg-hard'],
)


@pytest.mark.parametrize('action_dim, numbers', [
    (1, dict()), (3, dict(GAMMA=0.5, LR_A=0.0005, LR_C=0.0007, TAU=0.3))
], ids=['the lesson', 'others'])  # fmt: skip
@versions
def test_200_steps_agree_with_numpy(lesson, replacement, action_dim, numbers, monkeypatch):
    """Every weight of all four networks, within 1e-5, with operations on several threads.

    The weights are numpy's, so that they are the same on every TensorFlow.
    """
    pool = tf.ConfigProto(inter_op_parallelism_threads=4, use_per_session_threads=True)
    monkeypatch.setattr(fast_tf, 'config', lambda: pool)
    set_numbers(monkeypatch, lesson, **numbers)
    env, random = ENVIRONMENTS[action_dim](), np.random.RandomState(4)
    built, space = Built(lesson, env, replacement, seed=3), env.action_space
    start = {name: weights_for(net) for name, net in built.nets.items()}
    for name, net in built.nets.items():
        set_values(built.sess, net, start[name])
    known = {name.lower(): number for name, number in numbers.items()}
    if replacement is HARD_6_4:
        known.update(rep_iter_a=6, rep_iter_c=4)
    batches = [batch(random, 3, space.low, space.high) for _ in range(250)]
    learner, batches = reference.learn_clear_of_jumps(built.reference(start, **known), batches)
    assert len(batches) > 200
    for b in batches:
        built.learn(*b)
    assert built.distance(learner) < 1e-5


@three_lessons
def test_learning_for_real_swings_the_pendulum_up(lesson):
    """Doing nothing gives -1257; 30 episodes after the 70th are far above that on the average."""
    built = Built(lesson, ENVIRONMENTS[1](), seed=1)
    rewards = [episode.reward for episode in built.train(100)]
    assert np.mean(rewards[70:]) > -700


MOVES = {  # what moves in the two parts of a learning step, in this order
    ddpg: ([{'actor'}, {'actor target'}], [{'critic'}, {'critic target'}]),
    ddpg_update: ([{'actor target', 'critic target'}, {'actor'}], [{'critic'}]),
    ddpg_update2: ([{'actor'}, {'actor target', 'critic target'}], [{'critic'}]),
}


@versions
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


# ---------------------------------------------------------------- how a lesson begins, and acts


@three_lessons
def test_targets_begin_as_copies_and_seeds_decide_the_weights(lesson):
    """A seed goes to numpy's generator and to the environment, too."""
    env, seeds = ENVIRONMENTS[3](), []
    env.seed = seeds.append
    first = Built(lesson, env, seed=5).values()
    assert (seeds, np.random.uniform()) == ([5], np.random.RandomState(5).uniform())
    for who in ('actor', 'critic'):
        for e, t in zip(first[who], first[f'{who} target']):
            assert (e == t).all()
    assert changed(first, Built(lesson, env, seed=5).values()) == set()
    assert changed(first, Built(lesson, env, seed=2).values()) == set(first)


@three_lessons
def test_choose_action_is_the_actors_and_within_each_range(lesson):
    env, s = ENVIRONMENTS[3](), np.random.RandomState(0).normal(size=3)
    low, high = env.action_space.low, env.action_space.high
    built = Built(lesson, env, seed=1)
    weights = built.values()['actor']
    want, _ = reference.actor_forward(weights, s[np.newaxis], low, high)
    assert built.actor.choose_action(s) == pytest.approx(want[0], rel=1e-5, abs=1e-5)
    # pushed hard, each action reaches its own two ends, and no further
    for push, end in ((-1e3, low), (1e3, high)):
        set_values(built.sess, built.nets['actor'], weights[:3] + [np.full(3, push)])
        assert built.actor.choose_action(s) == pytest.approx(end, rel=1e-6)


@three_lessons
def test_weights_begin_as_the_lesson_says(lesson, monkeypatch):
    """Normal with deviations 0.3 and 0.1, biases 0.1; simplified as TensorFlow's default has it:
    uniform within Glorot's limit, biases 0, but for the critic's b1, which is drawn too."""
    set_numbers(monkeypatch, lesson, HIDDEN_UNITS=2000)
    values, original = Built(lesson, ENVIRONMENTS[3](), seed=1).values(), lesson is ddpg
    for who, normal in (('actor', 0.3), ('critic', 0.1)):
        for value in values[who]:
            if value.ndim == 1 or (original and len(value) == 1):
                assert (value == np.float32(0.1 if original else 0)).all()
                continue
            limit = np.sqrt(6 / sum(value.shape))
            deviation = normal if original else limit / np.sqrt(3)
            assert value.std() == pytest.approx(deviation, rel=0.05)
            assert abs(value.mean()) < 0.1 * deviation
            assert (np.abs(value).max() <= limit) == (not original)
