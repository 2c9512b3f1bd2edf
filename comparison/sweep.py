"""Run many independent jobs through joblib, on the cores here or on a Ray or Dask cluster."""

import signal
import socket
from contextlib import contextmanager

import joblib
from joblib.externals.loky import get_reusable_executor

from experiment.errors import BadInput, one_line

BACKENDS = ('processes', 'ray', 'dask')


def connect(backend, address=None):
    """Connect to the cluster, if there is to be one, and return joblib's name of the backend.

    Args:
        backend: one of BACKENDS.
        address: of the Ray or Dask cluster; None takes the one that this machine belongs to.

    Raises:
        BadInput: if the backend is not installed, or no cluster answers.
    """
    if backend == 'processes':
        return 'loky'
    try:
        if backend == 'ray':
            import ray
            from ray.util.joblib import register_ray
        else:
            from dask.distributed import Client
    except ImportError as error:
        package = 'ray' if backend == 'ray' else 'distributed'
        raise BadInput(f'--backend {backend}: {error}; install it with: pip install {package}')
    try:
        if backend == 'ray':
            if address:  # where nobody answers, Ray asks again for minutes
                host, _, port = address.rpartition('//')[2].rpartition(':')
                socket.create_connection((host, int(port)), timeout=10).close()
            ray.init(address=address or 'auto', log_to_driver=False, logging_level='ERROR')
            register_ray()
        else:
            Client(address, timeout=10)
    except Exception as error:  # each has many of its own for a cluster that does not answer
        where = f'at {address}' if address else 'on this machine'
        raise BadInput(f'--backend {backend}: no cluster {where} ({one_line(error)[:200]})')
    return backend


def run(function, jobs, backend='loky'):
    """Run `function(*job)` for every job, in parallel, and yield each as it ends.

    A job that fails does not stop the others. Where a worker process dies, the jobs that were under
    way are tried once more, one at a time, so that the one that kills its worker is found.

    Args:
        function: importable by name in another process.
        jobs: tuples of arguments.
        backend: what `connect` returned; by default the cores here.

    Yields:
        (job, result, None), or (job, None, reason) for a job that failed.
    """
    waiting = list(jobs)
    try:
        while waiting:
            under_way = []
            try:
                for job, result, reason in _parallel(
                    function, list(waiting), backend, -1, under_way
                ):
                    waiting.remove(job)
                    yield job, result, reason
            except Exception:  # a worker died; each backend raises something else then
                suspects = [job for job in under_way if job in waiting]
                if not suspects:
                    raise
                for job in suspects:
                    waiting.remove(job)
                    yield _alone(function, job, backend)
    finally:
        if backend == 'loky':
            get_reusable_executor().shutdown(wait=True, kill_workers=True)


def _parallel(function, jobs, backend, workers, under_way):
    """Yield (job, result, reason) for each job; those handed out are added to `under_way`."""

    def calls(jobs):
        for job in jobs:
            under_way.append(job)
            yield joblib.delayed(_caught)(function, job)

    with joblib.parallel_backend(backend, n_jobs=workers):
        if backend == 'ray':  # it gives no result before all of a call are there: call in rounds
            with joblib.Parallel(batch_size=1) as parallel:
                size = joblib.effective_n_jobs(workers)
                for first in range(0, len(jobs), size):
                    yield from parallel(calls(jobs[first : first + size]))
        else:
            parallel = joblib.Parallel(batch_size=1, pre_dispatch='n_jobs', return_as=_AS_THEY_END)
            with _ctrl_c_not_for_workers():
                ends = parallel(calls(jobs))
            yield from ends


def _alone(function, job, backend):
    try:
        # 2 workers: joblib would run a job for a single one in this process
        return next(_parallel(function, [job], backend, 2, []))
    except Exception as error:
        return job, None, f'its worker process died twice: {one_line(error)}'


def _caught(function, job):
    try:
        return job, function(*job), None
    except Exception as error:  # whatever it is, the other jobs go on
        return job, None, one_line(error)


# joblib for Python 3.7 gives results in the order of the jobs only
_VERSION = tuple(int(part) for part in joblib.__version__.split('.')[:2])
_AS_THEY_END = 'generator_unordered' if _VERSION >= (1, 4) else 'generator'


@contextmanager
def _ctrl_c_not_for_workers():
    """Processes that are started here never see Ctrl-C: it is for this one, which ends them."""
    if not hasattr(signal, 'pthread_sigmask'):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
