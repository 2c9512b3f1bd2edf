// The eval_nets of ddpg.py: the forward pass of actor and critic, and the slope of Q that the actor
// climbs. Weights of the shape (inputs, units) are one long array, row after row.

const relu = (x) => Math.max(x, 0);

// x w + b
function dense(x, w, b) {
  const y = new Float64Array(b), units = y.length;
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < units; j++) y[j] += x[i] * w[i * units + j];
  }
  return y;
}

// The same backwards: from the gradient with respect to x w + b, that with respect to x.
function dense_gradient(grad, w) {
  const rows = new Float64Array(w.length / grad.length);
  return rows.map((_, i) => grad.reduce((sum, g, j) => sum + g * w[i * grad.length + j], 0));
}

// Cut the weights of one moment into those of both networks; an action lies within the bound of 0.
function build_nets(weights, shapes, bound) {
  let end = 0;
  const cut = (shape) => weights.subarray(end, (end += shape.reduce((m, n) => m * n)));
  const layers = (params) => params.flatMap((w, i) => (i % 2 ? [] : [[w, params[i + 1]]]));
  const actor = shapes.Actor.map(cut), [w1_s, w1_a, b1, ...more] = shapes.Critic.map(cut);
  const critic = { w1_s, w1_a, b1, layers: layers(more) };
  return { actor: { layers: layers(actor), bound }, critic };
}

// a = mu(s): ReLU layers, then one of tanh, scaled to the bound.
function choose_action({ layers, bound }, s) {
  let net = s;
  for (const [w, b] of layers.slice(0, -1)) net = dense(net, w, b).map(relu);
  return dense(net, ...layers.at(-1)).map((x) => bound * Math.tanh(x));
}

// What each layer of the critic adds up, before its ReLU; the last sum is q, which has none.
function critic_sums({ w1_s, w1_a, b1, layers }, s, a) {
  const sums = [dense(a, w1_a, dense(s, w1_s, b1))]; // s w1_s + a w1_a + b1
  for (const [w, b] of layers) sums.push(dense(sums.at(-1).map(relu), w, b));
  return sums;
}

const q_value = (critic, s, a) => critic_sums(critic, s, a).at(-1)[0];

// a_grad = dQ/da: from q back through every layer, and through a ReLU only where its unit is on.
function action_gradient(critic, s, a) {
  const sums = critic_sums(critic, s, a);
  let grad = Float64Array.of(1); // dq/dq
  for (let k = critic.layers.length - 1; k >= 0; k--) {
    grad = dense_gradient(grad, critic.layers[k][0]).map((g, i) => (sums[k][i] > 0 ? g : 0));
  }
  return dense_gradient(grad, critic.w1_a);
}
