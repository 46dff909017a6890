// What changes something. It needs the token, which this tab keeps until it is closed and sends with each command, never otherwise.

import { byId, el, keyed, setText } from "./dom.js";
import { model, section } from "./feed.js";
import { showLetters } from "./letters.js";
import { answering, replicas } from "./summary.js";

const place = "thermal-streaming-token";

let token = sessionStorage.getItem(place) ?? "";

function say(line, message, isBad) {
  line.className = isBad ? "answer bad" : "answer";
  setText(line, message);
}

// Says in a line what became of it. True if it was done.
export async function send(command, body, line = byId("control-answer"), withToken = token) {
  try {
    const answer = await fetch(`/api/${command}`, {
      method: "POST", body: JSON.stringify(body),
      headers: { "content-type": "application/json", authorization: `Bearer ${withToken}` },
    });
    const { message } = await answer.json();
    say(line, message, !answer.ok);
    if (answer.status === 401) keep("");
    return answer.ok;
  } catch {
    say(line, "The console did not answer. It is not known whether the command took effect; look at the page once it is connected.", true);
    return false;
  }
}

function keep(value) {
  token = value;
  if (value) sessionStorage.setItem(place, value);
  else sessionStorage.removeItem(place);
  byId("token-forget").hidden = !value;
  byId("token-use").hidden = Boolean(value);
  byId("token").value = "";
  byId("token").disabled = Boolean(value);
  showControl();
  showLetters();
}

// What changes something can be pressed.
export const isUnlocked = () => Boolean(token) && model.isConnected;

export const names = { "snowpipe-forwarder": "Snowpipe forwarder", "s3-forwarder": "S3 forwarder" };

function makeForwarder(item) {
  const command = (title, name) => el("button", { type: "button", on: { click: () => send(name, { service: item.service }) } }, title);
  return el("div", { class: "line", role: "group", "aria-label": names[item.service] ?? item.service },
    el("span", { class: "name" }, names[item.service] ?? item.service),
    command("Pause", "pause"), command("Resume", "resume"), command("Deliver now", "flush"), command("Replay all dead letters", "replay"));
}

function makeAgent(item) {
  const id = `interval-${item.name}`;
  const input = el("input", { id, type: "number", min: "0.1", max: "86400", step: "any", inputmode: "decimal", required: true });
  const form = el("form", {
    class: "line",
    on: {
      submit: event => {
        event.preventDefault();
        send("sampling", { service: item.service, name: item.name, interval: input.valueAsNumber });
      },
    },
  }, el("label", { for: id, class: "name" }, `Seconds between batches of ${item.device || item.name}`), input,
  el("button", { type: "submit" }, "Set"));
  return form;
}

export function showControl() {
  const items = [];
  for (const replica of replicas().filter(answering)) {
    if (replica.service === "sensor-agent") items.push({ key: replica.name, ...replica });
    else if (!items.some(item => item.key === replica.service)) items.push({ key: replica.service, ...replica });
  }
  const rank = item => section("services")?.indexOf(item.service) ?? 0;
  items.sort((a, b) => rank(a) - rank(b));
  keyed(byId("controls"), model.hasData ? items : [], item => item.key,
    item => (item.service === "sensor-agent" ? makeAgent(item) : makeForwarder(item)),
    (node, item) => {
      const input = node.querySelector("input");
      if (input) {
        if (item.interval === undefined) node.hidden = true;
        else if (!input.value && document.activeElement !== input) input.value = item.interval;
      }
      for (const part of node.querySelectorAll("button, input")) part.disabled = !isUnlocked();
    });
}

export function startControl() {
  byId("token-form").addEventListener("submit", async event => {
    event.preventDefault();
    const entered = byId("token").value.trim();
    if (entered && await send("token", {}, byId("control-answer"), entered)) keep(entered);
  });
  byId("token-forget").addEventListener("click", () => {
    keep("");
    say(byId("control-answer"), "Locked.", false);
    byId("token").focus();
  });
  keep(token);
}
