/*
 * When to cut: drag the place at which the rate comes down, and see where the loss ends. Early, it freezes far from the
 * minimum; late, the noise of the high rate is left.
 *
 * In scope are `kit` (kit.js) and `library`, which Python traces from Ravine's own functions (_emit.py):
 *   rules = {name: run(rates, noise, size) -> losses}, of a whole run;
 *   schedules = {name: {rates(times, peak), which comes down at time `steps`, call}}, and how the call reads;
 *   steps of a run;  size of its noise;  runs whose mean is shown;  tail, the last steps, for the loss at the end;
 *   places at which the ends are computed, and the unit of a place;  curvatures, rates, noises, losses, from and to.
 * No schedule and no update rule is written here.
 */
const STEPS = library.steps;
const [LOW, HIGH] = library.curvatures;
const LEAST = 1e-300; // a logarithm can be taken of it

/** The rate of every step. Time is stretched until the schedule, made for `steps`, comes down at the place. */
function rates(name, peak, place) {
  const times = new Float64Array(STEPS).map((_, t) => (t * STEPS) / place);
  return library.schedules[name].rates(times, peak);
}

/** The noise of every run: the same whatever the settings, so that only they make a difference. */
function draw(seed = 1) {
  const generator = kit.random(seed);
  return Array.from({ length: library.runs }, () => generator.normal(library.size));
}

/** The losses of the first run, of the mean over all, and the mean's average at the end. */
function descend(rule, table, noise, size) {
  const runs = noise.map((each) => library.rules[rule](table, each, size));
  const mean = runs[0].map((_, t) => runs.reduce((sum, losses) => sum + losses[t], 0) / runs.length);
  const end = mean.slice(-library.tail).reduce((sum, loss) => sum + loss, 0) / library.tail;
  return { first: runs[0], mean, end };
}

