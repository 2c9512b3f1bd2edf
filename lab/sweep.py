"""Run many independent jobs in parallel: on the cores here, or on a Ray cluster.

A worker here is a Python process that takes jobs from its standard input and gives results to its
standard output. Its input ends with the process that started it, however that ends, and so does it.
"""

import importlib
import math
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress

from lab.messages import TrainingError, UsageError, one_line

BACKENDS = ('processes', 'ray')
POLL = 0.1  # seconds between two checks whether to stop
_BEGIN = 'import sys; sys.path[:], sys.argv[:] = {}, {}; from lab.sweep import work; work()'


def connect(backend, address=None):
    """Connect to the cluster, if there is to be one.

    Args:
        backend: one of BACKENDS.
        address: of the Ray cluster; None takes the one that this machine belongs to.

    Raises:
        UsageError: if Ray is not installed, or no cluster answers.
    """
    if backend == 'processes':
        return
    try:
        import ray
    except ImportError as error:
        raise UsageError(f'--backend ray: {error}; install it with: pip install ray')
    try:
        if address:  # where nobody answers, Ray retries for minutes
            host, _, port = address.rpartition('//')[2].rpartition(':')
            socket.create_connection((host, int(port)), timeout=10).close()
        ray.init(address=address or 'auto', log_to_driver=False, logging_level='ERROR')
    except Exception as error:  # it has many of its own for a cluster that does not answer
        where = f'at {address}' if address else 'on this machine'
        raise UsageError(f'--backend ray: no cluster {where} ({one_line(error)})')


def run(function, jobs, backend='processes', stop_requested=lambda: False):
    """Run `function(*job)` for every job, in parallel, and yield each as it ends.

    A job that fails does not stop the others, nor does one whose process is killed.

    Args:
        function: one of a module's own, which another process can import.
        jobs: tuples of arguments.
        backend: one of BACKENDS, and connected.
        stop_requested: () -> whether to stop now, without the jobs that are not finished.

    Yields:
        (job, result, None), or (job, None, reason) for a job that failed.

    Raises:
        TrainingError: if no process can be started, or the cluster has gone.
    """
    module = sys.modules[function.__module__]
    name = module.__spec__.name if module.__spec__ else module.__name__  # `python -m` has __main__
    calls = [(job, pickle.dumps((name, function.__name__, job))) for job in jobs]
    return (_on_ray if backend == 'ray' else _on_cores)(calls, stop_requested)


# frames of a traceback that are not in somebody's own code
_NOT_OWN = '<', os.path.dirname(os.__file__)


def _run_safely(call):
    """Return (result, None) of a pickled call, or (None, reason) if it fails."""
    try:
        module, name, job = pickle.loads(call)
        return getattr(importlib.import_module(module), name)(*job), None
    except (UsageError, TrainingError) as error:
        return None, str(error)
    except (Exception, SystemExit) as error:  # whatever it is, the other jobs continue
        frames = traceback.extract_tb(error.__traceback__)
        own = [f for f in frames if '-packages' not in f[0] and not f[0].startswith(_NOT_OWN)]
        file, line = (own or frames)[-1][:2]
        return None, f'{one_line(error)} ({os.path.basename(file)}, line {line})'


def _on_ray(calls, stop_requested):
    import ray

    remote = ray.remote(max_retries=0)(_run_safely)
    running = {remote.remote(call): job for job, call in calls}
    try:
        while running and not stop_requested():
            for ended in ray.wait(list(running), timeout=POLL)[0]:
                try:
                    result, reason = ray.get(ended)
                except ray.exceptions.RayError as error:  # its process was killed, for example
                    result, reason = None, one_line(error)
                yield running.pop(ended), result, reason
    except ConnectionError as error:
        raise TrainingError(f'the cluster has gone ({one_line(error)})')
    finally:
        for each in running:
            ray.cancel(each, force=True)


def _on_cores(calls, stop_requested):
    own, processes, ends = threading.local(), [], queue.Queue()  # a process for each thread

    def do(call):
        if not hasattr(own, 'process'):
            own.process = _start()
            processes.append(own.process)
        try:
            os.write(own.process.stdin.fileno(), pickle.dumps(call))
            return pickle.load(own.process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):  # it has ended
            processes.remove(own.process)
            _end(own.process)
            code = own.process.returncode
            del own.process
            how = signal.Signals(-code).name if code < 0 else f'exit code {code}'
            return None, f'its process died ({how})'

    with ThreadPoolExecutor(cores()) as threads:
        running = {threads.submit(do, call): job for job, call in calls}
        for each in running:
            each.add_done_callback(ends.put)
        try:
            while running and not stop_requested():
                with suppress(queue.Empty):
                    end = ends.get(timeout=POLL)
                    yield (running.pop(end), *end.result())
        finally:
            begun = [each for each in running if not each.cancel()]
            while processes or wait(begun, POLL).not_done:
                while processes:
                    _end(processes.pop())


def cores():
    """Return how many processes can run at once: this one's cores, in a container its share."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    with suppress(OSError, ValueError), open('/sys/fs/cgroup/cpu.max') as file:
        quota, period = map(int, file.read().split())
        count = min(count, math.ceil(quota / period))
    return count or 1


def _start():
    """Start a worker, in a session of its own: Ctrl-C is for this process, which ends it."""
    words = [sys.executable, '-c', _BEGIN.format([str(each) for each in sys.path], sys.argv)]
    how = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    how.update(creationflags=getattr(subprocess, 'CREATE_NEW_PROCESS_GROUP', 0))
    try:
        return subprocess.Popen(words, env={'OMP_NUM_THREADS': '1', **os.environ}, **how)
    except OSError as error:
        raise TrainingError(f'no process can be started ({error.strerror})')


def _end(process):
    """End a worker, and what its environment has started."""
    with process, suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL) if hasattr(os, 'killpg') else process.kill()


def work():
    """Be a worker: do the jobs that come on standard input, until it ends."""
    calls, results = os.fdopen(os.dup(0), 'rb'), os.fdopen(os.dup(1), 'wb')
    if hasattr(os, 'register_at_fork'):  # a process that an environment leaves must not hold it
        os.register_at_fork(after_in_child=lambda: os.close(results.fileno()))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # for whatever an environment asks
    os.dup2(2, 1)  # what an environment prints is not a result
    sys.stdout, given = sys.stderr, queue.Queue()
    threading.Thread(target=_receive, args=(calls, given), daemon=True).start()
    while True:
        pickle.dump(_run_safely(given.get()), results)
        results.flush()


def _receive(calls, given):
    try:
        while True:
            given.put(pickle.load(calls))
    finally:  # the process that started this one has ended
        os._exit(1)
