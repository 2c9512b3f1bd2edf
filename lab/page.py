"""The page of a run, run.html: one file that shows its networks at work, in any browser.

Its parts are in page_files/, as HTML, CSS and JavaScript; here they are put into one file,
with the run's data.
"""

import base64
import json
import math
import os
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np

from lab.files import write_text

FILES = Path(__file__).resolve().parent / 'page_files'
DOCS = Path(__file__).resolve().parent.parent / 'docs'
BOUNDS = {'Pendulum-v0': 2.0, 'robot_arm:Arm-v0': 1.0}  # of the actions, about 0
NUMBERS = 'MAX_EP_STEPS', 'MEMORY_CAPACITY', 'GAMMA', 'REWARD_SCALE'  # of the lesson
MOST_BYTES = 2000000  # of weights: for larger networks the page has fewer moments


def has_page(config):
    """Return whether a run with this config.json gets a page: the page knows two environments."""
    return config['env'] in BOUNDS


def write_page(path, config, rewards, moments, best, last, probe):
    """Write the page of a run.

    Args:
        path: of the page.
        config: what is in the run's config.json.
        rewards: the return of every episode.
        moments: (counts, {name: values}): after `counts[k]` episodes the trainable variable `name`
            was `values[k]`. Names are in the order in which the variables were made.
        best: (count, {name: value}) of the kept policy, or None.
        last: {name: value} of the last one.
        probe: (states, actions, q): what TensorFlow's networks with the weights `last` give for
            states (n, state_dim): actions (n, action_dim) and Q (n, 1).

    Raises:
        ValueError: if the page's networks give something else, as those of a changed lesson may.
        OutputError: if the page cannot be written.
    """
    bound = BOUNDS[config['env']]
    nets = {part: [n for n in last if n.startswith(part)] for part in ('Actor', 'Critic')}
    names = nets['Actor'] + nets['Critic']
    _check(*([last[n] for n in net] for net in nets.values()), bound, *probe)
    kept = {int(n): {k: v[i] for k, v in moments[1].items()} for i, n in enumerate(moments[0])}
    size = 4 * sum(np.size(value) for value in last.values())
    every = math.ceil(len(kept) * size / MOST_BYTES)
    kept = {n: kept[n] for n in sorted(kept)[::every]}
    kept.update({int(best[0]): best[1]} if best else {})
    kept[len(rewards)] = last
    counts = sorted(kept)
    weights = np.concatenate([np.ravel(kept[n][name]) for n in counts for name in names])
    data = dict(
        env=config['env'],
        facts=[f'{config["program"]}.py', config['env'], f'seed {config["seed"]}'],
        rewards=[round(float(reward), 2) for reward in rewards],
        episodes=counts,
        best=counts.index(int(best[0])) if best else None,
        bound=bound,
        shapes={part: [np.shape(last[n]) for n in net] for part, net in nets.items()},
        weights=base64.b64encode(weights.astype('<f4').tobytes()).decode('ascii'),
        docs=_docs_from(os.path.dirname(os.path.abspath(str(path)))),
    )
    data.update({name: config['hyperparameters'][name] for name in NUMBERS})
    write_text(path, _fill(data))


def _check(actor, critic, bound, states, actions, q):
    """Raise ValueError if the page's forward pass does not give these actions and Q."""
    try:
        net = np.asarray(states, float)
        for w, b in zip(actor[:-2:2], actor[1:-2:2]):
            net = np.maximum(net @ w + b, 0)
        a = bound * np.tanh(net @ actor[-2] + actor[-1])
        w1_s, w1_a, b1 = critic[:3]
        net = states @ w1_s + a @ w1_a + b1
        for w, b in zip(critic[3::2], critic[4::2]):
            net = np.maximum(net, 0) @ w + b
        right = np.abs(a - actions).max() < 1e-3 and np.abs(net - q).max() < 1e-3
    except (ValueError, IndexError):
        right = False
    if not right:
        raise ValueError('these networks are different: the page knows only dense ReLU layers')


def _docs_from(folder):
    """Return the address of docs/ for a page in `folder`: it is found from a moved clone too."""
    try:
        return quote(os.path.relpath(str(DOCS), folder).replace(os.sep, '/'))
    except ValueError:  # another drive of Windows
        return DOCS.as_uri()


def _fill(data):
    """Return page.html with its style, its scripts and the data in their places."""
    page = (FILES / 'page.html').read_text(encoding='utf-8')
    # no < in the data: nothing in it can end the script element that it stands in
    data = json.dumps(data, separators=(',', ':')).replace('<', '\\u003c')

    def insert(found):
        tag = 'style' if found[1] else 'script'
        text = (FILES / (found[1] or found[2])).read_text(encoding='utf-8')
        return f'<{tag}>\n{text}</{tag}>'

    page = re.sub(r'<link rel="stylesheet" href="(.+)">|<script src="(.+)"></script>', insert, page)
    return page.replace('type="application/json">', f'type="application/json">{data}')
