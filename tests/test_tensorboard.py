"""What TensorBoard shows of a run: the tutorial's boxes, and the scalars, in a real browser."""

import re
import shutil

import pytest

from tests.helpers.forks import Forks
from tests.helpers.program import PROJECT, SMALL
from tests.helpers.tensorboard import GraphTab, scalars, tensorboard

pytest.importorskip('selenium', reason='selenium drives the browser')
pytestmark = pytest.mark.skipif(
    not (shutil.which('chromium') and shutil.which('chromedriver')),
    reason='needs Chromium and its driver (apt-get install chromium chromium-driver)',
)


@pytest.fixture(scope='module')
def address(tmp_path_factory):
    """TensorBoard on a run that has learned and kept a best policy."""
    folder = tmp_path_factory.mktemp('run')
    forks = Forks(PROJECT / 'ddpg.py', folder)
    assert forks.run(f'--episodes 20 {SMALL}').returncode == 0
    with tensorboard(folder / 'runs') as address:
        yield address


def in_page(column):
    """Return the names in the first column of the page's table that has this heading."""
    text = (PROJECT / 'docs' / 'seeing.md').read_text(encoding='utf-8')
    table = text[text.index(f'| {column} |') :].split('\n\n')[0]
    cells = [line.split('|')[1] for line in table.splitlines()[2:]]
    return {name for cell in cells for name in re.findall('`([^`]+)`', cell)}


def test_the_graph_tab_has_the_tutorials_boxes_and_hardly_any_other(address):
    tab = GraphTab(address)
    try:
        assert tab.boxes() == in_page('box')
        names = 'S R S_ Actor Critic policy_grads a_grad target_q TD_error init'
        names += ' C_train A_train C_replace A_replace'
        assert tab.boxes() == set(names.split())
        for name in ('Actor', 'Critic'):
            tab.open(name, f'{name}/eval_net')
            assert f'{name}/target_net' in tab.boxes()
    finally:
        tab.close()


def test_the_scalars_are_there(address):
    assert scalars(address) == {'reward', 'explore', 'loss/critic', 'loss/actor', 'best'}
    assert scalars(address) == in_page('scalar')
