"""fast_tf.py: its import, in fresh interpreters as it happens once; sessions and calls."""

import os
import shutil
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import fast_tf
from fast_tf import latest_feed, make_callable, new_session
from tests.helpers.program import PROJECT

TENSORFLOW_1 = tf.__version__.startswith('1.')

# ---------------------------------------------------------------- the import


@pytest.fixture
def python(tmp_path):
    """Run Python with `words`; tensorflow/__init__.py is the text `tensorflow`, if there is one."""

    def run(*words, tensorflow=None, shell='exec "$@"'):
        if tensorflow:
            (tmp_path / 'tensorflow').mkdir()
            (tmp_path / 'tensorflow' / '__init__.py').write_text(tensorflow)
        path = os.pathsep.join([str(tmp_path), str(PROJECT)])
        return subprocess.run(
            ['bash', '-c', shell, 'bash', sys.executable, *words],
            cwd=str(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            env=dict(os.environ, PYTHONPATH=path),
        )

    return run


SEVEN = """import gc; gc.{before}()
from fast_tf import *
with tf.Graph().as_default():
    x = tf.placeholder(tf.float32, [None, 1])
    add = make_callable(new_session(), x + 4, [x])
    print(add([[3]]), gc.isenabled())"""


def test_a_session_begins_computes_and_ends_without_a_message(python):
    done = python('-c', SEVEN.format(before='enable'))
    assert (done.returncode, done.stdout, done.stderr) == (0, '[[7.]] True\n', '')


def test_garbage_collection_stays_off_and_no_temporary_folder_is_needed(python):
    nowhere = 'import tempfile; tempfile.tempdir = "/nowhere"\n'
    done = python('-c', nowhere + SEVEN.format(before='disable'))
    assert (done.returncode, done.stdout, done.stderr) == (0, '[[7.]] False\n', '')


WRITES = """import fast_tf, os, sys
with open('own', 'w') as file:
    for number in range(3):
        os.fstat(number)
        if number: os.write(number, b'noise')
    file.write('mine')"""


def test_with_closed_descriptors_nothing_is_printed_into_a_file(python, tmp_path):
    done = python('-c', WRITES, shell='exec "$@" <&- >&- 2>&-')
    assert done.returncode == 0
    assert (tmp_path / 'own').read_text() == 'mine'


@pytest.mark.skipif(not TENSORFLOW_1, reason='TensorFlow 2 does not need docstrings')
def test_without_docstrings_it_says_what_to_do(python):
    done = python('-OO', str(PROJECT / 'ddpg.py'), '--help')
    says = 'TensorFlow 1.15 needs docstrings: unset PYTHONOPTIMIZE\n'
    assert (done.returncode, done.stdout, done.stderr) == (2, '', says)


CTRL_C = 'import os, signal; os.kill(os.getpid(), signal.SIGINT)'
SWALLOWED = f"""
try:
    {CTRL_C}
except KeyboardInterrupt:
    pass
import sys, types
for name in ('compat', 'compat.v1', 'core', 'core.protobuf', 'core.protobuf.config_pb2'):
    sys.modules['tensorflow.' + name] = types.ModuleType('tensorflow.' + name)
sys.modules['tensorflow.core.protobuf.config_pb2'].CallableOptions = None
"""
MISSING = 'raise ModuleNotFoundError("No module named \'tensorflow\'", name="tensorflow")'
INSTALL = 'On Python 3.7, or 3.10 to 3.13: pip install -r requirements.txt'


@pytest.mark.parametrize('program', ['ddpg.py', 'ddpg_update.py', 'compare.py'])
@pytest.mark.parametrize('code', [MISSING, 'raise KeyboardInterrupt', CTRL_C, SWALLOWED])
def test_a_program_whose_import_ends_early_is_one_line(python, program, code):
    missing = code is MISSING
    noise = '' if missing else 'import os; os.write(2, b"noise")\n'
    done = python(str(PROJECT / program), tensorflow=noise + code)
    assert done.returncode == (2 if missing else 130), done.stderr
    assert done.stderr == (f"No module named 'tensorflow'. {INSTALL}\n" if missing else 'stopped\n')


def test_a_script_elsewhere_gets_exceptions(python, tmp_path):
    script = tmp_path / 'own.py'
    script.write_text(
        'try:\n    import fast_tf\nexcept ImportError as error:\n    print(error)\n'
        'raise KeyboardInterrupt\n'
    )
    done = python(str(script), tensorflow=MISSING)
    assert done.stdout == f"No module named 'tensorflow'. {INSTALL}\n"
    assert 'Traceback' in done.stderr and done.stderr.endswith('KeyboardInterrupt\n')


def test_when_the_import_fails_its_messages_are_shown(python):
    broken = 'import os; os.write(2, b"the " + b"reason\\n"); raise ImportError("broken")'
    done = python('-c', 'import fast_tf', tensorflow=broken)
    assert done.returncode != 0
    assert 'the reason' in done.stderr and 'broken' in done.stderr


@pytest.mark.parametrize('name, says', [
    ('gym.spaces', INSTALL), ('PIL', INSTALL), ('pygame', INSTALL),
    ('lab', 'the command line needs the folder lab'), ('lab.film', 'the folder lab'),
    ('somebody', None), (None, None),
])  # fmt: skip
def test_what_is_missing_has_a_line_if_it_is_ours(name, says):
    missing = fast_tf.missing_package(ModuleNotFoundError('No module', name=name))
    assert (says in str(missing)) if says else missing is None


@pytest.mark.skipif(not shutil.which('xvfb-run'), reason='needs xvfb-run')
def test_gyms_own_window_draws_beside_tensorflow():
    """Their LLVMs must not mix, or the process ends with a segmentation fault."""
    code = "import ddpg, gym; env = gym.make('Pendulum-v0'); env.reset(); env.render()"
    words = ['xvfb-run', '-a', sys.executable, '-c', code]
    how = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    done = subprocess.run(words, cwd=str(PROJECT), **how)
    if 'ImportError' in done.stdout:
        pytest.skip('needs OpenGL')
    assert done.returncode == 0, done.stdout


# ---------------------------------------------------------------- sessions and calls


def test_operations_use_one_thread_or_as_many_as_one_says(monkeypatch):
    assert fast_tf.config().intra_op_parallelism_threads == 1
    monkeypatch.setattr(fast_tf, 'THREADS', 3)
    assert fast_tf.config().intra_op_parallelism_threads == 3


@pytest.fixture
def graph():
    """A session, placeholders x (n, 2) and y (n, 1), and the tensor x @ [[1], [10]] + y."""
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 2], 'x')
        y = tf.placeholder(tf.float32, [None, 1], 'y')
        total = tf.matmul(x, [[1.0], [10.0]]) + y
        with new_session() as sess:
            yield sess, x, y, total


