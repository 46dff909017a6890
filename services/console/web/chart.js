// One value over time as a small picture: a line of means, a band from least to greatest, and a cursor for mouse, touch and keyboard.

import { el, setAttribute, setText, svg } from "./dom.js";
import { clock, metrics, value } from "./format.js";

const height = 168;
const inset = { left: 52, right: 10, top: 10, bottom: 24 };

// Round steps between which the scale reads well.
function ticks(low, high, wanted) {
  const raw = (high - low) / wanted || 1;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map(factor => factor * size).find(candidate => candidate >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(Math.abs(at) < step / 1e6 ? 0 : at);
  return { found, step };
}

function tickLabel(number, step) {
  const digits = Math.min(3, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9), Number.isInteger(step) ? 0 : 1));
  return number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function timeTicks(from, until, width) {
  const minute = 60000;
  const most = Math.max(2, Math.floor(width / 60));
  const step = [1, 2, 5, 10, 30, 60, 120, 180, 240, 360, 720].map(minutes => minutes * minute)
    .find(candidate => (until - from) / candidate <= most) ?? 720 * minute;
  const offset = new Date(from).getTimezoneOffset() * minute;
  const found = [];
  for (let at = Math.ceil((from - offset) / step) * step + offset; at <= until; at += step) found.push(at);
  return found;
}

// Points are { at, low, mean, high }, in order of time. A gap longer than this breaks the line.
function paths(points, x, y, gap) {
  let line = "";
  let band = "";
  let back = "";
  let before = -Infinity;
  for (const point of points) {
    const [px, py] = [x(point.at).toFixed(1), y(point.mean).toFixed(1)];
    const isNew = point.at - before > gap;
    if (isNew && back) band += `${back}Z`;
    if (isNew) back = "";
    line += `${isNew ? "M" : "L"}${px} ${py}`;
    band += `${isNew ? "M" : "L"}${px} ${y(point.high).toFixed(1)}`;
    back = `L${px} ${y(point.low).toFixed(1)}${back}`;
    before = point.at;
  }
  return { line, band: back ? `${band}${back}Z` : band };
}

