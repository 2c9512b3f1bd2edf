"""support/quiet.py, in a fresh interpreter, because an import happens once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


def python(code, folder, **environment):
    return subprocess.run(
        [sys.executable, '-c', code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        env=dict(os.environ, PYTHONPATH=os.pathsep.join([str(folder), os.getcwd()]), **environment),
    )


def test_tensorflow_starts_and_runs_a_session_in_silence(tmp_path):
    run = python(
        'import support.quiet, tensorflow.compat.v1 as tf\n'
        'with tf.Graph().as_default(), tf.Session() as sess: print(sess.run(tf.constant(7)))',
        tmp_path,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, '7\n', '')


def fake_tensorflow(folder, code):
    (folder / 'tensorflow').mkdir()
    (folder / 'tensorflow' / '__init__.py').write_text(code)


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


@pytest.mark.parametrize('program', ['ddpg.py', 'ddpg_update.py', 'compare.py'])
@pytest.mark.parametrize(
    'code, exit_code, says',
    [
        ('raise ModuleNotFoundError("No module named tensorflow")', 1, 'pip install -r require'),
        ('raise KeyboardInterrupt', 130, 'stopped before training began'),
        (CTRL_C, 130, 'stopped before training began'),
        (SWALLOWED, 130, 'stopped before training began'),
    ],
)
def test_an_import_that_ends_early_is_one_line(tmp_path, program, code, exit_code, says):
    fake_tensorflow(tmp_path, 'import os; os.write(2, b"noise")\n' + code)
    done = subprocess.run(
        [sys.executable, str(PROJECT / program)],
        env=dict(os.environ, PYTHONPATH=str(tmp_path)),
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert done.returncode == exit_code, done.stderr
    assert done.stderr.count('\n') == 1
    assert says in done.stderr


def test_who_uses_it_as_a_library_gets_an_exception(tmp_path):
    fake_tensorflow(tmp_path, 'raise ModuleNotFoundError("No module named tensorflow")')
    run = python('try:\n    import support.quiet\nexcept ImportError as e: print(e)', tmp_path)
    assert run.returncode == 0
    assert 'pip install -r requirements.txt' in run.stdout


def test_when_the_import_fails_its_messages_are_shown(tmp_path):
    fake_tensorflow(
        tmp_path, 'import os; os.write(2, b"the reason\\n"); raise ImportError("broken")'
    )
    run = python('import support.quiet', tmp_path)
    assert run.returncode != 0
    assert 'the reason' in run.stderr
    assert 'broken' in run.stderr