LAYOUTS = dict(
    double=lambda a: a,
    fortran=lambda a: np.asfortranarray(a, np.float32),
    columns=lambda a: np.float32(np.hstack([a, a]))[:, a.shape[1] :],  # of a larger array
    backwards=lambda a: np.float32(a[::-1])[::-1],
    a_list=lambda a: a.tolist(),
)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_same_values_as_session_run_for_every_layout_of_the_arrays(graph, layout):
    sess, x, y, total = graph
    make = mock.Mock(wraps=sess._make_callable_from_options)
    sess._make_callable_from_options, random = make, np.random.RandomState(0)
    call = make_callable(sess, total, [x, y])
    for n in (1, 5):
        a, b = random.normal(size=(n, 2)), random.normal(size=(n, 1))
        got = call(LAYOUTS[layout](a), LAYOUTS[layout](b))
        assert (got == sess.run(total, {x: a, y: b})).all()
    assert make.call_count == 1  # that is what saves the time


def test_a_list_of_fetches_gives_a_list_with_none_for_an_operation(graph):
    sess, x, y, total = graph
    count = tf.get_variable('count', [], use_resource=True, initializer=tf.zeros_initializer())
    sess.run(count.initializer)
    add = tf.assign_add(count, 1).op
    call = make_callable(sess, [add, total, 2 * x, add], [x, y])
    got = call([[1, 2]], [[3]])
    assert [None if one is None else one.tolist() for one in got] == [None, [[24]], [[2, 4]], None]
    assert make_callable(sess, [add], [x])([[1, 2]]) == [None]
    assert make_callable(sess, add, [x])([[1, 2]]) is None
    assert sess.run(count) == 3


@pytest.mark.parametrize('shape_x, shape_y, named', [
    ((4, 2), (4,), 'y:0'), ((4, 2), (1, 1), 'y:0'), ((4, 3), (4, 1), 'x:0'), ((2,), (2, 1), 'x')
])  # fmt: skip
def test_a_wrong_shape_is_refused_before_anything_runs(graph, shape_x, shape_y, named):
    sess, x, y, total = graph
    with pytest.raises(ValueError, match=f'^{named}.* got'):
        make_callable(sess, total, [x, y])(np.zeros(shape_x), np.zeros(shape_y))


def test_the_latest_feed_is_that_of_a_call_that_gave_all_a_tensor_needs(graph):
    sess, x, y, total = graph
    loss = total - 2 * y
    act, learn = make_callable(sess, 2 * x, [x]), make_callable(sess, loss, [total, y])
    act([[1, 2]])
    assert latest_feed(sess, loss) is None  # nobody has given y
    for number in (5, 6):
        learn([[number]], [[1]])  # as actions from memory are fed in place of the actor's
        act([[1, 2]])
    feed = latest_feed(sess, loss)
    assert {tensor.name: value.tolist() for tensor, value in feed.items()} == {
        total.name: [[6]],
        y.name: [[1]],
    }
    assert sess.run(loss, feed).tolist() == [[4]]
    assert latest_feed(sess, 2 * x)[x].tolist() == [[1, 2]]
