"""How the return hangs on the start: `python -m docs.starts runs/ddpg-1`.

The best policy of a run of ddpg.py plays the pendulum without noise, from rest at 0 degrees
(upright) to 180 (hanging). Printed is a Markdown table: the return, how much of it the first 50
steps took, and the angle at the end, where 360 is upright after a whole turn.
"""

import support.quiet  # noqa: F401  imports TensorFlow and gym without their start-up messages
import ddpg
import numpy as np

from experiment import folder
from experiment.options import Parser, text
from experiment.play import load_policy
from support import environment
from support.messages import BadInput, ends_in_one_line, say

ANGLES = range(0, 181, 30)  # degrees
SWING = 50  # steps


def play(env, choose_action, angle, steps):
    """Return the rewards, (steps,), of an episode from rest at `angle`, and the angle at its end.

    Args:
        env: Pendulum-v0, as support.environment.make gives it. Angles are in degrees.
        choose_action: s (state_dim,) -> a (action_dim,), without noise.
    """
    env.reset()
    env.unwrapped.state = np.array([np.radians(angle), 0.0])  # and the angular velocity
    s, rewards = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0]), []
    for _ in range(steps):
        s, r, _, _ = env.step(choose_action(s))
        rewards.append(r)
    return np.array(rewards), np.degrees(env.unwrapped.state[0])


def main(arguments=None):
    """Print the table; `arguments` is a list of words, None takes the command line's."""
    parser = Parser(prog='docs.starts', description=__doc__)
    parser.add_argument('run', type=text, metavar='RUN', help='folder of a run, as runs/ddpg-1')
    parser.add_argument('--last', action='store_true', help='the last policy in place of the best')
    options = parser.parse_args(arguments)
    config = folder.config_of(options.run)
    if config['env'] != ddpg.ENV_NAME:
        raise BadInput(f'{options.run} is a run in {config["env"]}, not in {ddpg.ENV_NAME}')
    choose_action = load_policy(ddpg, options.run, options.last)
    env, steps = environment.make(ddpg.ENV_NAME), config['hyperparameters']['MAX_EP_STEPS']
    say(f'| start | return | of it, in the first {SWING} steps | end |\n|---:|---:|---:|---:|')
    for angle in ANGLES:
        rewards, end = play(env, choose_action, angle, steps)
        say(f'| {angle} | {rewards.sum():.1f} | {rewards[:SWING].sum():.1f} | {end:.0f} |')


if __name__ == '__main__':
    with ends_in_one_line('docs.starts'):
        main()
