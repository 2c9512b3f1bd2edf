"""experiment/quiet.py, in a fresh interpreter, because an import happens once."""

import os
import subprocess
import sys


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
        'import experiment.quiet, tensorflow.compat.v1 as tf\n'
        'with tf.Graph().as_default(), tf.Session() as sess: print(sess.run(tf.constant(7)))',
        tmp_path,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, '7\n', '')


def fake_tensorflow(folder, code):
    (folder / 'tensorflow').mkdir()
    (folder / 'tensorflow' / '__init__.py').write_text(code)


def test_a_missing_tensorflow_is_one_line_that_says_how_to_install_it(tmp_path):
    fake_tensorflow(tmp_path, 'raise ModuleNotFoundError("No module named \'tensorflow\'")')
    run = python('import experiment.quiet', tmp_path)
    assert run.returncode == 1
    assert run.stderr.count('\n') == 1
    assert 'pip install -r requirements.txt' in run.stderr


def test_ctrl_c_during_the_import_is_one_line(tmp_path):
    fake_tensorflow(tmp_path, 'import os; os.write(2, b"noise"); raise KeyboardInterrupt')
    run = python('import experiment.quiet', tmp_path)
    assert (run.returncode, run.stderr) == (130, 'Stopped before training began.\n')


def test_when_the_import_fails_its_messages_are_shown(tmp_path):
    fake_tensorflow(
        tmp_path, 'import os; os.write(2, b"the reason\\n"); raise ImportError("broken")'
    )
    run = python('import experiment.quiet', tmp_path)
    assert run.returncode != 0
    assert 'the reason' in run.stderr
    assert 'broken' in run.stderr
