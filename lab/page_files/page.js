// What is shown now, how a step changes it, and what the two networks say of it.

const $ = (id) => document.getElementById(id);
const data = JSON.parse($('data').textContent);
const world = { 'Pendulum-v0': pendulum, 'robot_arm:Arm-v0': arm }[data.env];
const LAST = data.episodes.length - 1, BEST = data.best ?? LAST; // of the moments
const FILLED = data.MEMORY_CAPACITY / data.MAX_EP_STEPS; // the episode after which learning begins
const PLAYED = 100; // steps that one sees of each moment while the run is played

// The eval_nets at every moment, and the mean of the ten returns up to each episode.
const bytes = Uint8Array.from(atob(data.weights), (letter) => letter.charCodeAt(0));
const weights = new Float32Array(bytes.buffer), size = weights.length / data.episodes.length;
const nets = data.episodes.map((_, k) =>
  build_nets(weights.subarray(k * size, (k + 1) * size), data.shapes, data.bound));
const means = data.rewards.map((_, i) => {
  const ten = data.rewards.slice(Math.max(0, i - 9), i + 1);
  return ten.reduce((sum, reward) => sum + reward) / ten.length;
});

// All that changes. `before` is the state one step ago, `clock` the seconds since that step.
const now = {
  moment: BEST, state: world.reset(), before: null, clock: 0, trail: [], steps: 0, ep_reward: 0,
  running: true, playing: false, slow: false, by_hand: false, torque: 0, policy: 0, held: null,
  language: 0, changed: true, seen: null, q_axis: null, q_range: null, maps: {},
};

// Let the actor go on from a state. Return the states, the sum of the rewards, and G, their
// discounted sum as the memory counts them: what Q(s, mu(s)) should be.
function play_on(state) {
  const states = [state], { actor } = nets[now.moment];
  let ep_reward = 0, G = 0, r;
  for (let k = 0; k < data.MAX_EP_STEPS; k++) {
    [state, r] = world.step(state, choose_action(actor, world.observation(state)));
    states.push(state);
    ep_reward += r;
    G += (data.GAMMA ** k * r) / data.REWARD_SCALE;
  }
  return { states, ep_reward, G };
}

// An episode begins in a state.
function begin(state) {
  const start = { before: state, clock: 0, trail: [state], steps: 0, ep_reward: 0, changed: true };
  Object.assign(now, start, { state, policy: now.by_hand ? play_on(state).ep_reward : 0 });
}

function step() {
  const s = world.observation(now.state);
  const a = now.by_hand ? [now.torque] : choose_action(nets[now.moment].actor, s);
  const [state, r] = world.step(now.state, a);
  const trail = [...now.trail.slice(-data.MAX_EP_STEPS), state];
  Object.assign(now, { before: now.state, state, trail, changed: true });
  if (now.steps < data.MAX_EP_STEPS) {
    now.steps += 1;
    now.ep_reward += r;
    if (now.by_hand && now.steps === data.MAX_EP_STEPS) now.running = false;
  }
  if (now.playing && now.steps === PLAYED) {
    if (now.moment === LAST) now.playing = false;
    else show_moment(now.moment + 1);
    begin(world.reset());
  }
}

// The networks of another moment act and judge; the return is counted anew.
function show_moment(moment) {
  now.moment = moment;
  if (world === pendulum) {
    const { q, a } = look_at_states(nets[moment]);
    now.maps.q_map = map_picture(q, TONES.q, now.q_range);
    now.maps.a_map = map_picture(a, TONES.a, [-2, 2]);
  }
  begin(now.state);
  show_returns();
}

// Q(s, mu(s)) and mu(s) over all angles and angular velocities, row by row from the top left.
function look_at_states({ actor, critic }) {
  const q = [], a = [];
  for (let k = 0; k < ROWS * COLUMNS; k++) {
    const th = Math.PI * ((2 * (k % COLUMNS)) / (COLUMNS - 1) - 1);
    const thdot = pendulum.max_speed * (1 - (2 * Math.floor(k / COLUMNS)) / (ROWS - 1));
    const s = pendulum.observation([th, thdot]), action = choose_action(actor, s);
    a.push(action[0]);
    q.push(q_value(critic, s, action));
  }
  return { q, a };
}

