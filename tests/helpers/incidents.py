"""Environments in which something happens: --env tests.helpers.incidents:Incidents-v0"""

import os
import subprocess

from gym.envs.registration import register

from tests.helpers.environments import DrawsFromEverywhere, Joints, Moves, Obeys, OddWithSeed2, Port
from tests.helpers.environments import power_cut


class Incidents(Moves, Port, DrawsFromEverywhere, Obeys):
    """Joints that give a program every trouble that it must bear.

    They draw from every random generator, change the current folder in each step, cannot be made
    twice, obey ORDERS, and have the shell do what the environment variable INCIDENT says, as
    `150 rm here/*`, in this step (the one that make_env takes to try the environment is number 1).
    """

    def __init__(self):
        super().__init__(late=True)

    def step(self, action):
        step, _, command = os.environ.get('INCIDENT', '').partition(' ')
        if step == str(self.all_steps + 1):
            subprocess.run(['bash', '-c', command], check=True)
        return super().step(action)


class Talks(OddWithSeed2):
    """Joints that print, and die once they were seeded with 2."""

    def __init__(self):
        super().__init__(power_cut)

    def reset(self):
        print('this is no result', flush=True)
        os.write(1, b'nor is this\n')
        return Joints.reset(self)


register(id='Incidents-v0', entry_point=Incidents)
register(id='TalksAndDiesWithSeed2-v0', entry_point=Talks)
