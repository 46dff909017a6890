// Making and changing elements. Text only ever becomes text nodes: nothing that a device says can become markup.

const svgNamespace = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, handler] of Object.entries(value)) node.addEventListener(event, handler);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter(child => child !== null && child !== undefined));
  return node;
}

export const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(svgNamespace, tag), attributes, children);

export const byId = id => document.getElementById(id);

// Setting the same text again would make screen readers and the layout work for nothing.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// Makes the children of a node follow a list, keeping those elements that stay: focus and selection survive.
export function keyed(parent, items, key, make, update) {
  const old = parent.keyedChildren ?? new Map();
  const fresh = new Map();
  let place = parent.firstChild;
  for (const item of items) {
    const id = key(item);
    let node = old.get(id);
    if (!node) node = make(item);
    fresh.set(id, node);
    update(node, item);
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
  for (const [id, node] of old) if (!fresh.has(id)) node.remove();
  parent.keyedChildren = fresh;
}

// States have a shape and a word besides their colour.
const shapes = {
  ok: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z",
  warn: "M8 1.2 15.2 14H.8z",
  bad: "M2 2h12v12H2z",
  idle: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13zm0 2a4.5 4.5 0 1 1 0 9a4.5 4.5 0 0 1 0-9z",
};

export function shape(state) {
  return svg("svg", { class: `shape ${state}`, viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: shapes[state], "fill-rule": "evenodd" }));
}

export const shapePath = state => shapes[state];

// A shape and its word, changed only when they differ.
export function setState(node, state, word) {
  if (node.dataset.state === `${state} ${word}`) return;
  node.dataset.state = `${state} ${word}`;
  node.className = `state ${state}`;
  node.replaceChildren(shape(state), el("span", {}, word));
}
