// The pipeline as a picture: the data's way, with what flows and what waits. Drawn for the width that there is, so text never shrinks.

import { byId, setText, shapePath, svg } from "./dom.js";
import { count, plural, rate, span } from "./format.js";
import { model, section, sectionsOf } from "./feed.js";
import { answering, replicas, sum } from "./summary.js";

const height = 124;
const narrow = 860;

// Of one stage that has replicas: how many answer, and what they say together.
function ofReplicas(service) {
  const all = replicas().filter(replica => replica.service === service);
  const here = all.filter(answering);
  if (all.length === 0) return { here, state: "bad", word: "Not running" };
  if (here.length < all.length) {
    const missing = all.length - here.length;
    return { here, state: here.length ? "warn" : "bad", word: here.length ? `${missing} of ${all.length} missing` : "Does not answer" };
  }
  if (here.some(replica => replica.paused)) return { here, state: "warn", word: "Paused" };
  if (here.some(replica => replica.well === false)) return { here, state: "warn", word: "Has a problem" };
  if (here.some(replica => replica.clockWaits)) return { here, state: "warn", word: "Waits for the clock" };
  return { here, state: "ok", word: all.length > 1 ? `All ${all.length} work` : "Works" };
}

function forwarder(service, title) {
  const { here, state, word } = ofReplicas(service);
  const lags = here.map(replica => replica.lag).filter(lag => lag !== undefined);
  const waiting = sum(here, replica => replica.backlog);
  return {
    id: service, title, state, word, flow: sum(here, replica => replica.rate), unit: "readings/s",
    detail: here.length === 0 ? "" : waiting ? `${count(waiting)} wait, ${span(Math.max(0, ...lags))}` : "nothing waits",
  };
}

function destination(service, title) {
  const here = replicas().filter(replica => replica.service === service && answering(replica));
  const refused = here.some(replica => replica.unwell?.some(part => part.startsWith("delivery") || part.startsWith("sink")));
  const isStopped = here.length > 0 && here.every(replica => replica.paused);
  const committed = sum(here, replica => replica.committed);
  return {
    id: `${service}-destination`, title, flow: committed, isTotal: true, unit: "",
    detail: here.length ? "readings confirmed" : "",
    state: here.length === 0 ? "idle" : refused ? "bad" : isStopped ? "idle" : "ok",
    word: here.length === 0 ? "Not known" : refused ? "Refuses readings" : isStopped ? "Waits: paused" : "Takes readings",
  };
}

function stages(isNarrow) {
  const agent = ofReplicas("sensor-agent");
  const broker = section("broker");
  const devices = sectionsOf("device/");
  const silent = devices.filter(([, device]) => device.silent).length;
  const sensors = sum(agent.here, replica => replica.sensors);
  const well = sum(agent.here, replica => replica.sensorsWell);
  const waiting = sum(agent.here, replica => replica.backlog);
  return {
    line: [
      {
        id: "sensors", title: "Devices", flow: devices.length - silent, isTotal: true, unit: "report",
        detail: sensors ? `${well} of ${plural(sensors, "sensor", "sensors")} well` : "",
        state: well < sensors ? "warn" : silent ? "warn" : devices.length ? "ok" : "idle",
        word: well < sensors ? "Sensor problem" : silent ? `${count(silent)} silent` : devices.length ? "All report" : "None yet",
      },
      {
        id: "agent", title: "Agent", flow: sum(agent.here, replica => replica.rate), unit: "readings/s",
        state: agent.state, word: agent.word,
        detail: agent.here.length === 0 ? "" : waiting ? `${count(waiting)} wait on disk` : "nothing waits",
      },
      {
        id: "broker", title: "Broker", flow: broker.rate, unit: "readings/s", detail: "from all devices",
        state: broker.connected ? "ok" : "bad", word: broker.connected ? "Works" : "Not reached",
      },
    ],
    roads: [
      [forwarder("snowpipe-forwarder", isNarrow ? "To Snowflake" : "Snowpipe forwarder"),
        destination("snowpipe-forwarder", "Snowflake table")],
      [forwarder("s3-forwarder", isNarrow ? "To S3" : "S3 forwarder"), destination("s3-forwarder", "S3 bucket")],
    ].filter(([stage]) => section("services").includes(stage.id)),
  };
}

