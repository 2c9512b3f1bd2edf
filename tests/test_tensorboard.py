"""What TensorBoard reads of a run: the boxes of the tutorial, and the scalars."""

import re

import tensorflow.compat.v1 as tf

from tests.helpers.program import PROJECT, SMALL


def in_page(column):
    """Return the names in the first column of the page's table that has this heading."""
    text = (PROJECT / 'docs' / 'seeing.md').read_text(encoding='utf-8')
    table = text[text.index(f'| {column} |') :].split('\n\n')[0]
    cells = [line.split('|')[1] for line in table.splitlines()[2:]]
    return {name for cell in cells for name in re.findall('`([^`]+)`', cell)}


def test_tensorboard_finds_the_tutorials_boxes_and_the_scalars(forks, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert forks.run(f'--episodes 20 --run here {SMALL}').returncode == 0
    found = EventAccumulator(str(tmp_path / 'here')).Reload()
    names = [node.name.split('/') for node in tf.GraphDef.FromString(found._graph).node]
    boxes = {parts[0] for parts in names}
    assert boxes == in_page('box')
    wanted = 'S R S_ Actor Critic policy_grads a_grad target_q TD_error init'
    assert boxes == {*wanted.split(), 'C_train', 'A_train', 'C_replace', 'A_replace'}
    for net in ('Actor', 'Critic'):
        assert {'eval_net', 'target_net'} <= {parts[1] for parts in names if parts[0] == net}
    scalars = set(found.Tags()['scalars'])
    assert scalars == {'reward', 'explore', 'loss/critic', 'loss/actor', 'best'}
    assert scalars == in_page('scalar')
