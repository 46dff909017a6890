// The first lines: how it is, in a sentence, and the figures that are asked for first.

import { byId, el, keyed, setText, shape } from "./dom.js";
import { ago, clock, count, dollars, plural, rate, span } from "./format.js";
import { model, now, section, sectionsOf } from "./feed.js";

export const replicas = () => sectionsOf("replica/").map(([, replica]) => replica);

export const forwarders = () => replicas().filter(replica => replica.service !== "sensor-agent");

export const answering = replica => replica.presence === "answering";

export const sum = (items, pick) => items.reduce((total, item) => total + (pick(item) ?? 0), 0);

// Replicas of a service share a volume, and with it the count of what was sent.
export function costs() {
  const found = new Map();
  for (const replica of forwarders()) {
    const known = found.get(replica.service);
    if (replica.cost && (!known || replica.cost.usd > known.usd)) found.set(replica.service, replica.cost);
  }
  return found;
}

export function figures(list, items) {
  keyed(list, items, item => item.name, item => el("div", {}, el("dt", {}, item.name), el("dd")), (node, item) => {
    setText(node.lastChild, item.value);
    node.lastChild.className = item.isQuiet ? "quiet" : "";
  });
}

export function overall() {
  if (!model.hasData) return { state: "idle", title: "Connecting…" };
  if (!model.isConnected) return { state: "bad", title: "Connection lost" };
  const current = section("problems").filter(problem => problem.until === undefined);
  const urgent = current.filter(problem => problem.urgent).length;
  if (urgent > 0) return { state: "bad", title: plural(urgent, "problem", "problems") };
  if (current.length > 0) return { state: "warn", title: `Working, with ${plural(current.length, "remark", "remarks")}` };
  return { state: "ok", title: "Everything is well" };
}

let spoken = "";
let speaking = 0;

// A screen reader hears of a state once it has lasted for two seconds, and of nothing else.
function announce(text) {
  if (text === spoken) return;
  spoken = text;
  clearTimeout(speaking);
  speaking = setTimeout(() => setText(byId("announcement"), text), 2000);
}

export function showSummary() {
  const { state, title } = overall();
  const heading = byId("summary-title");
  if (heading.dataset.state !== state + title) {
    heading.dataset.state = state + title;
    heading.className = `verdict ${state}`;
    heading.replaceChildren(shape(state), el("span", {}, title));
    document.title = state === "ok" ? "Thermal Streaming" : `${title} – Thermal Streaming`;
  }
  announce(title);
  const connection = byId("connection");
  connection.classList.toggle("lost", model.hasData && !model.isConnected);
  document.body.classList.toggle("stale", model.hasData && !model.isConnected);
  if (!model.hasData) {
    setText(byId("summary-text"), "The console has not answered yet.");
    return;
  }
  if (!model.isConnected) {
    setText(connection, "Not connected");
    setText(byId("summary-text"), `What is below is from ${clock(section("now"), true)}. `
      + "The page connects again by itself; if it does not, see docker compose ps console.");
    return;
  }
  setText(connection, `Live · ${clock(now(), true)}`);
  const all = forwarders().filter(answering);
  const delivered = sum(all, replica => replica.rate);
  const waiting = sum(replicas().filter(answering), replica => replica.backlog);
  const lags = replicas().filter(answering).map(replica => replica.lag).filter(lag => lag !== undefined);
  const first = section("problems").find(problem => problem.until === undefined);
  setText(byId("summary-text"), first
    ? `${first.where}: ${first.what}`
    : `${rate(delivered)} readings a second are delivered; ${waiting ? `${count(waiting)} are on their way` : "nothing waits"}.`);
  const devices = sectionsOf("device/");
  const fresh = devices.filter(([, device]) => !device.silent).length;
  const cost = [...costs().values()];
  figures(byId("summary-figures"), [
    { name: "Delivered", value: `${rate(delivered)} /s` },
    { name: "Readings waiting", value: count(waiting) },
    { name: "Oldest waits", value: lags.length ? span(Math.max(...lags)) : "none", isQuiet: !lags.length },
    { name: "Devices that report", value: `${count(fresh)} of ${count(devices.length)}` },
    { name: "Cost a day", value: cost.length ? dollars(sum(cost, item => item.usd)) : "not known yet", isQuiet: !cost.length },
  ]);
  const seen = section("since");
  setText(byId("foot"), `This console has run since ${clock(seen)} (${ago(now() - seen)}). Times are those of your clock's zone.`);
}
