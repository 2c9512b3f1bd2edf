"""What docs/seeing.py and docs/graph.dot say of a run and of the graph is TensorFlow's own."""

import re

import matplotlib
import numpy as np
import pytest

import ddpg
from docs import seeing
from lab.environments import make_env
from lab.evaluation import HELD_OUT, make_evaluator
from lab.folder import read_config
from lab.hyperparameters import variant
from lab.messages import UsageError
from lab.playing import LoadedRun
from tests.helpers.program import PROJECT


def test_the_discounted_return_is_of_all_that_follows():
    rewards = np.array([[1, 0], [2, 0], [4, 8]])  # of two episodes
    assert seeing.discounted(rewards, 0.5).tolist() == [[3, 2], [4, 4], [4, 8]]


def test_its_networks_are_those_of_the_run_and_it_prints_their_returns_and_draws(
    forks, monkeypatch, capsys
):
    numbers = '--set MAX_EP_STEPS=5 MEMORY_CAPACITY=260 HIDDEN_UNITS=8'  # all is short
    assert forks.run(f'--run run --quiet {numbers}').returncode == 0
    run = str(forks.folder / 'run')
    last, config = LoadedRun(run, read_config(run), last=True), read_config(run)
    variant(ddpg, config['hyperparameters']).main(last)
    sess, S, a, q = last.tensors

    found = seeing.networks(run)
    assert list(found) == list(range(0, 201, 4))
    angles, velocities = states = np.array([[0.5, -3.0, 2.0], [0.0, 4.0, -8.0]])
    b_s = np.transpose([np.cos(angles), np.sin(angles), velocities])
    for answer, tensor in zip(seeing.ask(found[200], states), (q, a)):
        assert answer == pytest.approx(sess.run(tensor, {S: b_s})[:, 0], abs=1e-5)

    monkeypatch.setattr(seeing, 'HERE', forks.folder)
    monkeypatch.setattr('sys.argv', ['seeing', run])
    with matplotlib.rc_context():
        seeing.main()
    *_, row = capsys.readouterr().out.splitlines()
    returns = make_evaluator(make_env('Pendulum-v0'), HELD_OUT, 200)(last.choose_actions)
    assert re.match(r'\| 200 \| (-\d+) \|', row)[1] == f'{returns.mean():.0f}'
    for name in ('seeing.png', 'value.png'):
        assert (forks.folder / name).read_bytes().startswith(b'\x89PNG')

    monkeypatch.setattr(seeing, 'MOMENTS', (200, 400))
    with pytest.raises(UsageError, match='has not kept the moments'):
        seeing.main()


def test_every_arrow_of_the_drawn_graph_is_in_tensorflows():
    """A solid one carries a tensor; a dashed one says what comes first."""
    drawn = (PROJECT / 'docs' / 'graph.dot').read_text()
    sess, *_ = ddpg.build(make_env('Pendulum-v0'), seed=1)
    operations = sess.graph.get_operations()
    flows = {(tensor.op.name, op.name) for op in operations for tensor in op.inputs}
    orders = {(before.name, op.name) for op in operations for before in op.control_inputs}
    arrows = re.findall(r'(?m)^ *"?([\w/]+)"? -> "?([\w/]+)"?(.*)$', drawn)
    assert len(arrows) == 17
    for start, end, style in arrows:
        pairs, others = (orders, flows) if 'dashed' in style else (flows, set())
        for names, there in ((pairs, True), (others, False)):
            found = any(a.startswith(f'{start}/') and b.startswith(f'{end}/') for a, b in names)
            assert found == there, (start, end)
    boxes = {op.name.partition('/')[0] for op in operations}
    assert boxes - {'init'} == {end.partition('/')[0] for arrow in arrows for end in arrow[:2]}
