"""Run many independent jobs through joblib, on the cores here or on a Ray cluster."""

import os
import signal
import socket
from contextlib import contextmanager

import joblib
from joblib.externals.loky import get_reusable_executor

from support import signals
from support.messages import BadInput, one_line

BACKENDS = ('processes', 'ray')


def connect(backend, address=None):
    """Connect to the cluster, if there is to be one, and return joblib's name of the backend.

    Args:
        backend: one of BACKENDS.
        address: of the Ray cluster; None takes the one that this machine belongs to.

    Raises:
        BadInput: if Ray is not installed, or no cluster answers.
    """
    if backend == 'processes':
        return 'loky'
    try:
        import ray
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise BadInput(f'--backend ray: {error}; install it with: pip install ray')
    try:
        if address:  # where nobody answers, Ray asks again for minutes
            host, _, port = address.rpartition('//')[2].rpartition(':')
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address=address or 'auto', log_to_driver=False, logging_level='ERROR')
        register_ray()
    except Exception as error:  # it has many of its own for a cluster that does not answer
        where = f'at {address}' if address else 'on this machine'
        raise BadInput(f'--backend ray: no cluster {where} ({one_line(error)[:200]})')
    return 'ray'


def run(function, jobs, backend='loky'):
    """Run `function(*job)` for every job, in parallel, and yield each as it ends.

    A job that fails does not stop the others. Where a worker process dies, nothing more is yielded:
    the jobs that are missing can be run again.

    Args:
        function: importable by name in another process.
        jobs: tuples of arguments.
        backend: what `connect` returned; by default the cores here.

    Yields:
        (job, result, None), or (job, None, reason) for a job that failed.
    """
    os.environ.setdefault('PYTHONWARNINGS', 'ignore::UserWarning')  # of joblib's own processes
    try:
        with joblib.parallel_backend(backend, n_jobs=-1):
            if backend == 'ray':  # it gives no result before all of a call are there
                with joblib.Parallel(batch_size=1) as parallel:
                    size = joblib.effective_n_jobs(-1)
                    for first in range(0, len(jobs), size):
                        yield from parallel(_calls(function, jobs[first : first + size]))
            else:
                parallel = joblib.Parallel(batch_size=1, pre_dispatch='n_jobs', return_as=_AS_ENDED)
                with _starting_workers():
                    ends = parallel(_calls(function, jobs))
                yield from ends
    except Exception:  # a worker died; each backend raises something else then
        return
    finally:
        if backend == 'loky':
            get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _calls(function, jobs):
    return (joblib.delayed(_caught)(function, job) for job in jobs)


def _caught(function, job):
    try:
        return job, function(*job), None
    except Exception as error:  # whatever it is, the other jobs continue
        return job, None, one_line(error)


# joblib for Python 3.7 gives results in the order of the jobs only
_VERSION = tuple(int(part) for part in joblib.__version__.split('.')[:2])
_AS_ENDED = 'generator_unordered' if _VERSION >= (1, 4) else 'generator'


@contextmanager
def _starting_workers():
    """Processes started here see no Ctrl-C, which is for this one; it ends them.

    Nor do they import from the folder that one stands in: joblib starts them by `python -m`, which
    searches it first.
    """
    stood, blocked = os.getcwd(), {getattr(signal, n, signal.SIGINT) for n in signals.NAMES}
    can_block = hasattr(signal, 'pthread_sigmask')  # not on Windows
    before = can_block and signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    try:
        yield
    finally:
        os.chdir(stood)
        if can_block:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
