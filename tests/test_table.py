"""comparison/table.py on numbers made by hand."""

import numpy as np
import pytest

from comparison.table import Run, differences, first_good, interval, table


@pytest.mark.parametrize('rewards, expected', [
    ([-1000.0] * 20 + [-200.0] * 30, 20 + 9),  # 9 good ones among 10: mean -280
    ([-200.0] * 30, 10),
    ([-300.0] * 30, np.inf),
    ([-200.0] * 9, np.inf),
])  # fmt: skip
def test_episodes_until_good(rewards, expected):
    assert first_good(rewards, 10, -300) == expected


def run(end=-200.0, last=-150.0, best=-140.0, seconds=3.0):
    return Run([-1000.0] * 30 + [end] * 5, last, best, seconds)


def cells(text, name):
    (line,) = [line for line in text.splitlines() if line.startswith(f'| {name}')]
    return [cell.strip() for cell in line.split('|')[2:-1]]


def test_medians_and_worst_of_what_stands_in_the_rows():
    runs = {seed: run(end, end + 10, end + 20, seed) for seed, end in enumerate([-900, -300, -200])}
    text = table({'one': runs}, 10, 5, -950, 1000)
    lines = text.splitlines()
    assert lines[:2] == ['|  | one |', '|---|---:|']
    assert cells(text, 'runs (seeds)') == ['3']
    assert cells(text, 'mean return of the last 5 episodes, median') == ['-300']
    assert cells(text, 'greedy return of the last policy, mean of 1000 starts, median') == ['-290']
    assert cells(text, 'greedy return of the best policy kept, same starts, median') == ['-280']
    worst = [line.split('|')[2].strip() for line in lines if 'the same, worst seed' in line]
    assert worst == ['-900', '-890', '-880']
    assert cells(text, 'processor seconds a run, median') == ['1.0']


def test_a_run_that_never_got_good_counts_as_infinite():
    """One lucky run in three must not look best."""
    good, never = Run([-100.0] * 30, -1, -1, 1), Run([-1000.0] * 30, -1, -1, 1)
    text = table({'lucky': {1: good, 2: never, 3: never}, 'sure': dict.fromkeys((1, 2, 3), good)},
                 10, 5, -300, 9)  # fmt: skip
    assert cells(text, 'episodes until the mean of 10 passes -300, median') == ['never', '10']
    assert cells(text, 'runs that got there') == ['1 of 3', '3 of 3']
    assert 'passes' not in table({'lucky': {1: good}}, 10, 5, None, 9)


def test_columns_and_differences_use_the_seeds_that_all_have():
    one = {1: run(-100), 2: run(-200), 9: run(-9999)}
    two = {1: run(-150), 2: run(-250), 7: run(0)}
    text = table({'one': one, 'two': two}, 10, 5, -300, 9)
    assert cells(text, 'runs (seeds)') == ['2', '2']
    assert cells(text, 'mean return of the last 5 episodes, median') == ['-150', '-200']
    line = differences({'one': one, 'two': two}, 10, 5, -300).splitlines()[0]
    assert line.startswith('- two against one, 2 seeds: at the end -50 (-50 to -50); ')


def test_zero_is_a_return_and_none_is_a_gap():
    columns = {'one': {1: run(best=-5.0)}, 'zero': {1: run(best=0.0)}}
    assert cells(table(columns, 10, 5, None, 9), 'greedy return of the best')[1] == '0'
    assert 'best policy +5 (' in differences(columns, 10, 5, None)
    columns['none'] = {1: run(best=None)}
    assert cells(table(columns, 10, 5, None, 9), 'greedy return of the best')[2] == ''
    assert 'best policy' not in differences(columns, 10, 5, None).splitlines()[1]


def test_the_interval_is_of_the_median_and_repeats():
    differences_ = [1.0] * 9 + [1000.0]
    assert interval(differences_) == interval(differences_) == (1.0, 1.0, 1.0)
    median, low, high = interval(np.arange(100.0))
    assert low < median == 49.5 < high
    assert 5 < high - low < 40
