"""The three traps, and that the lesson avoids them as docs/traps says."""

import re

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import ddpg
from tests.helpers.environments import ENVIRONMENTS
from tests.helpers.graphs import batch, changed
from tests.helpers.lessons import Built, three_lessons


@pytest.fixture
def small():
    """ddpg.py's networks for three joints, and a batch."""
    env = ENVIRONMENTS[3]()
    b = batch(np.random.RandomState(0), 3, env.action_space.low, env.action_space.high)
    return Built(ddpg, env, seed=1), b


def test_trap_1_without_var_list_a_critic_step_moves_the_actor(small):
    both, b = small
    with both.sess.graph.as_default():
        adam = tf.train.AdamOptimizer(0.001)
        wrong = adam.minimize(both.critic.loss)  # no var_list
        both.sess.run(tf.variables_initializer(adam.variables()))
    before = both.values()
    both.sess.run(wrong, dict(zip(both.feeds, b)))
    assert changed(before, both.values()) == {'actor', 'critic'}


def test_trap_2_behind_a_stop_gradient_only_the_stopped_tensor_has_a_gradient(small):
    both, _ = small
    with both.sess.graph.as_default():
        stopped = tf.stop_gradient(both.actor.a)
        q = both.critic._build_net(both.critic.S, stopped, 'behind', trainable=True)
        assert tf.gradients(q, both.actor.a) == [None]
        (grad,) = tf.gradients(q, stopped)
        assert grad.shape.as_list() == [None, 3]
        assert tf.gradients(q, both.actor.e_params) == [None] * 4  # trap 1 ends here, too


def test_trap_2_an_actor_that_is_given_none_climbs_along_its_own_action(small):
    both, (b_s, *_) = small
    with both.sess.graph.as_default(), tf.variable_scope('wrong'):
        both.actor.add_grad_to_graph(None)
        larger = tf.gradients(tf.reduce_sum(both.actor.a), both.actor.e_params)
    grads = both.sess.run([both.actor.policy_grads, larger], {both.actor.S: b_s})
    for got, wanted in zip(*grads):
        np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize('use_resource', [False, True])
def test_trap_3_with_reference_variables_a_gradient_can_see_weights_that_have_moved(use_resource):
    """The order that TensorFlow may choose is forced here, by a control dependency."""
    random = np.random.RandomState(0)
    s, grad_a = random.normal(0, 0.3, size=(8, 3)), random.normal(size=(8, 1))
    with tf.Graph().as_default(), tf.Session() as sess:
        S = tf.constant(s, tf.float32)
        normal = dict(initializer=tf.random_normal_initializer(seed=1), use_resource=use_resource)
        w1 = tf.get_variable('w1', [3, 5], **normal)
        w2 = tf.get_variable('w2', [5, 1], **normal)
        a = tf.tanh(tf.matmul(tf.matmul(S, w1), w2))
        grad_ys = tf.constant(grad_a, tf.float32)
        (w2_grad,) = tf.gradients(a, [w2], grad_ys)
        move_w2 = tf.train.GradientDescentOptimizer(-10.0).apply_gradients([(w2_grad, w2)])
        with tf.control_dependencies([move_w2]):
            (w1_grad,) = tf.gradients(a, [w1], grad_ys)
        sess.run(tf.global_variables_initializer())
        old_a, old_w2 = sess.run([a, w2])
        late = sess.run(w1_grad)
        new_w2 = sess.run(w2)
    grad_z = grad_a * (1 - old_a**2)
    right, wrong = s.T @ (grad_z @ old_w2.T), s.T @ (grad_z @ new_w2.T)
    assert np.abs(right - wrong).max() > 0.1
    np.testing.assert_allclose(late, right if use_resource else wrong, rtol=1e-4, atol=1e-5)


@three_lessons
def test_trap_3_each_file_itself_asks_for_resource_variables_and_has_no_others(lesson):
    with Built(lesson, ENVIRONMENTS[1](), seed=1).sess.graph.as_default():
        assert {v.op.type for v in tf.global_variables()} == {'VarHandleOp'}
    with open(lesson.__file__, encoding='utf-8') as file:
        assert re.search(r'(?m)^tf\.enable_resource_variables\(\)$', file.read())
