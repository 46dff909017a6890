// The inverters as a fleet: what they deliver together, and each of them.

import { byId, setState, setText, el } from "./dom.js";
import { model, now, section } from "./feed.js";
import { ago, clock, count, power } from "./format.js";
import { figures, sum } from "./summary.js";
import { makeTable } from "./tables.js";

const renewal = 60000;
const longestGap = 15;

let show = null;
let energy = null;
let askedAt = -Infinity;

// Power times time since midnight. Where minutes are missing for long, nothing is made up.
function energyOf(flat) {
  const midnight = new Date(now()).setHours(0, 0, 0, 0) / 60000;
  let [kilowattHours, first] = [0, null];
  for (let i = 0; i < flat.length; i += 4) {
    if (flat[i] < midnight) continue;
    first ??= flat[i];
    const next = i + 4 < flat.length ? flat[i + 4] : flat[i] + 1;
    kilowattHours += flat[i + 2] * Math.min(next - flat[i], longestGap) / 60000;
  }
  return first === null ? null : { kilowattHours, since: first * 60000, isWhole: first - midnight < longestGap };
}

async function renew() {
  askedAt = performance.now();
  try {
    const answer = await fetch("/api/history");
    if (answer.ok) energy = energyOf((await answer.json()).day.power ?? []);
  } catch {
    // The connection is lost, and the page says so; the next renewal tries again.
  }
}

function start() {
  show = makeTable(byId("fleet-table"), "Inverters, those with a fault first", [
    { title: "Inverter", show: (cell, row) => setText(cell, row.id) },
    {
      title: "State", make: () => el("span"),
      show: (cell, row) => setState(cell.firstChild, row.silent ? "bad" : row.fault ? "warn" : "ok",
        row.silent ? "Silent" : row.fault || "No fault"),
    },
    { title: "Power", class: "number", show: (cell, row) => setText(cell, power(row.power)) },
    {
      title: "Counter", class: "number wide",
      show: (cell, row) => setText(cell, row.energy === undefined ? "–" : `${count(row.energy)} kWh`),
    },
    {
      title: "Heat sink", class: "number wide",
      show: (cell, row) => setText(cell, row.temperature === undefined ? "–" : `${row.temperature.toFixed(1)} °C`),
    },
    { title: "Device", class: "wide", show: (cell, row) => setText(cell, row.device) },
    { title: "Last reading", class: "number wide", show: (cell, row) => setText(cell, ago(now() - row.last)) },
  ]);
}

export function showInverters() {
  if (!model.hasData) return;
  const all = section("inverters");
  byId("fleet").hidden = all.length === 0;
  if (all.length === 0) return;
  if (!show) start();
  if (performance.now() - askedAt > renewal) renew();
  const here = all.filter(inverter => !inverter.silent);
  const faults = here.filter(inverter => inverter.fault).length;
  figures(byId("fleet-figures"), [
    { name: "Power now", value: power(sum(here, inverter => inverter.power)) },
    {
      name: energy && !energy.isWhole ? `Energy since ${clock(energy.since)}` : "Energy today",
      value: energy ? `${energy.kilowattHours.toFixed(1)} kWh` : "–",
    },
    { name: "Report", value: `${here.length} of ${all.length}` },
    { name: "With a fault", value: count(faults) },
  ]);
  const rank = inverter => (inverter.silent ? 0 : inverter.fault ? 1 : 2);
  show(all.map(inverter => ({ key: `${inverter.device}/${inverter.id}`, ...inverter }))
    .sort((a, b) => rank(a) - rank(b) || a.key.localeCompare(b.key, "en", { numeric: true })));
}
