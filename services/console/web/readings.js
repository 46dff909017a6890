// Charts of one device: live from what the console hears, and the last 24 hours from what it keeps.

import { makeChart } from "./chart.js";
import { byId, el, keyed, setText } from "./dom.js";
import { model, now, section, sectionsOf } from "./feed.js";
import { clock, metrics } from "./format.js";

const liveLength = 300000;
const dayLength = 86400000;
const dayStep = 300000;
const renewal = 60000;

let chosen = "";
let isChosenByHand = false;
let history = null;
let renewedAt = -Infinity;
let isAsking = false;
const charts = new Map();

const isLive = () => document.querySelector("input[name=span]:checked").value === "live";

// A day has more minutes than a chart has pixels: five of them become a point, whose line is calm and whose band is whole.
function thin(points) {
  const found = [];
  for (const point of points) {
    const at = Math.floor(point.at / dayStep) * dayStep + dayStep / 2;
    const last = found[found.length - 1];
    if (last?.at !== at) found.push({ ...point, at, count: 1 });
    else {
      last.count += 1;
      last.low = Math.min(last.low, point.low);
      last.mean += (point.mean - last.mean) / last.count;
      last.high = Math.max(last.high, point.high);
    }
  }
  return found;
}

function read(content) {
  const series = {};
  for (const [metric, flat] of Object.entries(content.live)) {
    series[metric] = { live: [], day: [] };
    for (let i = 0; i < flat.length; i += 2) {
      series[metric].live.push({ at: flat[i] * 1000, low: flat[i + 1], mean: flat[i + 1], high: flat[i + 1] });
    }
  }
  for (const [metric, flat] of Object.entries(content.day)) {
    series[metric] ??= { live: [], day: [] };
    for (let i = 0; i < flat.length; i += 4) {
      series[metric].day.push({ at: flat[i] * 60000 + 30000, low: flat[i + 1], mean: flat[i + 2], high: flat[i + 3] });
    }
    series[metric].day = thin(series[metric].day);
  }
  return series;
}

async function renew() {
  if (isAsking || !chosen) return;
  isAsking = true;
  renewedAt = performance.now();
  const asked = chosen;
  try {
    const answer = await fetch(`/api/history?device=${encodeURIComponent(asked)}`);
    if (answer.ok && asked === chosen) history = read(await answer.json());
  } catch {
    // The connection is lost, and the page says so; the next renewal tries again.
  } finally {
    isAsking = false;
  }
  if (asked === chosen) draw();
  else renew();
}

// What came since the history was asked for.
function follow(device) {
  if (!history || device?.last === undefined) return;
  for (const [metric, number] of Object.entries(device.values)) {
    if (!metrics[metric]) continue;
    history[metric] ??= { live: [], day: [] };
    const { live } = history[metric];
    if (live.length && device.last - live[live.length - 1].at < 1000) continue;
    live.push({ at: device.last, low: number, mean: number, high: number });
    while (live.length && live[0].at < now() - liveLength - 10000) live.shift();
  }
}

function draw() {
  const device = section(`device/${chosen}`);
  const live = isLive();
  const until = now();
  const from = until - (live ? liveLength : dayLength);
  const shown = Object.keys(metrics).filter(metric => history?.[metric] && device?.values[metric] !== undefined);
  keyed(byId("charts"), shown, metric => `${chosen} ${metric}`, metric => {
    const chart = makeChart(metric);
    charts.set(metric, chart);
    return chart.figure;
  }, () => {});
  for (const metric of shown) {
    const points = history[metric][live ? "live" : "day"].filter(point => point.at >= from);
    charts.get(metric).show(points, from, until, live, device.values[metric]);
  }
  const days = shown.flatMap(metric => history[metric].day.slice(0, 1));
  const first = Math.min(...days.map(point => point.at));
  const kept = "From the readings that this console sees on the broker; minute values are kept on its disk for 24 hours";
  setText(byId("history"), !shown.length
    ? chosen ? "No values of this device have come over the broker yet." : "No device has reported yet."
    : first > until - dayLength + 300000 ? `${kept}, here since ${clock(first)}.` : `${kept}.`);
}

export function choose(device) {
  isChosenByHand = true;
  pick(device);
  byId("device").value = device;
  byId("readings-title").scrollIntoView({ block: "start" });
  byId("device").focus({ preventScroll: true });
}

function pick(device) {
  if (device === chosen) return;
  [chosen, history] = [device, null];
  renew();
}

let lastDraw = -Infinity;

export function showReadings() {
  if (!model.hasData) return;
  const select = byId("device");
  const all = sectionsOf("device/").filter(([, device]) => device.charted);
  const names = all.map(([name]) => name).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  keyed(select, names, name => name, name => el("option", { value: name }, name), () => {});
  // Until somebody chooses: the first that reports the most.
  if (!names.includes(chosen) || (!isChosenByHand && section(`device/${chosen}`).silent)) {
    const best = all.filter(([, device]) => !device.silent)
      .sort((a, b) => Object.keys(b[1].values).length - Object.keys(a[1].values).length || a[0].localeCompare(b[0], "en"))[0];
    pick(best?.[0] ?? names[0] ?? "");
    select.value = chosen;
  }
  if (performance.now() - renewedAt > renewal) renew();
  follow(section(`device/${chosen}`));
  // The day moves a pixel in minutes.
  if (!model.isConnected || (!isLive() && performance.now() - lastDraw < 10000)) return;
  lastDraw = performance.now();
  draw();
}

export function startReadings() {
  byId("device").addEventListener("change", event => {
    isChosenByHand = true;
    pick(event.target.value);
  });
  for (const choice of document.querySelectorAll("input[name=span]")) choice.addEventListener("change", draw);
  addEventListener("resize", draw);
}
