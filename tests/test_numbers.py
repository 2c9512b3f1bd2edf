"""docs/numbers.py: what it trains, and the table and the picture that it makes of it."""

import ddpg
from comparison.results import Results, open_folder
from comparison.table import Run
from comparison.versions import VERSIONS
from docs import numbers
from support import settings


def test_every_setting_is_one_and_each_number_is_shown_with_the_lessons_own():
    for column in numbers.plan():
        version = VERSIONS[column.version]
        settings.changed(settings.numbers_of(version.lesson), version.replacement, column.words)
    own = dict(settings.numbers_of(ddpg), **ddpg.SOFT)
    for name, shown in numbers.small_pictures().items():
        assert [float(tick) for tick, column in shown if column is numbers.OWN] == [own[name]]
    assert all(len(seeds) >= 10 for seeds in numbers.plan().values())


def run(last, best, good_from=2):
    return Run([-1000.0] * good_from + [-100.0] * 20, last, best, 2.0)


def test_the_table_has_medians_and_the_worst():
    runs = {1: run(-150.0, -140.0), 2: run(-900.0, -160.0), 3: run(-170.0, -250.0, 22)}
    short = {1: Run([-1000.0] * 30, -1200.0, None, 9.0)}
    lines = numbers.table({'own': runs, 'short': short}).splitlines()
    assert lines[2:] == [
        '| own | 3 | -170 | -900 | -160 | -250 | 10 | 2.0 |',
        '| short | 1 | -1200 | -1200 |  |  | never | 9.0 |',
    ]


def test_started_again_it_trains_what_is_missing_only(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(numbers, 'PICTURE', tmp_path / 'numbers.png')
    path = str(tmp_path / 'runs')
    *there, last = numbers.missing({}, 1).values()
    config = dict(env='Pendulum-v0', episodes=1, numbers=settings.numbers_of(ddpg))
    done = Results(open_folder(path, config))
    for key in there:
        done.add(*key, [(0, -1000.0, 3.0)], -300.0, None, 1.0)
    numbers.main(['--run', path, '--episodes', '1'])
    after = Results(path).runs
    assert set(after) - set(done.runs) == {last}
    assert {key: after[key] for key in there} == done.runs
    assert f'1 runs to train, {len(there)} are there already' in capsys.readouterr().out
    assert (tmp_path / 'numbers.png').read_bytes().startswith(b'\x89PNG')
