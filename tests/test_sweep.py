"""experiment/sweep.py"""

import os
import sys

import pytest

from experiment import sweep
from experiment.errors import BadInput
from tests import jobs

NUMBERS = [(number,) for number in range(6)]


def ends(function, arguments=NUMBERS):
    """Run the jobs and return their ends in the order of the jobs."""
    return sorted(sweep.run(function, arguments), key=lambda end: end[0])


def test_every_job_gives_its_result():
    assert ends(jobs.square) == [((n,), n * n, None) for n in range(6)]


def test_no_jobs_at_all():
    assert ends(jobs.square, []) == []


def test_jobs_run_in_other_processes_one_a_core():
    pids = {pid for _, pid, _ in ends(jobs.process_ids)}
    assert os.getpid() not in pids
    assert 2 <= len(pids) <= os.cpu_count() or os.cpu_count() == 1


def test_a_job_that_fails_is_named_with_its_reason_and_the_others_go_on():
    assert ends(jobs.square_but_not_of_two) == [
        ((n,), None, 'ValueError: two is refused') if n == 2 else ((n,), n * n, None)
        for n in range(6)
    ]


def test_a_job_that_kills_its_worker_is_found_and_the_others_go_on():
    found = ends(jobs.square_but_two_kills_its_worker)
    assert [end[:2] for end in found] == [((n,), None if n == 2 else n * n) for n in range(6)]
    assert 'its worker process died twice' in found[2][2]
    assert all(reason is None for (n,), _, reason in found if n != 2)


def test_a_worker_that_is_killed_once_costs_nothing(tmp_path):
    arguments = [(n, str(tmp_path)) for n in range(6)]
    found = ends(jobs.square_but_two_kills_its_worker_once, arguments)
    assert found == [(job, job[0] ** 2, None) for job in arguments]
    assert (tmp_path / 'tried').exists()


@pytest.mark.parametrize('backend, package', [('ray', 'ray'), ('dask', 'distributed')])
def test_a_backend_that_is_not_installed_says_what_to_install(backend, package, monkeypatch):
    monkeypatch.setitem(sys.modules, {'ray': 'ray', 'dask': 'dask.distributed'}[backend], None)
    with pytest.raises(BadInput, match=f'pip install {package}$'):
        sweep.connect(backend)
