"""fast_tf.py: its import, in fresh interpreters as it happens once; sessions and calls."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from fast_tf import latest_feed, make_callable, new_session
from tests.helpers.program import PROJECT, run_python

# ---------------------------------------------------------------- the import


@pytest.fixture
def python(tmp_path):
    """Run Python with `words`; tensorflow/__init__.py is the text `tensorflow`, if there is one."""

    def run(*words, tensorflow=None, shell='exec "$@"'):
        if tensorflow:
            (tmp_path / 'tensorflow').mkdir()
            (tmp_path / 'tensorflow' / '__init__.py').write_text(tensorflow)
        return run_python(*words, folder=tmp_path, path=[tmp_path], shell=shell)

    return run


SEVEN = """import gc, importlib
from fast_tf import *
with tf.Graph().as_default():
    x = tf.placeholder(tf.float32, [None, 1])
    add = make_callable(new_session(), x + 4, [x])
    print(add([[3]]), gc.isenabled())
gc.disable()
importlib.reload(importlib.import_module('fast_tf'))
print(gc.isenabled())"""


def test_a_session_begins_without_a_message_and_garbage_collection_is_as_before(python):
    done = python('-c', SEVEN)
    assert (done.returncode, done.stdout, done.stderr) == (0, '[[7.]] True\nFalse\n', '')


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


NOISE = 'import os, signal, sys, unittest.mock; os.write(2, b"noise\\n")\n'
MISSING = 'raise ModuleNotFoundError("No module named \'tensorflow\'", name="tensorflow")'
INSTALL = "No module named 'tensorflow'. On Python 3.7, or 3.10 to 3.13: pip install -r require"
CTRL_C = f"""{NOISE}
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt:  # as some library does
    pass
for name in ('compat', 'compat.v1', 'core', 'core.protobuf', 'core.protobuf.config_pb2'):
    sys.modules['tensorflow.' + name] = unittest.mock.MagicMock()
"""


@pytest.mark.parametrize('program, code, status, says', [
    ('compare.py', MISSING, 2, INSTALL), ('ddpg.py', CTRL_C, 130, 'stopped')
])  # fmt: skip
def test_a_program_whose_import_ends_early_is_one_line(python, program, code, status, says):
    done = python(PROJECT / program, tensorflow=code)
    assert done.returncode == status, done.stderr
    assert done.stderr.startswith(says) and done.stderr.count('\n') == 1


def test_a_script_elsewhere_gets_exceptions_and_the_messages_before_them(python, tmp_path):
    script = tmp_path / 'own.py'
    script.write_text(
        'try:\n    import fast_tf\nexcept ImportError as error:\n    print(error)\n'
        'raise KeyboardInterrupt\n'
    )
    done = python(script, tensorflow=NOISE + MISSING)
    assert done.stdout.startswith(INSTALL)
    assert done.stderr.startswith('noise\nTraceback')
    assert done.stderr.endswith('KeyboardInterrupt\n')


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


@pytest.fixture
def graph():
    """A session, placeholders x (n, 2) and y (n, 1), and the tensor x @ [[1], [10]] + y."""
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 2], 'x')
        y = tf.placeholder(tf.float32, [None, 1], 'y')
        total = tf.matmul(x, [[1.0], [10.0]]) + y
        with new_session() as sess:
            yield sess, x, y, total


@pytest.mark.parametrize('layout', [
    np.array,
    np.ndarray.tolist,
    lambda a: np.asfortranarray(a, np.float32),
    lambda a: np.float32(a[::-1])[::-1],
])  # fmt: skip
def test_a_call_gives_what_session_run_does_for_every_layout_of_the_arrays(graph, layout):
    sess, x, y, total = graph
    count = tf.get_variable('count', [], use_resource=True, initializer=tf.zeros_initializer())
    sess.run(count.initializer)
    add, random = tf.assign_add(count, 1).op, np.random.RandomState(0)
    call, calls = make_callable(sess, total, [x, y]), make_callable(sess, [add, total], [x, y])
    for n in (1, 5):
        a, b = random.normal(size=(n, 2)), random.normal(size=(n, 1))
        wanted = sess.run(total, {x: a, y: b})
        assert (call(layout(a), layout(b)) == wanted).all()
        none, got = calls(layout(a), layout(b))
        assert none is None and (got == wanted).all()
    assert make_callable(sess, add, [x])([[1, 2]]) is None
    assert sess.run(count) == 3


@pytest.mark.parametrize('shape_x, shape_y, named', [
    ((4, 2), (4,), 'y:0'), ((4, 2), (1, 1), 'y:0'), ((4, 3), (4, 1), 'x:0')
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
    feed = {tensor.name: value.tolist() for tensor, value in latest_feed(sess, loss).items()}
    assert feed == {total.name: [[6]], y.name: [[1]]}
    assert sess.run(loss, latest_feed(sess, loss)).tolist() == [[4]]
