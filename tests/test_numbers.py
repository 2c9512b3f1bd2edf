"""What measures the pages' figures: docs/numbers, docs/traps, docs/tasks, in small."""

import json
import re

import numpy as np

from tests.helpers.program import PROJECT, output


def rows(text):
    """Return the rows of the Markdown tables in `text`, without headers: lists of cells."""
    lines = [line for line in text.splitlines() if line.startswith('| ')]
    return [line[2:-2].split(' | ') for line in lines if not line.startswith('| |')]


NUMBERS = """
import sys
from docs import numbers
numbers.NUMBERS = dict(tau='0.01,1', VAR='3')
numbers.SEEDS, numbers.EPISODES = [1, 2], 12
for name in ('soft', 'hard'):
    numbers.VERSIONS[name] = numbers.VERSIONS[name]._replace(path='ddpg.py')
numbers.PICTURE = sys.argv.pop()
numbers.main()
"""


def test_numbers_trains_what_is_missing_and_says_how_good_it_is(tmp_path):
    code = (PROJECT / 'ddpg.py').read_text('utf-8')
    code = code.replace('CAPACITY = 10000', 'CAPACITY = 100').replace('STEPS = 200', 'STEPS = 20')
    (tmp_path / 'ddpg.py').write_text(code, 'utf-8')
    picture = tmp_path / 'numbers.png'
    first, again = (output('-c', NUMBERS, picture, folder=tmp_path) for _ in range(2))
    assert first.startswith('10 runs to train, 0 are there already')
    assert again.startswith('0 runs to train, 10 are there already')
    assert rows(first) == rows(again)
    best = 'HIDDEN_UNITS=200, BATCH_SIZE=128, GAMMA=0.98'
    labels = ['original, soft', 'tau=1', 'original, hard', best, f'{best}, MEMORY_CAPACITY=20000']
    assert [row[0] for row in rows(first)] == labels
    lines = (tmp_path / 'runs' / 'numbers' / 'runs.jsonl').read_text().splitlines()
    runs = {(run['column'], run['seed']): run['last'] for run in map(json.loads, lines)}
    own, hard = (np.array([runs[label, seed] for seed in (1, 2)]) for label in labels[:3:2])
    assert rows(first)[2][1].split(' ')[0] == f'{np.median(hard):.0f}'
    assert rows(first)[2][2].split(' ')[0] == f'{np.median(hard - own):+.0f}'
    assert rows(first)[4][3:5] == ['', '']  # its memory is not full yet, so no policy was kept
    assert picture.read_bytes().startswith(b'\x89PNG')


def test_the_third_trap_is_cured_by_resource_variables(tmp_path):
    small = 'traps.SIZES, traps.STEPS, traps.SESSIONS = (32,), 20, 2'
    printed = rows(output('-c', f'from docs import traps; {small}; traps.third()'))
    assert [row[0] for row in printed[1:]] == ['reference', 'reference, gated', 'resource']
    for _, _, apart, error in printed[2:]:
        assert float(apart) == 0
        assert float(error) < 1e-5


COSTS = """
import sys
from docs import traps
traps.PICTURE, traps.EARLY = sys.argv.pop(), 5
traps.ddpg.MEMORY_CAPACITY, traps.ddpg.MAX_EP_STEPS = 100, 20
numbers = ['--set', 'MEMORY_CAPACITY=100', 'MAX_EP_STEPS=20']
traps.OPTIONS = ['--seeds', '1', '--episodes', '21', *numbers]
traps.costs()
"""


def test_the_faults_on_the_page_of_traps_are_compared_with_the_lesson(tmp_path):
    printed = output('-c', COSTS, tmp_path / 'traps.png', folder=tmp_path)
    faults = rows(printed.partition('| episodes | 6 to 10 | from 11 |')[2])
    assert [row[0] for row in faults] == ['no-var-list', 'random-targets', 'as-printed']
    cells = [cell for row in faults for cell in row[1:]]
    assert all(re.match(r'[+-]\d+ \([+-]\d+ to [+-]\d+\)$', cell) for cell in cells)
    assert (tmp_path / 'traps.png').read_bytes().startswith(b'\x89PNG')


TASKS = """
from docs import tasks
numbers = 'MAX_EPISODES=12 MAX_EP_STEPS=20 MEMORY_CAPACITY=100'
tasks.TASKS = dict(
    boat=('docs.tasks:ScaledBoat-v0', numbers, 'done,ou-noise'),
    whale=('docs.tasks:Whale-v0', numbers, ''),
    pole=('docs.tasks:Pole-v0', numbers, ''),
)
tasks.main(['Boat', 'whale'])
"""


def test_tasks_train_with_their_changes_or_say_why_not():
    boat, whale = rows(output('-c', TASKS))[1:]
    assert boat[:2] == ['boat', 'MAX_EPISODES=12 MAX_EP_STEPS=20 MEMORY_CAPACITY=100']
    assert -60 < float(boat[2]) < 0
    assert whale[0] == 'whale' and "registers no environment 'Whale-v0'" in whale[2]
