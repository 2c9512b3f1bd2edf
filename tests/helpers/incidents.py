"""An environment in which something happens: --env tests.helpers.incidents:Incidents-v0"""

import os
import subprocess

from gym.envs.registration import register

from tests.helpers.environments import Joints


class Incidents(Joints):
    """Joints; at its steps, counted from 1, it has the shell do what INCIDENTS says.

    INCIDENTS holds lines such as `150 kill -9 $PPID`, where $PPID is the program's process. The
    step that make_env takes to try the environment is number 1.
    """

    def step(self, action):
        for line in os.environ.get('INCIDENTS', '').splitlines():
            step, command = line.split(' ', 1)
            if int(step) == self.all_steps + 1:
                subprocess.run(['bash', '-c', command], check=True)
        return super().step(action)


register(id='Incidents-v0', entry_point=Incidents)
