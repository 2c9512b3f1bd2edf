"""One adapter for environments, of gym 0.17.3's API and of today's, which is gymnasium's.

An environment is somebody's program: what it gives is converted here, or refused in one line. What
it raises passes through, so that its author sees the traceback.
"""

import dataclasses
import difflib
import inspect
import os
import random
import sys
from typing import Optional, Tuple

import gym
import numpy as np
from gym.envs.classic_control import PendulumEnv
from gym.envs.registration import load

from lab.messages import Diverged, TrainingError, UsageError, one_line, truncate

GYM_WITH_PENDULUM_V0 = '0.17.3'
LARGEST = 1e38  # magnitude of a number: the memory is float32
FAR = 50  # a factor from 1 at which a lesson's hyperparameters have been seen to fail


def make_env(name: str, max_steps: Optional[int] = None, drawn: bool = False) -> 'EnvAdapter':
    """Make the environment `name`, and find out by one reset and one step whether DDPG can use it.

    The time limit of gym or gymnasium is left out, as the tutorial's `env.unwrapped` does:
    MAX_EP_STEPS ends an episode.

    Args:
        name: of an environment that gym has, such as 'Pendulum-v0', or 'module:Name-v0', where
            `module` registers Name-v0 with gym or with gymnasium.
        max_steps: MAX_EP_STEPS, for the note if the limit that was removed differs.
        drawn: whether render() will be called.

    Returns:
        An EnvAdapter.

    Raises:
        UsageError: with one line that says what is wrong and what to do.
    """
    if drawn and sys.platform.startswith('linux') and not os.environ.get('DISPLAY'):
        os.environ.setdefault('MUJOCO_GL', 'egl')  # MuJoCo draws without a display then
    library, spec = _find(name)
    env = EnvAdapter(_make(library, spec, drawn), name)
    env.validate()
    limit = spec.max_episode_steps
    if max_steps and limit and limit != max_steps:
        what = f'{name} has a limit of {limit} steps'
        env.notes.append(f'{what}; here MAX_EP_STEPS = {max_steps} ends an episode')
    return env


def _find(name):
    """Return the library that has the environment `name`, gym or gymnasium, and its spec."""
    module, _, env_id = name.rpartition(':')
    if module:
        try:
            __import__(module)  # import_module would take ./boat for a relative import
        except ModuleNotFoundError as error:
            if not (error.name and f'{module}.'.startswith(f'{error.name}.')):
                raise  # the module was found, but an import in it failed
            how = 'install it, or name it as `import` would'
            raise UsageError(f'{name}: there is no module {error.name!r}; {how}')
    libraries = [sys.modules['gymnasium']] if sys.modules.get('gymnasium') else []
    if module.partition('.')[0] != 'gymnasium':
        libraries.insert(0, gym)
    for library in libraries:
        try:
            return library, library.spec(env_id)
        except library.error.Error:
            pass
    if gym.__version__ != GYM_WITH_PENDULUM_V0:
        how = f'pip install gym=={GYM_WITH_PENDULUM_V0}'
        raise UsageError(f'gym {gym.__version__} has no environment {name!r}: {how}')
    known = []
    for library in libraries:
        known += library.envs.registry.env_specs if library is gym else library.registry
    near = ''.join(f' (but {each})' for each in difflib.get_close_matches(env_id, known, 1, 0.7))
    how = f"gymnasium's would be gymnasium:{env_id}, one of your own module:{env_id}"
    if module:
        how = 'see "Your own environment" in docs/running'
    what = f'{module or "gym"} registers no environment {env_id!r}{near}'
    raise UsageError(f'{what}: {how}')


def _make(library, spec, drawn):
    """Make the environment of `spec`, with no wrapper but its author's."""
    creator = spec.entry_point if callable(spec.entry_point) else load(spec.entry_point)
    metadata = getattr(creator, 'metadata', None)  # a class's dict; a function's is not known yet
    modes = metadata.get('render_modes', ()) if isinstance(metadata, dict) else ['rgb_array']
    asked = {}
    if drawn and 'rgb_array' in modes and _takes(creator, 'render_mode'):
        asked = dict(render_mode='rgb_array')
    if isinstance(creator, type) and not issubclass(creator, library.Env):
        # the libraries refuse it, but it may be usable
        return creator(**(spec._kwargs if library is gym else spec.kwargs), **asked)
    if library is gym:
        return spec.make(**asked)
    bare = dict(max_episode_steps=None, order_enforce=False, disable_env_checker=True)
    return library.make(dataclasses.replace(spec, **bare), **asked)


