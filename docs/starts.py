"""How the return depends on the start: `python -m docs.starts runs/ddpg-1`.

The kept policy of a run of ddpg.py plays the pendulum without noise, from rest at 0 degrees
(upright) to 180 (hanging). Printed is a Markdown table: the return, how much of it the first 50
steps took, and the angle at the end, where 360 is upright after a whole turn.
"""

import numpy as np

import ddpg
from docs.optimum import STEPS, step
from lab import load_policy
from lab.messages import echo, exit_cleanly
from lab.options import Parser, text

SWING = 50  # steps


def main():
    """Print the table."""
    parser = Parser('docs.starts', __doc__)
    parser.add_argument('run', type=text, help='folder of a run of ddpg.py on the pendulum')
    what = 'the last policy in place of the kept one'
    parser.add_argument('--last', action='store_true', help=what)
    options = parser.parse_args()
    choose_action = load_policy(ddpg, options.run, options.last)
    echo(f'| start | return | of it, in the first {SWING} steps | end |\n|---:|---:|---:|---:|')
    for degrees in range(0, 181, 30):
        state, rewards = np.array([np.radians(degrees), 0.0]), []
        for _ in range(STEPS):
            s = np.array([np.cos(state[0]), np.sin(state[0]), state[1]])
            state, r = step(state, choose_action(s)[0])
            rewards.append(r)
        start, end = sum(rewards[:SWING]), np.degrees(state[0])
        echo(f'| {degrees} | {sum(rewards):.1f} | {start:.1f} | {end:.0f} |')


if __name__ == '__main__':
    with exit_cleanly('docs.starts'):
        main()
