/*
 * A signal's way through the layers: drag the end of its line, or the scale of the weights, and see it grow or die.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   layers = {width: {forward(h, weights, scale, activation) -> [before, after its activation],
 *     backward(gradient, before, weights, scale, activation) -> gradient of h}};
 *   initializers = {name: {call, width: (random) -> weights}}, `call` being how it reads;
 *   expect(activation, square, growth) -> [mean square after a wide layer, factor for that of the gradient];
 *   activations = {name: number};  deepest;  values, in a layer;  span and bins of the histograms;  scales to choose from;  sizes on the axis.
 * No initializer, no activation and no layer is written here, or known by name.
 */
const { deepest: DEEPEST, values: VALUES, span: SPAN, bins: BINS } = library;
const RIDGES = 10; // histograms above that of the input
const UNIT = 0.3; // a density that is as high as the next histogram is away; a normal's peak is 0.4
const HIGHEST = 2.4; // of these
const SMALLEST = 1e-300; // what a size of zero is drawn as

function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
function meanSquare(values) {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum / values.length;
}
const size = (values) => Math.sqrt(meanSquare(values));

/** All that chance decides: the weights of DEEPEST layers, the inputs, and the gradient at the other end. */
function begin(initializer, width, seed) {
  const random = kit.random(seed);
  const weights = Array.from({ length: DEEPEST }, () => library.initializers[initializer][width](random));
  const sum = (part) => weights.reduce((total, each) => total + part(each) / DEEPEST, 0);
  return {
    initializer, width, weights,
    inputs: kit.random(seed, 1).normal(VALUES),
    gradient: kit.random(seed, 2).normal(VALUES),
    mean: sum(mean),
    square: sum(meanSquare),
  };
}

/** Activations and gradients at every layer, the inputs being layer 0. */
function pass({ width, weights, inputs, gradient }, activation, scale, depth) {
  const [{ forward, backward }, which] = [library.layers[width], library.activations[activation]];
  const [before, activations, gradients] = [[], [inputs], [gradient]];
  for (let l = 0; l < depth; l++) [before[l], activations[l + 1]] = forward(activations[l], weights[l], scale, which);
  for (let l = depth - 1; l >= 0; l--) gradients.unshift(backward(gradients[0], before[l], weights[l], scale, which));
  return { activations, gradients };
}

/** The sizes of activations and gradients that very wide layers would have. */
function theory({ width, square }, activation, scale, depth) {
  const growth = width * square * scale * scale;
  const [squares, factors] = [[1], []];
  for (let l = 0; l < depth; l++) [squares[l + 1], factors[l]] = library.expect(library.activations[activation], squares[l], growth);
  const gradients = [1];
  for (const factor of factors.reverse()) gradients.unshift(gradients[0] * factor);
  return { activations: squares.map(Math.sqrt), gradients: gradients.map(Math.sqrt) };
}

/** The density of values in BINS bins from −SPAN to SPAN. */
function histogram(values) {
  const counts = new Float64Array(BINS);
  for (const value of values) {
    const bin = Math.floor(((value + SPAN) / (2 * SPAN)) * BINS);
    if (bin >= 0 && bin < BINS) counts[bin]++;
  }
  return counts.map((count) => (count / values.length) * (BINS / (2 * SPAN)));
}