function render({ model, el }) {
  const figure = kit.frame({
    model, el, draw: redraw,
    title: "When to cut the rate",
    task: "The rate was cut after 100 steps: the loss became calm, and crawls. Drag the cut to the right, and see where the run ends. " +
      "How late is too late? Then drag the peak up and down, and take other schedules.",
  });
  const settings = figure.settings({
    schedule: library.schedules, rule: library.rules, peak: library.rates, place: [library.unit, STEPS], noise: library.noises,
  });
  const snap = (place) => kit.clamp(Math.round(place / library.unit), 1, STEPS / library.unit) * library.unit;

  const rate = figure.plot({ title: "The rate", label: "Learning rate against the step, with the place at which it comes down", wide: true, ratio: 0.26 });
  const loss = figure.plot({ title: `The loss, a mean of ${library.runs} runs`, label: "Loss against the step, under the schedule and at a constant rate", wide: true, ratio: 0.34 });
  const ends = figure.plot({ title: "Where the run ends", label: "Loss at the end against the place at which the rate comes down", wide: true, ratio: 0.26 });
  const call = kit.html("code");
  rate.head.append(call);
  ends.panel.after(kit.html("p", { class: "key" },
    kit.html("span", { class: kit.hue(0) }, "solid: this schedule"), ", thin: one of its runs · dashed: the same peak, never cut. " +
    `Every gradient has noise σ; the bowl's curvatures run from ${kit.number(LOW)} to ${kit.number(HIGH)}, so 2/λmax is ` +
    `${kit.number(2 / HIGH)}. The end is the mean loss of the last ${library.tail} steps.`));

  figure.slider({ label: "place of the cut", scale: kit.linear(library.unit, STEPS), stops: STEPS / library.unit - 1, ...settings.of("place") });
  figure.slider({ label: "peak of the rate η", scale: kit.linear(...library.rates), stops: 109, ...settings.of("peak") });
  figure.slider({ label: "noise σ", scale: kit.linear(...library.noises), stops: 20, ...settings.of("noise") });
  figure.select({
    label: "schedule", options: Object.fromEntries(Object.keys(library.schedules).map((name) => [name, plain(name)])), ...settings.of("schedule"),
  });
  figure.choice({ label: "Rule", options: Object.keys(library.rules), ...settings.of("rule") });
  figure.button("Reset", settings.reset);

  const grip = rate.handle("place", (place, peak) => figure.set({ place: snap(place), peak: kit.clamp(peak, ...library.rates) }));
  const noise = draw();
  const constant = kit.memo((rule, peak, size) => descend(rule, new Float64Array(STEPS).fill(peak), noise, size));
  const run = kit.memo((rule, schedule, peak, place, size) => descend(rule, rates(schedule, peak, place), noise, size));
  /** The curve of ends of these settings, to be filled as time allows. */
  const curve = kit.memo(() => []);

  function redraw() {
    const { schedule, rule, peak, noise: size, ...rest } = settings.read();
    const place = snap(rest.place);
    const now = {
      schedule, rule, peak, place, size,
      table: rates(schedule, peak, place),
      run: run(rule, schedule, peak, place, size),
      constant: constant(rule, peak, size),
      found: curve(rule, schedule, peak, size),
    };
    drawRate(now);
    drawLoss(now);
    drawEnds(now);
    figure.say(summary(now));
    figure.gradually(() => now.found.length < library.places.length, () => {
      const at = library.places[now.found.length];
      now.found.push([at, descend(rule, rates(schedule, peak, at), noise, size).end]);
    });
  }

  const x = kit.linear(0, STEPS);
  function drawRate({ schedule, peak, place, table }) {
    const y = kit.linear(0, library.rates[1]);
    rate.begin({ x, y, xName: "step", yName: "rate η" });
    rate.line("place", [[place, 0], [place, y.high]], "cursor");
    rate.line("constant", [[0, peak], [STEPS, peak]], "dashed");
    rate.line("rate", Array.from(table, (value, t) => [t, value]), `${kit.hue(0)} strong`);
    grip.at(place, peak);
    rate.end();
    const numbers = library.schedules[schedule].call.replace("{peak}", kit.number(peak));
    kit.write(call, numbers.replace(/\{([\d.]+)\}/g, (_, share) => Math.round(share * place)));
  }

  const points = (losses) => Array.from(losses, (value, t) => [t, Math.max(value, LEAST)]);
  function drawLoss({ place, run, constant }) {
    const y = kit.log(...library.losses);
    loss.begin({ x, y, xName: "step", yName: "loss" });
    loss.line("place", [[place, y.low], [place, y.high]], "cursor");
    loss.line("one run", points(run.first), `${kit.hue(0)} thin`);
    loss.line("constant", points(constant.mean), "dashed");
    loss.line("mean", points(run.mean), `${kit.hue(0)} strong`);
    loss.end();
  }

  function drawEnds({ place, run, constant, found }) {
    ends.begin({ x, y: kit.log(...library.losses), xName: "place of the cut", yName: "loss at the end" });
    ends.line("place", [[place, library.losses[0]], [place, library.losses[1]]], "cursor");
    ends.line("constant", [[0, constant.end], [STEPS, constant.end]], "dashed");
    ends.line("ends", found, `${kit.hue(0)} strong`);
    ends.ball("end", place, Math.max(run.end, LEAST), kit.hue(0));
    ends.end();
  }

  return figure.stop;
}

const plain = (name) => name.replaceAll("_", " ");

/** What the pictures show, in a few sentences. */
function summary({ schedule, rule, peak, place, run, constant, found }) {
  const name = plain(schedule);
  const lost = (end) => !(end < 1e3);
  const ended = lost(run.end) ? "has blown up" : `ends at a loss of ${kit.number(run.end)}`;
  const ratio = run.end / constant.end;
  const times = ratio > 1 ? `${kit.number(ratio, 2)} times above it` : ratio < 1 ? `${kit.number(1 / ratio, 2)} times below it` : "the same";
  const never = lost(constant.end) ? "The constant rate blows up."
    : lost(run.end) ? `The constant rate ends at ${kit.number(constant.end)}.`
      : `The constant rate ends at ${kit.number(constant.end)}: this is ${times}.`;
  const best = found.reduce((least, each) => (each[1] < least[1] ? each : least), [0, Infinity]);
  const where = found.length === library.places.length && !lost(best[1])
    ? ` Of all places for ${name}, ${best[0]} ends lowest, at ${kit.number(best[1])}.` : "";
  return `With ${rule} and a peak of ${kit.number(peak)}, ${name} down at step ${place} ${ended} after ${STEPS} steps. ${never}${where}`;
}

export default { render, rates, draw, descend, library };
