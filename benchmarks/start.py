"""How long `python ddpg.py` takes to its first episode, against the bare imports: time and memory.

`python -m benchmarks.start` runs both in turn, in processes of their own.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiment.errors import told_in_a_line
from experiment.options import Parser, whole_number
from experiment.output import say

DDPG = Path(__file__).parent.parent / 'ddpg.py'
IMPORTS = 'import os, tensorflow, gym; os.write(1, b"imported")'
# As most users have Python: modules are compiled once, and what is not flushed waits.
UNUSUAL = ('PYTHONDONTWRITEBYTECODE', 'PYTHONUNBUFFERED')
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in UNUSUAL}
PIPES = dict(stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
CHILD = (
    'import resource, subprocess, sys\n'
    'subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)\n'
    'print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n'
)


def seconds_to_first_output(*words):
    """Start a Python and return the seconds until it writes to its standard output."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *words], env=ENVIRONMENT, **PIPES)
    os.read(process.stdout.fileno(), 1)
    seconds = time.perf_counter() - start
    process.kill()
    process.communicate()
    return seconds


def peak_memory(*words):
    """Run a Python to its end and return its peak memory in MB."""
    code = [sys.executable, '-c', CHILD, sys.executable, *words]
    printed = subprocess.run(code, env=ENVIRONMENT, **PIPES).stdout
    return int(printed) / 1024  # Linux counts in KiB


def main():
    """Measure in turn, and print medians and ratios."""
    parser = Parser(prog='benchmarks.start', description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=whole_number(1), default=15, help='of each (default: 15)')
    rounds = parser.parse_args().rounds
    times = {'imports': [], 'ddpg.py': []}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds + 1):  # the first warms the disk's cache up
            imports = seconds_to_first_output('-c', IMPORTS)
            first = seconds_to_first_output(str(DDPG), '--run', os.path.join(folder, str(number)))
            if number > 0:
                times['imports'].append(imports)
                times['ddpg.py'].append(first)
        bare = peak_memory('-c', 'import tensorflow, gym')
        whole = peak_memory(str(DDPG), '--run', os.path.join(folder, 'whole'))
    imports, first = (statistics.median(times[name]) for name in times)
    ratio = statistics.median(b / a for a, b in zip(*times.values()))
    least = min(times['ddpg.py']) / min(times['imports'])
    say(f'Python {platform.python_version()}')
    say(f'import tensorflow and gym:   {imports:.2f} s, {bare:.0f} MB')
    say(f'ddpg.py to first episode:    {first:.2f} s, {ratio:.2f} times the imports')
    say(f'fastest against fastest:             {least:.2f} times the imports')
    say(f'ddpg.py, peak of a run:      {whole:.0f} MB, {whole / bare:.2f} times the imports')


if __name__ == '__main__':
    with told_in_a_line('benchmarks.start'):
        main()
