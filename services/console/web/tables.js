// The devices and the services as tables.

import { byId, el, keyed, setState, setText } from "./dom.js";
import { model, now, section, sectionsOf } from "./feed.js";
import { ago, count, dollars, metrics, rate, span, value } from "./format.js";
import { answering, costs, replicas } from "./summary.js";
import { choose } from "./readings.js";

const firstRows = 12;

// A table that scrolls sideways where it must, and shows all its rows when asked to.
export function makeTable(host, caption, columns) {
  const body = el("tbody");
  const more = el("button", { type: "button", class: "more", hidden: true });
  const table = el("table", {},
    el("caption", { class: "unseen" }, caption),
    el("thead", {}, el("tr", {}, columns.map(column => el("th", { scope: "col", class: column.class }, column.title)))),
    body);
  const frame = el("div", { class: "frame", role: "region", "aria-label": caption, tabindex: "0" }, table);
  host.replaceChildren(frame, more);
  let isOpen = false;
  let all = [];
  const show = () => {
    const rows = isOpen ? all : all.slice(0, firstRows);
    keyed(body, rows, row => row.key,
      row => el("tr", {}, columns.map((column, i) =>
        el(i ? "td" : "th", { class: column.class, scope: i ? null : "row" }, column.make?.(row)))),
      (node, row) => columns.forEach((column, i) => column.show(node.children[i], row)));
    more.hidden = all.length <= firstRows;
    setText(more, isOpen ? "Show fewer" : `Show all ${all.length}`);
    more.setAttribute("aria-expanded", String(isOpen));
  };
  more.addEventListener("click", () => {
    isOpen = !isOpen;
    show();
  });
  return rows => {
    all = rows;
    show();
  };
}

const text = pick => (cell, row) => setText(cell, pick(row));

const state = pick => (cell, row) => setState(cell.firstChild, ...pick(row));

const mark = () => el("span");

let devices = null;
let services = null;

function startTables() {
  const reading = (metric, title) => ({
    title: title ?? metrics[metric].name, class: "number wide", show: text(row => value(metric, row.values[metric])),
  });
  devices = makeTable(byId("devices"), "Devices, silent ones first", [
    {
      title: "Device",
      make: row => (row.charted
        ? el("button", { type: "button", class: "link", title: "Show its charts", on: { click: () => choose(row.key) } }, row.key)
        : el("span", {}, row.key)),
      show: () => {},
    },
    { title: "State", make: mark, show: state(row => (row.silent ? ["bad", "Silent"] : ["ok", "Reports"])) },
    { title: "Last reading", class: "number", show: text(row => (row.last === undefined ? "–" : ago(now() - row.last))) },
    reading("temperature"), reading("humidity"), reading("co2"), reading("power"),
    {
      title: "Remarks", class: "wide quiet",
      show: text(row => (row.charted ? row.quality.replaceAll(",", ", ") : "by a mapping: values are not charted")),
    },
  ]);
  services = makeTable(byId("services"), "Replicas, one a row", [
    { title: "Service", show: text(row => row.service) },
    { title: "Replica", class: "wide", show: text(row => row.name) },
    { title: "State", make: mark, show: state(stateOf) },
    { title: "Readings/s", class: "number wide", show: text(row => (answering(row) ? rate(row.rate) : "–")) },
    { title: "Waiting", class: "number", show: text(row => (answering(row) ? count(row.backlog ?? 0) : "–")) },
    { title: "Oldest waits", class: "number", show: text(row => (answering(row) && row.lag !== undefined ? span(row.lag) : "–")) },
    { title: "Dead letters", class: "number wide", show: text(row => (row.letters === undefined ? "–" : count(row.letters))) },
    { title: "Errors", class: "number wide", show: text(row => (row.errors === undefined ? "–" : count(row.errors))) },
    { title: "Version", class: "wide quiet", show: text(row => row.version ?? "–") },
  ]);
}

function stateOf(row) {
  if (row.presence === "gone") return ["bad", "Gone"];
  if (row.presence === "silent") return ["bad", "Does not answer"];
  if (row.paused) return ["warn", "Paused"];
  if (!row.well) return ["warn", "Has a problem"];
  return row.clockWaits ? ["warn", "Waits for the clock"] : ["ok", "Works"];
}

export function showTables() {
  if (!model.hasData) return;
  if (!devices) startTables();
  const order = (a, b) => Number(b.silent) - Number(a.silent) || a.key.localeCompare(b.key, "en", { numeric: true });
  devices(sectionsOf("device/").map(([key, device]) => ({ key, ...device })).sort(order));
  const rank = row => section("services").indexOf(row.service);
  services(replicas().map(replica => ({ key: `${replica.service}/${replica.name}`, ...replica }))
    .sort((a, b) => rank(a) - rank(b) || a.key.localeCompare(b.key, "en", { numeric: true })));
  showCost();
}

const roads = { "snowpipe-forwarder": "Snowpipe Streaming", "s3-forwarder": "Files through S3" };

function showCost() {
  const found = [...costs()];
  if (!found.length) {
    if (!byId("cost").firstChild) byId("cost").append(el("p", { class: "card quiet" }, "Known once something was delivered."));
    return;
  }
  if (byId("cost").firstChild?.matches("p")) byId("cost").replaceChildren();
  keyed(byId("cost"), found, ([service]) => service,
    ([service]) => el("div", { class: "card" },
      el("h3", {}, roads[service] ?? service), el("p", { class: "big" }), el("p", { class: "quiet" })),
    (node, [, cost]) => {
      setText(node.children[1], dollars(cost.usd));
      const counted = cost.days < 1 ? "less than a day" : `${count(cost.days)} days`;
      setText(node.children[2],
        `${cost.credits.toFixed(4)} credits. Counted over ${counted}; the other road would be ${dollars(cost.other)}.`);
    });
}
