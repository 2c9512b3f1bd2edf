// What the reader can do, by mouse, touch and keyboard; and then the page begins.

// From the start, by the networks of a moment or by hand; then the first push starts the clock.
function act(by_hand, moment) {
  const state = world.reset();
  Object.assign(now, { by_hand, state, torque: 0, playing: false, running: !by_hand });
  show_moment(moment);
}

const nearest = (episode) =>
  data.episodes.reduce((a, b) => (Math.abs(b - episode) < Math.abs(a - episode) ? b : a));

// Show the moment nearest to an episode, or the next one on that way: a key moves by an episode.
function choose(episode) {
  const way = Math.sign(episode - data.episodes[now.moment]);
  const moment = data.episodes.indexOf(nearest(episode));
  now.playing = false;
  show_moment(moment === now.moment ? clip(moment + way, 0, LAST) : moment);
}

// The swing-up being learned, from where learning begins or from a later moment that was chosen.
function play() {
  const first = data.episodes.indexOf(nearest(FILLED)), playing = !now.playing;
  const chosen = now.moment > first && now.moment !== BEST && now.moment !== LAST;
  if (playing) act(false, chosen ? now.moment : first);
  now.playing = playing;
}

const CLICKS = {
  play,
  best: () => act(false, BEST),
  last: () => act(false, LAST),
  by_hand: () => act(!now.by_hand, now.moment),
  again: () => act(now.by_hand, now.moment),
  stop: () => (now.running = !now.running),
  slow: () => (now.slow = !now.slow),
  one_step: () => {
    now.running = now.playing = false;
    step();
  },
  language: () => show_words(1 - now.language),
};

addEventListener('click', ({ target }) => {
  CLICKS[target.id]?.();
  now.changed = true;
});
$('moment').addEventListener('input', () => choose(Number($('moment').value)));
$('returns').addEventListener('click', ({ offsetX }) => {
  choose(returns_plot($('returns'), data.rewards).at_x(offsetX));
});

const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const TURNS = { ArrowLeft: 1, ArrowRight: -1 }; // counterclockwise, clockwise

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches('input')) return;
  if (event.key === '.') $('one_step').click();
  else if (event.key === ' ' && !event.target.matches('button')) $('stop').click();
  else if (event.key in TURNS && world === pendulum) event.repeat || push(TURNS[event.key]);
  else return;
  event.preventDefault();
});

// Let the arrow keys move something in a picture that has been chosen.
function on_arrows(canvas, move) {
  canvas.addEventListener('keydown', (event) => {
    if (!(event.key in WAYS)) return;
    event.preventDefault();
    event.stopPropagation();
    move(...WAYS[event.key]);
  });
}

// A push makes it faster by 2 rad/s. By hand it is the torque, for as long as it is held.
function push(turn) {
  const [th, thdot] = now.state, running = now.steps < data.MAX_EP_STEPS;
  if (!now.by_hand) begin([th, clip(thdot + 2 * turn, -8, 8)]);
  else Object.assign(now, { torque: turn * pendulum.max_torque, running, changed: true });
}

const let_go = () => Object.assign(now, { torque: 0, changed: true });

// Turn the pendulum to the pointer; `held` keeps how fast it was turned, for when it is let go.
function drag({ offsetX, offsetY, timeStamp }) {
  const { centre } = pendulum_place($('world')), [th] = now.state;
  const turn = angle_normalize(Math.atan2(centre[0] - offsetX, centre[1] - offsetY) - th);
  const speed = (1000 * turn) / Math.max(timeStamp - now.held.time, 1);
  now.held = { time: timeStamp, speed: 0.5 * (now.held.speed + speed) };
  begin([th + turn, 0]);
}

function pendulum_controls() {
  const canvas = $('world');
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    Object.assign(now, { held: { time: event.timeStamp, speed: 0 }, playing: false });
    drag(event);
    now.held.speed = 0; // the first turn is a jump
  });
  canvas.addEventListener('pointermove', (event) => now.held && drag(event));
  canvas.addEventListener('lostpointercapture', ({ timeStamp }) => {
    const { time, speed } = now.held, thrown = timeStamp - time < 80; // else it was held still
    now.held = null;
    begin([now.state[0], thrown ? clip(speed, -8, 8) : 0]);
  });
  for (const [id, turn] of [['left', 1], ['right', -1]]) {
    $(id).addEventListener('pointerdown', () => push(turn));
    for (const kind of ['pointerup', 'pointerleave']) $(id).addEventListener(kind, let_go);
    $(id).addEventListener('click', ({ detail }) => {
      if (!detail) push(turn), setTimeout(let_go, 200); // by a key or a screen reader
    });
  }
  addEventListener('keyup', ({ key }) => key in TURNS && let_go());
  addEventListener('blur', let_go);
  const put = (degrees, thdot) => begin([(degrees * Math.PI) / 180, clip(thdot, -8, 8)]);
  for (const map of [$('q_map'), $('a_map')]) {
    map.addEventListener('click', ({ offsetX, offsetY }) => {
      const { at_x, at_y } = map_plot(map);
      put(clip(at_x(offsetX), -180, 180), at_y(offsetY));
    });
    on_arrows(map, (x, y) => put((now.state[0] * 180) / Math.PI + 5 * x, now.state[1] + y / 2));
  }
  show_scales();
}

function show_scales() {
  const seen = [BEST, LAST].flatMap((k) => look_at_states(nets[k]).q);
  now.q_range = [Math.min(...seen), Math.max(...seen)]; // the same at every moment
  ['q_low', 'q_high'].forEach((id, i) => ($(id).textContent = now.q_range[i].toFixed(1)));
  for (const name of ['q', 'a']) {
    const tones = [0, 0.25, 0.499, 0.5, 0.75, 1].map(TONES[name]);
    $(`${name}_scale`).style.background = `linear-gradient(90deg, ${tones})`;
  }
}

function arm_controls() {
  const canvas = $('world'), inside = (place) => clip(place, -arm.goal_bound, arm.goal_bound);
  const move_goal = (x, y) => {
    now.state = now.before = [...now.state.slice(0, 2), inside(x), inside(y)];
    now.changed = true;
  };
  canvas.onpointerdown = canvas.onpointermove = ({ offsetX, offsetY }) => {
    move_goal(...arm_place(canvas).metres(offsetX, offsetY));
  };
  on_arrows(canvas, (x, y) => move_goal(now.state[2] + x / 20, now.state[3] + y / 20));
}

let drawn_at = 0;

function frame(time) {
  const seconds = Math.min(time - drawn_at, 100) / 1000;
  drawn_at = time;
  if (now.running && !now.held) now.clock += seconds * (now.playing ? 4 : now.slow ? 0.2 : 1);
  for (; now.running && now.clock >= world.dt; step()) now.clock -= world.dt;
  draw();
  requestAnimationFrame(frame);
}

const others = `[data-only]:not([data-only="${world.name}"])`;
document.querySelectorAll(others).forEach((place) => place.remove());
for (const link of document.querySelectorAll('a:not([href^="https"])')) {
  link.href = `${data.docs}/${link.getAttribute('href')}`;
}
$('facts').textContent = data.facts.join(' · '); // as text, whatever a folder is called
$('best').hidden = data.best === null;
$('moment').max = data.episodes[LAST];
document.body.className = world.name;
now.running = !matchMedia('(prefers-reduced-motion: reduce)').matches;
(world === arm ? arm_controls : pendulum_controls)();
show_moment(BEST);
show_words(Number(navigator.language.startsWith('zh')));
addEventListener('resize', show_returns);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show_returns);
requestAnimationFrame(frame);
