// Everything that is drawn. The only writing in a picture is the numbers along its axes, and signs.

const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--${name}`).trim();

// Empty a canvas, sharp on any screen; what is drawn then is counted in the page's pixels.
function clear(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas, ratio = window.devicePixelRatio;
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const ctx = canvas.getContext('2d');
  ctx.scale(ratio, ratio);
  return Object.assign(ctx, { lineCap: 'round', lineJoin: 'round', font: '11px sans-serif' });
}

function line(ctx, points, style, width, dashes = []) {
  ctx.beginPath();
  for (const point of points) ctx.lineTo(...point);
  ctx.setLineDash(dashes);
  Object.assign(ctx, { strokeStyle: style, lineWidth: width }).stroke();
}

function sign(ctx, glyph, [x, y], size, style) {
  Object.assign(ctx, { font: `${size}px sans-serif`, fillStyle: style, textAlign: 'center' });
  ctx.fillText(glyph, x, y);
}

function dot(ctx, [x, y], radius, fill, edge = fill) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.setLineDash([]);
  Object.assign(ctx, { fillStyle: fill, strokeStyle: edge, lineWidth: 2 }).fill();
  ctx.stroke();
}

function arrow(ctx, points, style, width) {
  const [[x0, y0], [x, y]] = points.slice(-2), angle = Math.atan2(y - y0, x - x0);
  const side = (turn) => [x - 9 * Math.cos(angle + turn), y - 9 * Math.sin(angle + turn)];
  line(ctx, points, style, width);
  line(ctx, [side(0.5), [x, y], side(-0.5)], style, width);
}

// Where a plot lies on its canvas: x, y turn values into pixels, and at_x, at_y pixels into values.
function plot(canvas, [left, right], [low, high]) {
  const box = { x: 38, y: 8, width: canvas.clientWidth - 48, height: canvas.clientHeight - 30 };
  return {
    box, bottom: box.y + box.height,
    x: (value) => box.x + ((value - left) / (right - left)) * box.width,
    y: (value) => box.y + ((high - value) / (high - low)) * box.height,
    at_x: (pixel) => left + ((pixel - box.x) / box.width) * (right - left),
    at_y: (pixel) => high - ((pixel - box.y) / box.height) * (high - low),
  };
}

// Round numbers from low to high, in at most `most` steps.
function ticks(low, high, most) {
  const power = 10 ** Math.floor(Math.log10((high - low) / most));
  const step = power * [1, 2, 5, 10].find((m) => (high - low) / (m * power) <= most);
  const numbers = Array.from({ length: most + 2 }, (_, i) => (Math.ceil(low / step) + i) * step);
  return numbers.filter((number) => number <= high).map((number) => Number(number.toFixed(6)));
}

function axes(ctx, { box, bottom, x, y }, x_ticks, y_ticks) {
  Object.assign(ctx, { textAlign: 'right', textBaseline: 'middle', fillStyle: colour('muted') });
  for (const number of y_ticks) {
    line(ctx, [[box.x, y(number)], [box.x + box.width, y(number)]], colour('rule'), 1);
    ctx.fillText(number, box.x - 6, y(number));
  }
  Object.assign(ctx, { textAlign: 'center', textBaseline: 'top' });
  for (const number of x_ticks) ctx.fillText(number, x(number), bottom + 7);
}

function returns_plot(canvas, rewards) {
  const low = Math.min(...rewards), high = Math.max(...rewards), space = 1 + 0.06 * (high - low);
  return plot(canvas, [0, rewards.length], [low - space, high + space]);
}

function draw_returns(canvas, { rewards, means, filled, best, episode }) {
  const ctx = clear(canvas), place = returns_plot(canvas, rewards), { box, bottom, x, y } = place;
  ctx.fillStyle = colour('shade');
  ctx.fillRect(box.x, box.y, x(Math.min(filled, rewards.length)) - box.x, box.height);
  axes(ctx, place, ticks(0, rewards.length, 5), ticks(place.at_y(bottom), place.at_y(box.y), 4));
  ctx.fillStyle = colour('faint');
  rewards.forEach((reward, i) => ctx.fillRect(x(i + 1) - 1.5, y(reward) - 1.5, 3, 3));
  line(ctx, means.map((mean, i) => [x(i + 1), y(mean)]), colour('text'), 2);
  line(ctx, [[x(episode), box.y], [x(episode), bottom]], colour('actor'), 2);
  if (best !== undefined) sign(ctx, '★', [x(best), box.y], 20, colour('star'));
}

// A bent arrow about a joint, from an angle on: its length says how much is turned.
function draw_turn(ctx, [x, y], radius, angle, turn, style) {
  const angles = Array.from({ length: 25 }, (_, i) => angle + (turn * i) / 24);
  const points = angles.map((k) => [x + radius * Math.cos(k), y - radius * Math.sin(k)]);
  if (Math.abs(turn) > 0.1) arrow(ctx, points, style, 3.5);
}

const pendulum_place = ({ clientWidth: width, clientHeight: height }) =>
  ({ centre: [width / 2, height / 2], length: 0.42 * Math.min(width, height) });

function draw_pendulum(canvas, [th], u, style) {
  const ctx = clear(canvas), { centre, length } = pendulum_place(canvas), [x, y] = centre;
  dot(ctx, centre, length, colour('card'), colour('rule'));
  line(ctx, [[x, y - length - 10], [x, y - length + 10]], colour('faint'), 2); // upright
  const end = [x - length * Math.sin(th), y - length * Math.cos(th)];
  line(ctx, [centre, end], colour('rod'), 0.18 * length);
  dot(ctx, centre, 4, colour('ink'));
  draw_turn(ctx, centre, 0.55 * length, th + Math.PI / 2, 0.6 * u, style);
}

function arm_place({ clientWidth: width, clientHeight: height }) {
  const scale = Math.min(width, height) / 2 / arm.view;
  const pixels = ([x, y]) => [width / 2 + scale * x, height / 2 - scale * y];
  const metres = (x, y) => [(x - width / 2) / scale, (height / 2 - y) / scale];
  return { scale, pixels, metres };
}

function draw_arm(canvas, state, a) {
  const ctx = clear(canvas), { pixels, scale } = arm_place(canvas);
  const [first, second, ...goal] = state;
  const places = [[0, 0], ...arm.joints(state)].map(pixels), [base, elbow, finger] = places;
  const reach = arm.goal_bound * scale; // goals lie in this square
  Object.assign(ctx, { strokeStyle: colour('rule'), lineWidth: 2 });
  ctx.strokeRect(base[0] - reach, base[1] - reach, 2 * reach, 2 * reach);
  dot(ctx, pixels(goal), arm.goal_radius * scale, colour(arm.at_goal(state) ? 'grad' : 'critic'));
  line(ctx, places, colour('rod'), 0.08 * scale);
  for (const place of [base, elbow]) dot(ctx, place, 3, colour('ink'));
  dot(ctx, finger, 5, colour('star'), colour('ink'));
  draw_turn(ctx, base, 0.24 * scale, first, 0.9 * a[0], colour('actor'));
  draw_turn(ctx, elbow, 0.24 * scale, first + second, 0.9 * a[1], colour('actor'));
}

function draw_q(canvas, { actions, curves, a, q, a_grad, by_hand }, bound, range) {
  const ctx = clear(canvas), place = plot(canvas, [-1.3 * bound, 1.3 * bound], range);
  const { box, bottom, x, y } = place, beyond = x(-bound) - box.x;
  axes(ctx, place, ticks(-bound, bound, 4), ticks(...range, 5));
  ctx.fillStyle = colour('shade'); // no action lies there
  for (const edge of [box.x, x(bound)]) ctx.fillRect(edge, box.y, beyond, box.height);
  curves.forEach((curve, i) => {
    const points = curve.map((value, k) => [x(actions[k]), y(value)]);
    line(ctx, points, colour('critic'), 3, [[], [8, 6]][i]);
    const [left, top] = points[curve.indexOf(Math.max(...curve))];
    sign(ctx, '▼', [left, top - 16], 13, colour('critic'));
  });
  a.forEach((own, i) => {
    const here = [x(own), y(q)], slope = (y(q + a_grad[i]) - y(q)) / (x(1) - x(0)); // in pixels
    const length = Math.min(beyond, 150 * Math.abs(slope));
    const along = (Math.sign(a_grad[i]) * length) / Math.hypot(1, slope);
    line(ctx, [[here[0], bottom], here], colour('actor'), 1.5, [2, 5]);
    const uphill = [here[0] + along, here[1] + slope * along];
    if (length > 5) arrow(ctx, [here, uphill], colour('grad'), 4);
    dot(ctx, here, 7, colour('actor'), colour('card'));
  });
  if (by_hand) dot(ctx, [x(by_hand.a), y(by_hand.q)], 6, colour('card'), colour('text'));
}

const ROWS = 49, COLUMNS = 73;
const TONES = {
  q: (x) => `hsl(${260 - 205 * x} ${38 + 25 * x}% ${20 + 48 * x}%)`, // violet 0, green, yellow 1
  a: (x) => (x < 0.5 ? `hsl(262 38% ${35 + 118 * x}%)` : `hsl(26 72% ${138 - 88 * x}%)`),
};

// A picture of ROWS x COLUMNS values, in the tones of what lies between low and high.
function map_picture(values, tone, [low, high]) {
  const map = Object.assign(document.createElement('canvas'), { width: COLUMNS, height: ROWS });
  const ctx = map.getContext('2d');
  values.forEach((value, i) => {
    ctx.fillStyle = tone(clip((value - low) / (high - low), 0, 1));
    ctx.fillRect(i % COLUMNS, Math.floor(i / COLUMNS), 1, 1);
  });
  return map;
}

const map_plot = (canvas) => plot(canvas, [-180, 180], [-8, 8]);

function draw_map(canvas, map, trail, ahead) {
  const ctx = clear(canvas), place = map_plot(canvas), { box, x, y } = place;
  axes(ctx, place, [-180, -90, 0, 90, 180], [-8, -4, 0, 4, 8]);
  ctx.drawImage(map, box.x, box.y, box.width, box.height);
  const pixels = ([th, thdot]) => [x((angle_normalize(th) * 180) / Math.PI), y(thdot)];
  ctx.fillStyle = 'white';
  for (const [left, top] of ahead.map(pixels)) ctx.fillRect(left - 1, top - 1, 2, 2);
  for (const [style, width] of [['#333', 4.5], ['white', 2]]) {
    trail.map(pixels).forEach((point, i, all) => {
      const before = all[Math.max(i - 1, 0)], out = Math.abs(point[0] - before[0]) > box.width / 2;
      if (!out) line(ctx, [before, point], style, width); // else by one edge, and in by the other
    });
  }
  dot(ctx, pixels(trail.at(-1)), 6, 'white', 'black');
}