export function makeChart(metric) {
  const figure = el("figure", { class: "card chart" });
  const latest = el("strong");
  const caption = el("figcaption", {}, el("span", { class: "name" }, metrics[metric].name), latest);
  const grid = svg("g", { class: "grid" });
  const band = svg("path", { class: "band" });
  const line = svg("path", { class: "line" });
  const cursor = svg("g", { class: "cursor", visibility: "hidden" },
    svg("line", { y1: inset.top, y2: height - inset.bottom }), svg("circle", { r: 4 }));
  const picture = svg("svg", { height, "aria-hidden": "true", focusable: "false" }, grid, band, line, cursor);
  const plot = el("div", { class: "plot", role: "slider", tabindex: "0" }, picture);
  const note = el("p", { class: "quiet" });
  figure.append(caption, plot, note);
  const chart = { figure, metric, points: [], chosen: -1, x: null, y: null, summary: "" };

  function told(point, isLive) {
    const spread = isLive || point.low === point.high ? "" : `, from ${value(metric, point.low)} to ${value(metric, point.high)}`;
    return `${clock(point.at, isLive)}: ${value(metric, point.mean)}${spread}`;
  }

  function choose(index) {
    chart.chosen = Math.max(-1, Math.min(chart.points.length - 1, index));
    const point = chart.points[chart.chosen];
    if (!point) {
      cursor.setAttribute("visibility", "hidden");
      setText(note, chart.summary);
      return;
    }
    cursor.setAttribute("visibility", "visible");
    cursor.firstChild.setAttribute("x1", chart.x(point.at));
    cursor.firstChild.setAttribute("x2", chart.x(point.at));
    cursor.lastChild.setAttribute("cx", chart.x(point.at));
    cursor.lastChild.setAttribute("cy", chart.y(point.mean));
    setText(note, told(point, chart.isLive));
    setAttribute(plot, "aria-valuenow", String(chart.chosen));
    setAttribute(plot, "aria-valuetext", told(point, chart.isLive));
  }

  plot.addEventListener("keydown", event => {
    const last = chart.points.length - 1;
    const from = chart.chosen < 0 ? last : chart.chosen;
    const big = Math.max(1, Math.round(chart.points.length / 12));
    const to = { ArrowLeft: from - 1, ArrowRight: from + 1, PageDown: from - big, PageUp: from + big, Home: 0, End: last,
      ArrowDown: from - 1, ArrowUp: from + 1 }[event.key];
    if (event.key === "Escape") choose(-1);
    if (to === undefined) return;
    event.preventDefault();
    choose(Math.max(0, to));
  });
  plot.addEventListener("blur", () => choose(-1));
  plot.addEventListener("pointerleave", () => choose(-1));
  plot.addEventListener("pointermove", event => {
    if (!chart.points.length) return;
    const wanted = event.clientX - plot.getBoundingClientRect().left;
    let best = 0;
    chart.points.forEach((point, i) => {
      if (Math.abs(chart.x(point.at) - wanted) < Math.abs(chart.x(chart.points[best].at) - wanted)) best = i;
    });
    choose(best);
  });

  // Shows points between two times. `latestValue` is the newest value, which may be younger than the last point.
  chart.show = (points, from, until, isLive, latestValue) => {
    const width = Math.max(160, plot.clientWidth);
    const lowest = points.reduce((best, point) => (point.low < (best?.low ?? Infinity) ? point : best), null);
    const highest = points.reduce((best, point) => (point.high > (best?.high ?? -Infinity) ? point : best), null);
    setText(latest, value(metric, latestValue));
    chart.summary = lowest
      ? `lowest ${value(metric, lowest.low)} at ${clock(lowest.at)} · highest ${value(metric, highest.high)} at ${clock(highest.at)}`
      : "nothing in this time";
    let [low, high] = lowest ? [lowest.low, highest.high] : [0, 1];
    // A quiet value keeps a flat line: its noise is no drama.
    const least = 4 * 10 ** -metrics[metric].digits;
    if (high - low < least) [low, high] = [(low + high) / 2 - least / 2, (low + high) / 2 + least / 2];
    const room = (high - low) * 0.08;
    [low, high] = [low >= 0 ? Math.max(0, low - room) : low - room, high + room];
    chart.x = at => inset.left + (at - from) / (until - from) * (width - inset.left - inset.right);
    chart.y = number => height - inset.bottom - (number - low) / (high - low) * (height - inset.top - inset.bottom);
    Object.assign(chart, { points, isLive });
    picture.setAttribute("width", width);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const scale = ticks(low, high, 4);
    grid.replaceChildren(
      ...scale.found.flatMap(at => [
        svg("line", { x1: inset.left, x2: width - inset.right, y1: chart.y(at), y2: chart.y(at) }),
        svg("text", { x: inset.left - 8, y: chart.y(at) + 4, "text-anchor": "end" }, tickLabel(at, scale.step)),
      ]),
      ...timeTicks(from, until, width - inset.left).filter(at => chart.x(at) < width - 16)
        .map(at => svg("text", { x: chart.x(at), y: height - 6, "text-anchor": "middle" }, clock(at))));
    const drawn = paths(points, chart.x, chart.y, isLive ? 30000 : 900000);
    line.setAttribute("d", drawn.line);
    band.setAttribute("d", isLive ? "" : drawn.band);
    const name = `${metrics[metric].name}, last ${isLive ? "5 minutes" : "24 hours"}`;
    setAttribute(plot, "aria-label", name);
    setAttribute(plot, "aria-valuemin", "0");
    setAttribute(plot, "aria-valuemax", String(Math.max(0, points.length - 1)));
    if (chart.chosen >= 0) choose(chart.chosen);
    else {
      setText(note, chart.summary);
      setAttribute(plot, "aria-valuenow", String(Math.max(0, points.length - 1)));
      setAttribute(plot, "aria-valuetext", `now ${value(metric, latestValue)}; ${chart.summary}`);
    }
  };
  return chart;
}