def _takes(function, name):
    """Return whether `function` takes the keyword `name`, or any."""
    parameters = inspect.signature(function).parameters
    return name in parameters or any(each.kind is each.VAR_KEYWORD for each in parameters.values())


class EnvAdapter(object):
    """An environment in gym 0.17.3's API, whichever API it has; see make_env.

    Attributes:
        env, unwrapped: the environment, and the same without its author's wrappers.
        observation_space, action_space: Boxes of float32 vectors, the latter with finite bounds.
        notes: lines to print once, before training.
        total: the sum of the episode's rewards so far.
        watch: None, or a function that is called after every step, without arguments.

    Raises:
        UsageError: if it lacks something that an environment needs.
    """

    def __init__(self, env, name='the environment'):
        needed = 'reset', 'step', 'observation_space', 'action_space'
        missing = [each for each in needed if getattr(env, each, None) is None]
        if missing:
            how = 'see "Your own environment" in docs/running'
            raise UsageError(f'{name} has no {" and no ".join(missing)}: {how}')
        self.env, self.unwrapped, self.name = env, getattr(env, 'unwrapped', env), name
        self.notes, self._reset_arguments = [], {}
        self.total, self.watch = 0.0, None
        states, actions = env.observation_space, env.action_space
        self.observation_space, self.action_space = _vector_box(states), _vector_box(actions)
        if self.observation_space is None:
            how = 'FlattenObservation of gym.wrappers or gymnasium.wrappers may make one'
            raise UsageError(f'{name} gives {truncate(states)}, the networks take a vector: {how}')
        what = f'{name} takes the actions {truncate(actions)}'
        if self.action_space is None:
            how = 'for discrete ones see "Discrete actions" in docs/running, for others wrap it'
            raise UsageError(f'{what}, and DDPG gives a vector of numbers: {how}')
        with np.errstate(over='ignore', invalid='ignore'):
            self._width = self.action_space.high - self.action_space.low
        if not (np.isfinite(self._width).all() and (self._width > 0).all()):
            bounds = f'{truncate(actions.low)} to {truncate(actions.high)}'
            raise UsageError(f'{what}, {bounds}: make them finite, the lower below the upper')
        self._low, self._high, self._dtype = actions.low, actions.high, np.dtype(actions.dtype)
        inner = [getattr(self.unwrapped, each, None) for each in needed[2:]]
        spaces = [states, actions, self.observation_space, self.action_space, *inner]
        self._spaces = {id(space): space for space in spaces if hasattr(space, 'seed')}.values()
        # a wrapper passes on what it gets, whether or not what is inside takes it
        self._takes_seed = _takes(env.reset, 'seed') and _takes(self.unwrapped.reset, 'seed')

    def validate(self):
        """Reset and step once, with the action in the middle; note numbers that are far from 1.

        Raises:
            UsageError: if what it gives cannot be used.
        """
        states = random.getstate(), np.random.get_state()
        try:
            self.seed(0)
            s = self.reset()
            self.step(self.action_space.low + self._width / 2)
        except TrainingError as error:
            raise UsageError(f'{self.name}: {error}')
        finally:  # making an environment must not change the caller's random numbers
            random.setstate(states[0])
            np.random.set_state(states[1])
        largest = np.maximum(np.abs(self.action_space.low), np.abs(self.action_space.high))
        for what, sizes in (('an action', largest), ('its first observation', [np.abs(s).max()])):
            far = [size for size in sizes if size >= FAR or 0 < size <= 1 / FAR]
            if far:
                how = 'the hyperparameters are for about 1: docs/running, "Scale"'
                self.notes.append(f'{self.name}: {what} is up to {far[0]:.4g}, and {how}')

    def seed(self, seed: int) -> None:
        """Seed all that is random: Python's and NumPy's generators, the environment, its spaces."""
        seed = int(seed)
        random.seed(seed)
        np.random.seed(seed)
        if callable(getattr(self.env, 'seed', None)):
            self.env.seed(seed)
        for space in self._spaces:
            space.seed(seed)
        self._reset_arguments = dict(seed=seed) if self._takes_seed else {}

    def reset(self) -> np.ndarray:
        """Return the first observation, (state_dim,), float32."""
        given = self.env.reset(**self._reset_arguments)
        self._reset_arguments, self.total = {}, 0.0  # a seed is for one reset
        if isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict):
            given = given[0]  # today's API: observation and info
        return self._observation(given)

    def step(self, action: np.ndarray) -> Tuple[np.ndarray, float, bool, dict]:
        """Return the next observation, the reward, whether the episode ends here, and a dict.

        The environment gets its action in its own dtype, rounded for integers, and within
        its bounds, which tanh may exceed by a rounding error.
        """
        if not np.isfinite(action).all():
            raise Diverged(f"the actor's output became {truncate(action)}")
        action = np.minimum(np.maximum(action, self._low), self._high)
        action = (np.rint(action) if self._dtype.kind in 'iub' else action).astype(self._dtype)
        given = self.env.step(action)
        if not isinstance(given, tuple) or len(given) not in (4, 5):
            count = f' {len(given)} values' if isinstance(given, tuple) else ''
            needed = 'observation, reward, done and info'
            raise _bad_output_error(f'at step{count}', given, needed)
        s_, r, info = given[0], given[1], given[-1]
        done = any([_number('as done', end) for end in given[2:-1]])  # terminated or truncated
        s_, r = self._observation(s_), _number('the reward', r)
        self.total += r
        if self.watch:
            self.watch()
        return s_, r, done, info

    def render(self) -> np.ndarray:
        """Return a picture of the environment as it is now, (height, width, 3), uint8.

        Raises:
            UsageError, TrainingError: if it draws none.
        """
        from lab.drawing import as_picture, draw_pendulum  # pygame takes a moment

        if getattr(type(self.unwrapped), 'render', None) is PendulumEnv.render:
            return draw_pendulum(self.unwrapped.state[0], self.unwrapped.last_u)
        render = getattr(self.env, 'render', None)
        try:
            if render is None:
                raise NotImplementedError
            takes_mode = inspect.signature(render).parameters  # gym's API
            return as_picture(render('rgb_array') if takes_mode else render())
        except NotImplementedError:
            raise UsageError(f'{self.name} draws no picture of itself')
        except Exception as error:
            if not (isinstance(error, ImportError) or 'pyglet' in type(error).__module__):
                raise  # gym 0.17.3 draws by pyglet, which needs OpenGL and a display
            raise UsageError(f'{self.name} cannot be drawn here: {one_line(error)}')

    def close(self):
        """Close the environment."""
        if hasattr(self.env, 'close'):
            self.env.close()

    @property
    def frames_per_second(self):
        """How fast its pictures are to be shown."""
        metadata = getattr(self.env, 'metadata', None) or {}
        return metadata.get('video.frames_per_second') or metadata.get('render_fps') or 30

    @property
    def is_plain_pendulum(self):
        """Whether it is gym's pendulum and nothing else: no wrapper, no method of its own."""
        return type(self.env) is PendulumEnv and not {'reset', 'step'} & set(vars(self.env))

    def _observation(self, given):
        try:
            with np.errstate(over='ignore'):  # a copy: it may change its own in the next step
                s = np.asarray(given).astype(np.float32, casting='same_kind')
        except Exception:  # whatever its values raise
            s = np.empty(())
        if s.shape != self.observation_space.shape:
            needed = f'{self.observation_space.shape[0]} numbers'
            raise _bad_output_error('the observation', given, needed)
        if not np.isfinite(s).all():
            raise _bad_output_error('the observation', given, 'finite numbers')
        return s


def _vector_box(space):
    """Return gym's Box of float32 vectors for any library's; None for another kind of space."""
    if not all(hasattr(space, each) for each in ('low', 'high', 'shape', 'dtype')):
        return None
    if len(space.shape) != 1 or not space.shape[0]:
        return None
    if isinstance(space, gym.spaces.Box) and space.dtype == np.float32:
        return space
    with np.errstate(over='ignore'):
        low, high = np.float32(space.low), np.float32(space.high)
    return gym.spaces.Box(low, high, space.shape, np.float32)


def _bad_output_error(what, given, needed):
    return TrainingError(f'the environment gave {what} {truncate(given)}, not {needed}')


def _number(what, given):
    """Return as a float the number that is `given`, or that an array of one holds."""
    try:
        number = given if isinstance(given, (float, int)) else np.asarray(given).item()
        if abs(number) < LARGEST:  # and not nan
            return float(number)
    except Exception:  # whatever a value that is not a number raises
        pass
    raise _bad_output_error(what, given, 'one finite number')
