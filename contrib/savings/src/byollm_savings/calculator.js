// The arithmetic of cost.py and judge.py, number for number; the tests hold both to the same answers.
"use strict";
const Savings = (() => {
  const MILLION = 1e6, STEPS = 48, MOST_AT_ONCE = 8;
  const SHARES = ["saving", "margin", "cost_of_goods"];
  class Unknown extends Error {}

  const number = (work, name, usual = 0) => (name === null ? usual : work.values[name]);
  const scale = (work, it) => (1 + number(work, it.premium)) * (1 - number(work, it.discount));
  const volume = (work, period) => (period === null ? number(work, work.documents) / 12 : number(work, period.documents));
  const byName = (list, name) => list.find((it) => it.name === name);

  function rates(work, line, tokens, batch) {
    const bands = batch ? line.later : line.plain;
    const size = Math.max(0, Math.ceil(tokens));
    const band = bands.find((it) => (it.above === null || size > it.above) && (it.up_to === null || size <= it.up_to));
    if (!band) throw new Unknown(`nobody knows what ${line.model} costs${batch ? " as a batch" : ""}`);
    return { input: work.values[band.input], output: work.values[band.output], cached: work.values[band.cached] };
  }

  function oneLine(work, task, line) {
    const tokens = number(work, task.instructions) + number(work, task.reads, 1) * number(work, work.tokens);
    const output = number(work, task.output), batch = number(work, line.batch), cached = number(work, line.cached);
    let both = 0;
    for (const [share, later] of [[1 - batch, false], [batch, true]]) {
      if (share === 0) continue;
      const paid = rates(work, line, tokens, later);
      both += share * (tokens * ((1 - cached) * paid.input + cached * paid.cached) + output * paid.output);
    }
    return both / MILLION;
  }

  function allTasks(work, approach, lines) {
    let total = 0;
    for (const [name, several] of Object.entries(lines)) {
      const task = byName(work.tasks, name);
      const rest = several.reduce((left, line) => left - (line.share === null ? 0 : number(work, line.share)), 1);
      if (rest < -1e-12) throw new Unknown(`${approach.name}: the shares of ${name} are more than the whole`);
      for (const line of several) {
        const share = line.share === null ? rest : number(work, line.share);
        total += number(work, task.share, 1) * share * oneLine(work, task, line);
      }
    }
    return total;
  }

  function perDocument(work, approach, period = null) {
    if (approach.per_month !== null) {
      const many = volume(work, period);
      return many === 0 ? 0 : perMonth(work, approach, period) / many;
    }
    const lines = (period !== null && approach.periods[period.name]) || approach.lines || {};
    const sum = approach.per_document !== null ? number(work, approach.per_document) : allTasks(work, approach, lines);
    return sum * scale(work, approach);
  }

  function perMonth(work, approach, period = null) {
    if (period === null) return perYear(work, approach) / 12;
    if (approach.per_month !== null) return number(work, approach.per_month) * scale(work, approach);
    const billed = approach.billed_as ? byName(work.periods, approach.billed_as) : period;
    return volume(work, billed) * perDocument(work, approach, period);
  }

  function perYear(work, approach) {
    if (work.periods.length) {
      return work.periods.reduce((sum, it) => sum + number(work, it.months) * perMonth(work, approach, it), 0);
    }
    if (approach.per_month !== null) return 12 * number(work, approach.per_month) * scale(work, approach);
    return number(work, work.documents) * perDocument(work, approach);
  }

  function measure(work, claim) {
    if (claim.of === "own_figures") {
      const said = claim.minus.map((name) => number(work, byName(work.claims, name).low));
      const found = (said[0] - said.slice(1).reduce((sum, it) => sum + it, 0)) * number(work, claim.times, 1);
      return claim.over === null ? found : found / number(work, byName(work.claims, claim.over).low);
    }
    const approach = byName(work.approaches, claim.approach);
    const period = claim.period === null ? null : byName(work.periods, claim.period);
    if (claim.of === "document") return perDocument(work, approach, period);
    if (claim.of === "margin" || claim.of === "cost_of_goods") {
      let cost = number(work, work.other_cost);
      if (claim.keys === "platform") cost += perDocument(work, approach, period) / number(work, work.revenue);
      return claim.of === "margin" ? 1 - cost : cost;
    }
    const paid = claim.of === "month" || period !== null ? perMonth(work, approach, period) : perYear(work, approach);
    if (claim.of === "month" || claim.of === "year") return paid;
    const against = byName(work.approaches, claim.against);
    const before = period !== null ? perMonth(work, against, period) : perYear(work, against);
    return claim.of === "saved" ? before - paid : (before - paid) / before;
  }

  function corners(work, names) {
    return names.reduce(
      (found, name) => found.flatMap((one) => ["low", "high"].map((end) => ({ ...one, [name]: work.assumptions[name][end] }))),
      [{}],
    );
  }

  function climbed(work, names, value, way) {
    const found = ["low", "high"].map((start) => {
      let here = Object.fromEntries(names.map((name) => [name, work.assumptions[name][start]]));
      let best = value(here);
      for (let moved = true; moved; ) {
        moved = false;
        for (const name of names) {
          const { low, high } = work.assumptions[name];
          const there = { ...here, [name]: here[name] === low ? high : low }, reached = value(there);
          if (way * reached > way * best) [here, best, moved] = [there, reached, true];
        }
      }
      return best;
    });
    return way > 0 ? Math.max(...found) : Math.min(...found);
  }

  function extremes(work, names, value) {
    if (names.length > MOST_AT_ONCE) return [climbed(work, names, value, -1), climbed(work, names, value, 1)];
    const reached = corners(work, names).map(value);
    return [Math.min(...reached), Math.max(...reached)];
  }

  function judge(work, claim) {
    const low = number(work, claim.low), high = number(work, claim.high), half = number(work, claim.to) / 2;
    const room = 1e-9 * (Math.abs(low) + Math.abs(high));
    const value = (changes = {}) => {
      const found = measure({ ...work, values: { ...work.values, ...changes } }, claim);
      if (!Number.isFinite(found)) throw new Unknown("something is divided by nothing");
      return found;
    };
    const holds = (it) => low - half - room <= it && it <= high + half + room;
    try {
      const here = value();
      const moves = (name) => ["low", "high"].some((end) => {
        const there = value({ [name]: work.assumptions[name][end] });
        return Math.abs(there - here) > 1e-12 * Math.abs(here);
      });
      const moving = Object.keys(work.assumptions).filter(moves);
      const [lowest, highest] = extremes(work, moving, value);
      const found = { value: here, holds: holds(here), lowest, highest, problem: "", depends_on: [] };
      if (holds(lowest) && holds(highest)) return { ...found, verdict: "met" };
      if (highest < low - half || lowest > high + half) return { ...found, verdict: "not met" };
      const targets = low === high ? [low] : [low, high];
      const all = moving.map((name) => dependence(work, name, value, holds, [low - half, high + half], targets));
      const alone = all.filter((it) => it.holds !== null && (it.holds[0] !== it.low || it.holds[1] !== it.high));
      const narrow = (it) => (it.holds[1] - it.holds[0]) / (it.high - it.low);
      alone.sort((a, b) => narrow(a) - narrow(b));
      return { ...found, verdict: "depends", depends_on: alone.length ? alone : all };
    } catch (error) {
      if (!(error instanceof Unknown)) throw error;
      return { verdict: "unknown", value: null, holds: false, problem: error.message, depends_on: [] };
    }
  }

  function dependence(work, name, value, holds, bounds, targets) {
    const { low, high } = work.assumptions[name];
    const pass = (list) => list.flatMap((target) => crossing(name, value, target, low, high));
    const good = [low, high, work.values[name], ...pass(bounds)].filter((at) => holds(value({ [name]: at })));
    const span = good.length ? [Math.min(...good), Math.max(...good)] : null;
    return { assumption: name, value: work.values[name], low, high, holds: span, exactly: pass(targets) };
  }

  function crossing(name, value, target, low, high) {
    let [a, b] = [low, high];
    let [atA, atB] = [value({ [name]: a }) - target, value({ [name]: b }) - target];
    if (atA * atB > 0 || atA === atB) return [];
    for (let step = 0; step < STEPS; step += 1) {
      const guess = a - (atA * (b - a)) / (atB - atA), off = value({ [name]: guess }) - target;
      if (Math.abs(off) * 1e12 < Math.abs(target) + Math.abs(off) || off === 0) return [guess];
      const middle = (a + b) / 2, there = value({ [name]: middle }) - target;
      if (there < 0 === atA < 0) [a, atA] = [middle, there];
      else [b, atB] = [middle, there];
    }
    return [(a + b) / 2];
  }

  function bill(work, approach) {
    try {
      const sums = [perDocument(work, approach, work.periods[0] ?? null), perMonth(work, approach), perYear(work, approach)];
      return { document: sums[0], month: sums[1], year: sums[2], problem: "" };
    } catch (error) {
      if (!(error instanceof Unknown)) throw error;
      return { document: null, month: null, year: null, problem: error.message };
    }
  }

  function written(exact, digits = null) {
    const value = exact * (1 + 1e-12); // a half that a double holds as a little less
    const whole = Math.abs(value) >= 1 ? String(Math.trunc(Math.abs(value))).length : 0;
    const [units, rest] = value.toFixed(digits === null ? Math.max(0, 4 - whole) : digits).split(".");
    const kept = digits === null ? (rest || "").replace(/0+$/, "") : rest || "";
    const text = units.replace(/\B(?=(\d{3})+$)/g, ",") + (kept ? `.${kept}` : "");
    return /^-[0.]*$/.test(text) ? text.slice(1) : text;
  }

  const percentage = (claim, said) => SHARES.includes(claim.of) || (claim.of === "own_figures" && said < 1);
  const figure = (claim, said, value) =>
    percentage(claim, said) ? `${written(value * 100, 1)}%` : written(value, Math.abs(value) >= 100 ? 0 : 4);

  return { bill, figure, judge, measure, written };
})();
