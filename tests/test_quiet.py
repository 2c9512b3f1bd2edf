"""support/quiet.py, in a fresh interpreter, because an import happens once."""

import os
import subprocess
import sys

import pytest

from tests.helpers.program import PROJECT

CTRL_C = 'import os, signal; os.kill(os.getpid(), signal.SIGINT)'
SWALLOWED = f"""
try:
    {CTRL_C}
except KeyboardInterrupt:
    pass
import sys, types
for name in ('tensorflow.compat', 'tensorflow.compat.v1'):
    sys.modules[name] = types.ModuleType(name)
"""
MISSING = 'raise ModuleNotFoundError("No module named tensorflow")'
SEVEN = """import support.quiet, tensorflow.compat.v1 as tf
with tf.Graph().as_default(), tf.Session() as sess: print(sess.run(tf.constant(7)))"""


@pytest.fixture
def python(tmp_path):
    """Run Python with `words`; tensorflow/__init__.py is the text `tensorflow`, if there is one."""

    def run(*words, tensorflow=None):
        if tensorflow:
            (tmp_path / 'tensorflow').mkdir()
            (tmp_path / 'tensorflow' / '__init__.py').write_text(tensorflow)
        path = os.pathsep.join([str(tmp_path), str(PROJECT)])
        return subprocess.run(
            [sys.executable, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            env=dict(os.environ, PYTHONPATH=path),
        )

    return run


def test_tensorflow_starts_and_runs_a_session_in_silence(python):
    done = python('-c', SEVEN)
    assert (done.returncode, done.stdout, done.stderr) == (0, '7\n', '')


@pytest.mark.parametrize('program', ['ddpg.py', 'ddpg_update.py', 'compare.py'])
@pytest.mark.parametrize('code', [MISSING, 'raise KeyboardInterrupt', CTRL_C, SWALLOWED])
def test_an_import_that_ends_early_is_one_line(python, program, code):
    noise = 'import os; os.write(2, b"noise")\n'
    done = python(str(PROJECT / program), tensorflow=noise + code)
    missing = code is MISSING
    assert done.returncode == (1 if missing else 130), done.stderr
    assert done.stderr.count('\n') == 1
    says = 'pip install -r requirements.txt' if missing else 'stopped before training began'
    assert says in done.stderr


def test_who_uses_it_as_a_library_gets_an_exception(python):
    code = 'try:\n    import support.quiet\nexcept ImportError as error: print(error)'
    done = python('-c', code, tensorflow=MISSING)
    assert done.returncode == 0
    assert 'pip install -r requirements.txt' in done.stdout


def test_when_the_import_fails_its_messages_are_shown(python):
    broken = 'import os; os.write(2, b"the " + b"reason\\n"); raise ImportError("broken")'
    done = python('-c', 'import support.quiet', tensorflow=broken)
    assert done.returncode != 0
    assert 'the reason' in done.stderr and 'broken' in done.stderr
