// The newest dead letters of each forwarder. They are fetched while somebody looks at them, and again when their number changes.

import { isUnlocked, names, send } from "./control.js";
import { byId, el, keyed, setState, setText } from "./dom.js";
import { model, now, section } from "./feed.js";
import { count, moment, plural } from "./format.js";
import { answering, forwarders } from "./summary.js";

const firstRows = 5;

// Letters that were replayed and could not be taken again are as many as before, and others.
const pause = 2000, longestPause = 10000;

const origins = {
  unread: ["warn", "Could not be read"], refused: ["bad", "Refused"], unloaded: ["bad", "File not loaded"],
};

// Of each service: its letters as fetched, for which number of them, and when.
const shelves = new Map();

const shelfOf = service => {
  if (!shelves.has(service)) shelves.set(service, { letters: [], problem: "", number: -1, askedAt: -pause, isAsking: false, isLong: false });
  return shelves.get(service);
};

async function fetchLetters(service, number) {
  const shelf = shelfOf(service);
  shelf.isAsking = true;
  shelf.askedAt = performance.now();
  try {
    const answer = await fetch(`/api/letters?service=${encodeURIComponent(service)}`);
    const found = await answer.json();
    shelf.problem = answer.ok ? "" : found.message;
    if (answer.ok) [shelf.letters, shelf.number] = [found, number];
  } catch {
    shelf.problem = "The console did not answer; they are asked for again.";
  }
  shelf.isAsking = false;
  showLetters();
}

async function replay(service, letter) {
  if (!await send("replay", letter ? { service, id: letter.id } : { service }, byId("letters-answer"))) return;
  const shelf = shelfOf(service);
  shelf.letters = letter ? shelf.letters.filter(other => other.id !== letter.id) : shelf.letters.filter(other => other.origin === "unloaded");
  shelf.number = -1;
  showLetters();
}

const when = letter => moment(letter.at, now());

function makeLetter(service, letter) {
  const button = letter.origin === "unloaded" ? null : el("button", {
    type: "button", "aria-label": `Replay the dead letter of ${letter.from}, ${when(letter)}`,
    on: { click: () => replay(service, letter) },
  }, "Replay");
  return el("li", { class: "card letter" },
    el("p", { class: "where" }, el("span"), el("span", { class: "quiet" })),
    el("p", { class: "what" }, letter.reason),
    el("div", { class: "line" }, el("code", { class: "quiet name" }, letter.id), button));
}

function showLetter(node, letter) {
  const where = node.firstChild;
  setState(where.firstChild, ...(origins[letter.origin] ?? ["warn", letter.origin]));
  const readings = letter.readings ? `, ${plural(letter.readings, "reading", "readings")}` : "";
  setText(where.lastChild, `${letter.from}${readings} · ${when(letter)}`);
  for (const button of node.querySelectorAll("button")) button.disabled = !isUnlocked();
}

function makeShelf({ service }) {
  const name = names[service] ?? service;
  const all = el("button", { type: "button", "aria-label": `Replay all dead letters of the ${name}`, on: { click: () => replay(service) } },
    "Replay all");
  const more = el("button", {
    type: "button", on: {
      click: () => {
        shelfOf(service).isLong = !shelfOf(service).isLong;
        showLetters();
      },
    },
  });
  return el("details", { on: { toggle: showLetters } },
    el("summary"), el("p", { class: "quiet", hidden: true }), el("ul", { class: "problems" }), el("div", { class: "line more" }, more, all));
}

function showShelf(node, { service, number }) {
  const shelf = shelfOf(service);
  const [summary, note, list, line] = node.children;
  setText(summary, `${names[service] ?? service}: ${plural(number, "dead letter", "dead letters")}`);
  if (!node.open) return;
  const rest = performance.now() - shelf.askedAt;
  if (model.isConnected && !shelf.isAsking && rest >= (shelf.number === number ? longestPause : pause)) fetchLetters(service, number);
  setText(note, shelf.problem);
  note.hidden = !shelf.problem;
  keyed(list, shelf.isLong ? shelf.letters : shelf.letters.slice(0, firstRows), letter => letter.id,
    letter => makeLetter(service, letter), showLetter);
  const [more, all] = line.children;
  more.hidden = shelf.letters.length <= firstRows;
  setText(more, shelf.isLong ? "Show fewer" : `Show the newest ${count(shelf.letters.length)}`);
  more.setAttribute("aria-expanded", String(shelf.isLong));
  all.disabled = !isUnlocked();
  all.hidden = shelf.letters.every(letter => letter.origin === "unloaded");
}

export function showLetters() {
  if (!model.hasData) return;
  // Replicas of a service share a volume, and with it the letters.
  const found = new Map();
  for (const replica of forwarders().filter(answering)) {
    found.set(replica.service, Math.max(found.get(replica.service) ?? 0, replica.letters ?? 0));
  }
  const rank = ({ service }) => section("services")?.indexOf(service) ?? 0;
  const items = [...found].map(([service, number]) => ({ service, number })).filter(({ number }) => number > 0)
    .sort((a, b) => rank(a) - rank(b));
  byId("letters-section").hidden = items.length === 0;
  byId("letters-locked").hidden = isUnlocked();
  keyed(byId("letters"), items, ({ service }) => service, makeShelf, showShelf);
}
