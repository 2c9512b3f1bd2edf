"""Train what is to be compared, and leave the table, the picture and every episode in a folder."""

import os
import shlex
import time
from contextlib import closing

from tqdm import tqdm

from comparison import job, results, sweep, versions
from comparison.table import common_seeds, differences, table
from experiment import folder
from experiment.evaluate import LAST, WINDOW, good_return
from pictures.figures import draw_curves
from support import environment, files, settings, signals
from support.messages import OutputLost, RunFailed, Stopped, complain, one_line, say


def compare(options):
    """Compare, as the options of compare.py say.

    Raises:
        BadInput, RunFailed, Stopped: what finished before is kept.
    """
    env = environment.make(options.env)  # complain now, not in every worker
    columns = versions.columns(options.versions, options.set, options.vary)
    backend = sweep.connect(options.backend, options.address)
    lessons = {version.lesson for version in versions.VERSIONS.values()}
    numbers = {settings.name(each): settings.numbers_of(each) for each in lessons}
    config = dict(env=options.env, episodes=options.episodes, set=options.set, numbers=numbers)
    path = results.open_folder(options.run, config)
    with folder.locked(path):
        done = results.Results(path)
        parent = os.getpid() if backend == 'loky' else None
        jobs = {
            (c.version, c.words, seed, options.env, options.episodes, parent): (c.label, seed)
            for seed in options.seeds
            for c in columns
            if (c.label, seed) not in done.runs
        }
        say(f'{len(jobs)} runs to train, {len(done.runs)} are there already; all are in {path}')
        again = f'resume with the same command and --run {shlex.quote(path)}'
        resume, start = f'what finished is in {path}; {again}', time.time()
        try:
            with signals.handled_by(_stop):
                failed = train(jobs, done, backend)
                _report(columns, done, good_return(options.env, env), path)
        except KeyboardInterrupt as stop:
            raise Stopped(f'stopped; {resume}', *stop.args)
        except OSError as error:
            raise RunFailed(f'{path} cannot be written ({error.strerror}); {resume}')
        except OutputLost as error:
            raise OutputLost(f'{error}; {resume}')
        if failed:
            raise RunFailed(f'{len(failed)} missing: {"; ".join(failed)}; {resume}')
        say(f'\n{len(jobs)} runs in {time.time() - start:.0f} seconds; all are in {path}')


def _stop(signum, frame):
    raise KeyboardInterrupt(signum)


def train(jobs, done, backend):
    """Train the jobs, {arguments: (label, seed)}; return a line for each that is missing then."""
    missing = {key: 'its worker died' for key in jobs.values()}
    ends = sweep.run(job.train, list(jobs), backend)
    with closing(ends), tqdm(total=len(jobs), unit='run', disable=None, leave=False) as bar:
        for arguments, result, reason in ends:
            key = jobs[arguments]
            if reason is None:
                done.add(*key, *result)
                del missing[key]
            else:
                missing[key] = reason
            bar.update()
    return [f'{label} with seed {seed} ({why})' for (label, seed), why in missing.items()]


def _report(columns, done, good, path):
    """Print the table and the differences, and write both and the picture."""
    found = {column.label: done.of(column.label) for column in columns}
    found = {label: runs for label, runs in found.items() if runs}
    if not found or not common_seeds(found):
        return
    text = table(found, WINDOW, LAST, good, len(job.STARTS))
    text = f'{text}\n\n{differences(found, WINDOW, LAST, good)}'.rstrip()
    files.write_atomically(os.path.join(path, results.TABLE), text)
    say(text)
    seeds = common_seeds(found)
    try:
        curves = [(label, [runs[s].rewards for s in seeds]) for label, runs in found.items()]
        draw_curves(curves, WINDOW, os.path.join(path, results.PICTURE))
    except Exception as error:  # no picture is worth a comparison
        complain(f'{results.PICTURE} could not be drawn: {one_line(error)}')