function render({ model, el }) {
  const get = (key) => model.get(key);
  const figure = kit.frame({
    model, el, draw,
    title: "A signal on its way through the layers",
    task: "Drag the end of the line up, or the scale from 1 to 1.1: after thirty layers of relu the signal is 17 times as large, and " +
      "so is the gradient on its way back. Then take xavier normal, which was not made for a relu; or tanh; or equal weights; " +
      "or other seeds: so few units stray far from the theory of wide layers.",
  });
  const settings = figure.settings({
    initializer: library.initializers, activation: library.activations, scale: library.scales, depth: [1, DEEPEST],
    width: library.layers, seed: [1, 20],
  });

  const plots = [["activations", "forwards", 0], ["gradients", "backwards", 4]].map(([kind, way, hue]) => ({
    kind, hue: `hue-${hue}`,
    sizes: figure.plot({ title: `The size of the ${kind}, ${way}`, label: `Root mean square of the ${kind} against the layer`, ratio: 0.7 }),
  }));
  for (const each of plots) {
    each.histograms = figure.plot({ title: `The ${each.kind}, layer by layer`, label: `Histograms of the ${each.kind} of every layer`, ratio: 0.85 });
  }
  plots[1].histograms.panel.after(kit.html("p", { class: "key" },
    "Size: the root mean square, 1 at the start. Solid: measured in this network; dashed: by theory, for very wide layers, in which " +
    "a layer multiplies the mean square by the mean of φ(z)² over normal z with variance fan-in · mean w² · scale² · (mean square " +
    "before): half of that for a ReLU. All histograms have one scale; tall ones are cut off."));

  const call = (name) => library.initializers[name].call.replaceAll("_", " ");
  figure.slider({ label: "scale of the weights", scale: kit.linear(...library.scales), stops: 280, ...settings.of("scale") });
  figure.slider({ label: "depth", scale: kit.linear(1, DEEPEST), stops: DEEPEST - 1, ...settings.of("depth") });
  figure.select({
    label: "initializer", options: Object.fromEntries(Object.keys(library.initializers).map((name) => [name, call(name)])),
    ...settings.of("initializer"),
  });
  figure.select({ label: "activation", options: Object.keys(library.activations), ...settings.of("activation") });
  figure.choice({ label: "width", options: Object.keys(library.layers), ...settings.of("width") });
  figure.slider({ label: "seed", scale: kit.linear(1, 20), stops: 19, ...settings.of("seed") });
  figure.button("Reset", settings.reset);

  let shown = null;
  plots[0].end = plots[0].sizes.handle("end", (layer, target) => {
    const depth = kit.clamp(Math.round(layer), 1, DEEPEST);
    const size = shown.measured.activations[depth] ?? shown.measured.activations.at(-1);
    // What the end should be multiplied by is shared out among the layers.
    figure.set({ depth, scale: kit.round(kit.clamp(shown.scale * (target / size) ** (1 / depth), ...library.scales), 3) });
  });

  const begun = kit.lagging(begin);
  const passing = kit.memo(pass);

  function draw() {
    const { initializer, activation, scale, depth, width, seed } = settings.read();
    const start = begun.ask(initializer, width, seed); // or those before: a hundred thousand numbers take a while
    figure.gradually(() => begun.stale, begun.update);
    const passed = passing(start, activation, scale, depth);
    // Theory wants weights of mean 0; with so many the mean of those is all but 0.
    const expected = start.square > 0 && start.mean ** 2 < 0.01 * start.square ? theory(start, activation, scale, depth) : null;
    const measured = Object.fromEntries(plots.map(({ kind }) => [kind, passed[kind].map(size)]));
    shown = { scale, measured };
    for (const { kind, hue, sizes, histograms, end } of plots) {
      drawSizes(sizes, hue, depth, measured[kind], expected?.[kind], end);
      drawHistograms(histograms, hue, depth, passed[kind]);
    }
    figure.say(summary({ ...start, ...passed, activation, scale, depth, measured, expected }));
  }

  function drawSizes(plot, hue, depth, measured, expected, end) {
    const y = kit.log(...library.sizes);
    plot.begin({ x: kit.linear(0, DEEPEST), y, xName: "layer", yName: "root mean square" });
    plot.line("one", [[0, 1], [DEEPEST, 1]], "zero");
    const points = (sizes) => sizes.map((value, layer) => [layer, Math.max(value, SMALLEST)]);
    if (expected) plot.line("theory", points(expected), "dashed");
    plot.line("measured", points(measured), `${hue} strong`);
    plot.dots("layers", points(measured), hue);
    const last = end ? depth : 0; // where the way ends: forwards at the last layer, backwards at the first
    const { left, top, width, height } = plot.area;
    const [at, up] = plot.point(last, Math.max(measured[last], SMALLEST));
    plot.text("reached", kit.clamp(at, left + 40, left + width) - (end ? 0 : 34), kit.clamp(up - 20, top + 8, top + height - 26),
      `× ${kit.number(measured[last] / measured[end ? 0 : depth], 2)}`, hue, end ? "end" : "start");
    end?.at(depth, Math.max(measured[depth], SMALLEST));
    plot.end();
  }

  function drawHistograms(plot, hue, depth, values) {
    const count = Math.min(depth, RIDGES);
    const layers = kit.grid(depth, 0, count + 1).map(Math.round);
    const away = depth / count;
    const y = { ...kit.linear(0, depth + HIGHEST * away), ticks: () => layers };
    plot.begin({ x: kit.linear(-SPAN, SPAN), y, xName: "value", yName: "layer" });
    const edges = kit.grid(-SPAN, SPAN, BINS + 1);
    layers.forEach((layer, k) => {
      const heights = Array.from(histogram(values[layer]), (density) => layer + away * Math.min(HIGHEST, density / UNIT));
      const line = heights.flatMap((height, bin) => [[edges[bin], height], [edges[bin + 1], height]]);
      plot.line(`layer ${k}`, [[-SPAN, layer], ...line, [SPAN, layer]], `ridge ${hue}`);
    });
    plot.end();
  }

  return figure.stop;
}

/** What the pictures show, in a few sentences. */
function summary({ initializer, activation, scale, depth, measured, expected, activations }) {
  const { call } = library.initializers[initializer];
  const change = (ratio, theory) => {
    const times = `× ${kit.number(ratio, 2)}${expected ? `, by theory × ${kit.number(theory, 2)}` : ""}`;
    if (ratio === 0) return "is exactly zero";
    if (ratio > 2) return `has grown (${times})`;
    return ratio < 0.5 ? `has shrunk (${times})` : `is about as large as it was (${times})`;
  };
  const [forwards, backwards] = [measured.activations.at(-1) / measured.activations[0], measured.gradients[0] / measured.gradients.at(-1)];
  const still = activations.at(-1).filter((value) => value === 0).length / VALUES;
  const dead = still > 0.005 && still < 1 ? ` ${Math.round(100 * still)} % of the last activations are exactly 0.` : "";
  return `${activation}, ${call.replaceAll("_", " ")} × ${kit.number(scale)}: after ${depth} layer${depth > 1 ? "s" : ""} the signal ` +
    `${change(forwards, expected?.activations.at(-1))}; the gradient, back at the input, ` +
    `${change(backwards, expected?.gradients[0])}.${dead}` +
    (expected ? "" : " No theory here: it wants weights that differ, with mean 0.");
}

export default { render, begin, pass, theory, library };
