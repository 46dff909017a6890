// The page's connection to the console: server-sent events that hold all sections at first and then those that changed.

// The time comes every second. Without it for so long, what the page shows is not true any more.
const patience = 3500;
const longestPause = 10000;

export const model = { sections: new Map(), isConnected: false, heardAt: 0, hasData: false };

let listener = () => {};
let source = null;
let pause = 500;
let waiting = 0;

// The console's clock now, milliseconds: this machine's may be wrong.
export function now() {
  const base = model.sections.get("now");
  return base === undefined ? Date.now() : base + (performance.now() - model.heardAt);
}

export const section = name => model.sections.get(name);

// All sections whose name begins so, without the beginning.
export function sectionsOf(prefix) {
  const found = [];
  for (const [name, content] of model.sections) if (name.startsWith(prefix)) found.push([name.slice(prefix.length), content]);
  return found;
}

function hear(event) {
  const changes = JSON.parse(event.data);
  if (event.type === "all") model.sections.clear();
  for (const [name, content] of Object.entries(changes)) {
    if (content === null) model.sections.delete(name);
    else model.sections.set(name, content);
  }
  model.heardAt = performance.now();
  model.hasData = true;
  pause = 500;
  setConnected(true);
  listener();
}

function setConnected(isConnected) {
  if (model.isConnected === isConnected) return;
  model.isConnected = isConnected;
  if (!isConnected) listener();
}

function connect() {
  clearTimeout(waiting);
  source?.close();
  source = new EventSource("/events");
  source.addEventListener("all", hear);
  source.addEventListener("change", hear);
  source.addEventListener("error", () => {
    source.close();
    setConnected(false);
    // With chance in it: not all pages of a house at once.
    waiting = setTimeout(connect, pause * (0.75 + Math.random() / 2));
    pause = Math.min(pause * 2, longestPause);
  });
}

export function start(onChange) {
  listener = onChange;
  connect();
  setInterval(() => {
    if (model.isConnected && performance.now() - model.heardAt > patience) {
      setConnected(false);
      connect();
    }
  }, 500);
  // A phone that wakes up does not wait for the next attempt.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !model.isConnected) connect();
  });
}
