"""lab/report.py and the pictures of a comparison, on numbers made by hand."""

import numpy as np

from lab import report
from lab.evaluation import interval
from lab.job import Result
from lab.plots import draw_curves
from lab.report import differences, first_good, table


def run(end=-200.0, last=-150.0, kept=-140.0, seconds=3.0):
    return Result([-1000.0] * 30 + [end] * 20, [3.0] * 50, last, kept, seconds)


def cells(text, name):
    (line,) = [line for line in text.splitlines() if line.startswith(f'| {name}')]
    return [cell.strip() for cell in line.split('|')[2:-1]]


def test_medians_and_worst_of_what_stands_in_the_rows():
    runs = {seed: run(end, end + 10, end + 20, seed) for seed, end in enumerate([-900, -300, -200])}
    text = table({'one': runs}, -950, 1000)
    lines = text.splitlines()
    assert lines[:2] == ['|  | one |', '|---|---:|']
    assert cells(text, 'runs (seeds)') == ['3']
    assert cells(text, 'mean return of the last 20 episodes, median') == ['-300']
    assert cells(text, 'greedy return of the last policy, mean of 1000 starts, median') == ['-290']
    assert cells(text, 'greedy return of the kept policy, same starts, median') == ['-280']
    worst = [line.split('|')[2].strip() for line in lines if 'the same, worst seed' in line]
    assert worst == ['-900', '-890', '-880']
    assert cells(text, 'processor seconds a run, median') == ['1.0']


def test_a_run_that_never_got_good_counts_as_infinite():
    """One lucky run in three must not look best."""
    good, late, never = (
        Result([-1000.0] * bad + [-200.0] * 30, [3.0] * (bad + 30), -1, -1, 1)
        for bad in (0, 20, 99)
    )
    never.rewards[99:] = [-300.0] * 30
    assert [first_good(each.rewards, -300) for each in (good, late)] == [
        10,
        29,
    ]  # 9 good ones of 10
    assert first_good([-200.0] * 9, -300) == np.inf
    columns = {'lucky': {1: good, 2: never, 3: never}, 'sure': dict.fromkeys((1, 2, 3), late)}
    text = table(columns, -300, 9)
    assert cells(text, 'episodes until the mean of 10 passes -300, median') == ['never', '29']
    assert cells(text, 'runs that got there') == ['1 of 3', '3 of 3']
    assert 'passes' not in table({'lucky': {1: good}}, None, 9)


def test_columns_and_differences_use_the_seeds_that_all_have():
    one = {1: run(-100), 2: run(-200), 9: run(-9999)}
    two = {1: run(-150), 2: run(-250), 7: run(0)}
    text = table({'one': one, 'two': two}, -300, 9)
    assert cells(text, 'runs (seeds)') == ['2', '2']
    assert cells(text, 'mean return of the last 20 episodes, median') == ['-150', '-200']
    line = differences({'one': one, 'two': two}).splitlines()[0]
    assert line.startswith('- two against one, 2 seeds: at the end -50 (-50 to -50); ')


def test_zero_is_a_return_and_a_run_that_kept_no_policy_is_counted():
    columns = {'one': {1: run(kept=-5.0)}, 'zero': {1: run(kept=0.0)}, 'none': {1: run(kept=None)}}
    assert cells(table(columns, None, 9), 'greedy return of the kept') == ['-5', '0', '1 kept none']
    zero, none = differences(columns).splitlines()[:2]
    assert 'kept policy +5 (' in zero and 'kept policy' not in none


def test_the_interval_is_of_the_median_and_repeats():
    differences_ = [1.0] * 9 + [1000.0]
    assert interval(differences_) == interval(differences_) == (1.0, 1.0, 1.0)
    median, low, high = interval(np.arange(100.0))
    assert low < median == 49.5 < high
    assert 5 < high - low < 40


# ---------------------------------------------------------------- the files


def test_table_and_picture_are_written_and_no_picture_is_worth_a_comparison(tmp_path, capsys):
    report.write(str(tmp_path), {'one': {1: run()}, 'two': {2: run()}}, None, 9)
    assert capsys.readouterr().out == '' and not list(tmp_path.iterdir())  # nothing in common

    columns = {'one': {1: run(), 2: run(-300.0)}, 'two': {1: run(), 2: run()}, 'empty': {}}
    report.write(str(tmp_path), columns, -300, 9)
    printed = capsys.readouterr()
    assert (tmp_path / 'compare.md').read_text(encoding='utf-8') == printed.out
    assert '|  | one | two |' in printed.out and not printed.err
    assert (tmp_path / 'compare.png').read_bytes().startswith(b'\x89PNG')

    (tmp_path / 'compare.png').unlink()
    (tmp_path / 'compare.png').mkdir()
    report.write(str(tmp_path), columns, -300, 9)
    printed = capsys.readouterr()
    assert printed.err.startswith('compare.png could not be drawn: ') and '| one |' in printed.out


def test_a_curve_is_the_median_of_running_means_at_the_last_of_their_episodes(monkeypatch):
    figures = []
    monkeypatch.setattr('lab.plots.save_figure', lambda figure, path: figures.append(figure))
    rewards = [[0, 2, 4, 6], [1, 3, 5, 7], [9, 9, 9, 9]]
    draw_curves([('up', rewards), ('short', [[8, 8, 8]] * 3)], 2, 'x.png')
    draw_curves([('few', [[1, 3]])], 10, 'x.png')
    lines = [line for figure in figures for line in figure.axes[0].lines]
    curves = [[values.tolist() for values in line.get_data()] for line in lines]
    assert curves == [[[2, 3, 4], [2, 4, 6]], [[2, 3], [8, 8]], [[2], [2]]]
    assert figures[1].axes[0].get_ylabel() == 'return, mean of 2 episodes'