function box(x, y, width) {
  const parts = {
    title: svg("text", { x: x + 16, y: y + 26, class: "title" }),
    number: svg("tspan", { class: "number" }),
    unit: svg("tspan", { class: "unit", dx: 5 }),
    detail: svg("text", { x: x + 16, y: y + 80, class: "detail" }),
    mark: svg("path", { transform: `translate(${x + 16} ${y + 94}) scale(0.875)`, "fill-rule": "evenodd" }),
    word: svg("text", { x: x + 37, y: y + 106, class: "word" }),
  };
  parts.node = svg("g", {},
    svg("rect", { x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1, rx: 12, class: "box" }),
    parts.title, svg("text", { x: x + 16, y: y + 57 }, parts.number, parts.unit), parts.detail, parts.mark, parts.word);
  return parts;
}

function arrow(d) {
  return svg("g", { class: "way" }, svg("path", { d, class: "pipe" }), svg("path", { d, class: "flow" }));
}

// Where everything is; only the text changes until the width does.
function draw(width, { line, roads }) {
  const boxes = new Map();
  const ways = new Map();
  const picture = svg("svg", { role: "img", width, class: "picture" });
  const isWide = width >= narrow;
  const gap = isWide ? Math.min(48, width * 0.035) : 28;
  const step = isWide ? (width - 4 * gap) / 5 : (width - 14) / 2;
  const rows = isWide ? Math.max(roads.length, 1) : line.length + 2;
  const whole = rows * height + (rows - 1) * (isWide ? 24 : gap);
  picture.setAttribute("height", whole);
  picture.setAttribute("viewBox", `0 0 ${width} ${whole}`);
  const middle = (whole - height) / 2;
  const place = (stage, x, y, size) => {
    const made = box(x, y, size);
    boxes.set(stage.id, made);
    picture.append(made.node);
  };
  const connect = (stage, d) => {
    const made = arrow(d);
    ways.set(stage.id, made);
    picture.prepend(made);
  };
  line.forEach((stage, i) => {
    if (isWide) {
      place(stage, i * (step + gap), middle, step);
      if (i > 0) connect(stage, `M${i * (step + gap) - gap} ${middle + height / 2}h${gap}`);
    } else {
      place(stage, 0, i * (height + gap), width);
      if (i > 0) connect(stage, `M${width / 2} ${i * (height + gap) - gap}v${gap}`);
    }
  });
  roads.forEach(([stage, end], row) => {
    if (isWide) {
      const [y, x] = [roads.length === 1 ? middle : row * (height + 24), 3 * (step + gap)];
      place(stage, x, y, step);
      place(end, x + step + gap, y, step);
      const turn = y + height / 2 - whole / 2;
      connect(stage, `M${x - gap} ${whole / 2}c${gap * 0.6} 0 ${gap * 0.4} ${turn} ${gap} ${turn}`);
      connect(end, `M${x + step} ${y + height / 2}h${gap}`);
    } else {
      const [y, x] = [line.length * (height + gap), row * (step + 14)];
      place(stage, x, y, step);
      place(end, x, y + height + gap, step);
      connect(stage, `M${x + step / 2} ${y - gap}v${gap}`);
      connect(end, `M${x + step / 2} ${y + height}v${gap}`);
    }
  });
  return { picture, boxes, ways, width, roads: roads.length };
}

let drawn = null;

export function showPipeline() {
  if (!model.hasData) return;
  const host = byId("pipeline");
  const width = Math.floor(host.clientWidth);
  // A page that is not laid out yet has no width.
  if (width < 200) return;
  const all = stages(width < narrow);
  if (!drawn || drawn.width !== width || drawn.roads !== all.roads.length) {
    drawn = draw(width, all);
    host.replaceChildren(drawn.picture);
  }
  const every = [...all.line, ...all.roads.flat()];
  for (const stage of every) {
    const parts = drawn.boxes.get(stage.id);
    setText(parts.title, stage.title);
    setText(parts.number, stage.isTotal ? count(stage.flow) : rate(stage.flow));
    setText(parts.unit, stage.unit);
    setText(parts.detail, stage.detail);
    setText(parts.word, stage.word);
    parts.mark.setAttribute("d", shapePath(stage.state));
    parts.node.setAttribute("class", `stage ${stage.state}`);
  }
  const moves = new Map(every.map(stage => [stage.id, !stage.isTotal && stage.flow > 0 && model.isConnected]));
  for (const [road] of all.roads) moves.set(`${road.id}-destination`, moves.get(road.id));
  for (const [id, way] of drawn.ways) way.setAttribute("class", moves.get(id) ? "way moves" : "way");
  const told = every.map(stage => {
    const flow = `${stage.isTotal ? count(stage.flow) : rate(stage.flow)} ${stage.unit}`.trimEnd();
    return `${stage.title}: ${stage.word}, ${flow}${stage.detail ? `, ${stage.detail}` : ""}.`;
  }).join(" ");
  drawn.picture.setAttribute("aria-label", told);
}