// What both networks say of the state now; a curve is Q over one action, the other ones staying.
function look() {
  const { actor, critic } = nets[now.moment], s = world.observation(now.state);
  const a = choose_action(actor, s), q = q_value(critic, s, a);
  const a_grad = action_gradient(critic, s, a);
  const actions = Array.from({ length: 81 }, (_, k) => (k / 40 - 1) * data.bound);
  const q_with = (i, action) => q_value(critic, s, a.map((own, j) => (j === i ? action : own)));
  const curves = Array.from(a, (_, i) => actions.map((action) => q_with(i, action)));
  const by_hand = now.by_hand && { a: now.torque, q: q_with(0, now.torque) };
  return { s, a, q, a_grad, actions, curves, by_hand, ...play_on(now.state) };
}

function word(name, ...values) {
  const found = (words[`${name}_${world.name}`] ?? words[name])[now.language];
  return values.length ? found(...values) : found;
}

function show_words(language) {
  now.language = language; // 0: English, 1: Chinese
  document.documentElement.lang = ['en', 'zh-CN'][language];
  document.title = word('title');
  for (const place of document.querySelectorAll('[data-word], [data-label]')) {
    const { word: says, label } = place.dataset;
    if (says) place.textContent = word(says);
    if (label) place.setAttribute('aria-label', word(label));
  }
  show_returns();
}

function show_returns() {
  const episode = data.episodes[now.moment], best = data.episodes[data.best];
  draw_returns($('returns'), { rewards: data.rewards, means, filled: FILLED, best, episode });
  $('moment').value = episode;
  $('when').textContent = word('when', episode);
  now.changed = true;
}

function show_numbers({ s, a, q, a_grad, G }) {
  const text = (numbers, digits) => Array.from(numbers, (x) => x.toFixed(digits)).join(', ');
  const limit = Math.abs(a[0]) > 0.99 * data.bound && a[0] * a_grad[0] > 0;
  const reading = a.length > 1 ? 'both' : limit ? 'limit' : a_grad[0] > 0 ? 'uphill' : 'downhill';
  const score = now.by_hand ? (now.steps ? 'score_by_hand' : 'ready') : 'score';
  const counted = [text([now.ep_reward], 1), now.steps, data.MAX_EP_STEPS, text([now.policy], 1)];
  const shown = {
    s: text(s, 2), a: text(a, 3), q_now: text([q], 3), a_grad: text(a_grad, 3), G: text([G], 3),
    reading: word(reading), score: word(score, ...counted), play: now.playing ? '❚❚' : '▶',
  };
  for (const [id, value] of Object.entries(shown)) $(id).textContent = value;
  const pressed = {
    stop: !now.running, slow: now.slow, play: now.playing, by_hand: now.by_hand,
    best: !now.by_hand && now.moment === BEST, last: !now.by_hand && now.moment === LAST,
  };
  for (const [id, on] of Object.entries(pressed)) $(id)?.setAttribute('aria-pressed', on);
}

// The axis of Q follows the curve a little late, and so moves calmly; the curve is always on it.
function follow(axis, values) {
  const low = Math.min(...values), high = Math.max(...values), middle = (low + high) / 2;
  const half = Math.max(0.75 * (high - low), 0.15), goal = [middle - half, middle + half];
  const [from, to] = (axis ?? goal).map((end, i) => end + 0.2 * (goal[i] - end));
  return [Math.min(from, low - 0.2 * half), Math.max(to, high + 0.2 * half)];
}

function draw() {
  const { changed } = now;
  if (changed) {
    now.changed = false;
    now.seen = look();
    show_numbers(now.seen);
    for (const name in now.maps) draw_map($(name), now.maps[name], now.trail, now.seen.states);
  }
  const axis = follow(now.q_axis, now.seen.curves.flat());
  const moves = !now.q_axis || Math.abs(axis[0] - now.q_axis[0]) > 1e-4;
  now.q_axis = axis;
  if (changed || moves) draw_q($('q'), now.seen, data.bound, axis);
  if (!changed && !now.running) return;
  const share = now.running ? now.clock / world.dt : 1; // of the step between the two states
  const between = now.before.map((x, i) => x + share * (now.state[i] - x));
  if (world === arm) draw_arm($('world'), now.state, now.seen.a);
  else if (now.by_hand) draw_pendulum($('world'), between, now.torque, colour('text'));
  else draw_pendulum($('world'), between, now.seen.a[0], colour('actor'));
}
