// What is wrong, where, since when, and what to do about it.

import { byId, el, keyed, setState, setText } from "./dom.js";
import { model, now, section } from "./feed.js";
import { moment, span } from "./format.js";

function make() {
  return el("li", { class: "card problem" },
    el("p", { class: "where" }, el("span"), el("span", { class: "quiet" })),
    el("p", { class: "what" }), el("p", { class: "fix" }));
}

function update(node, problem) {
  const [where, what, fix] = node.children;
  const isOver = problem.until !== undefined;
  node.classList.toggle("urgent", problem.urgent && !isOver);
  setState(where.firstChild, isOver ? "ok" : problem.urgent ? "bad" : "warn", problem.where);
  const lasted = span(Math.round(Math.max(0, (problem.until ?? now()) - problem.since) / 1000));
  setText(where.lastChild, isOver
    ? `${moment(problem.since, now())} to ${moment(problem.until, now())}`
    : `since ${moment(problem.since, now())} (${lasted})`);
  setText(what, problem.what);
  setText(fix, problem.fix);
  fix.hidden = problem.fix === "" || isOver;
}

export function showProblems() {
  if (!model.hasData) return;
  const all = section("problems");
  const current = all.filter(problem => problem.until === undefined);
  const over = all.filter(problem => problem.until !== undefined);
  keyed(byId("problems"), current, problem => problem.key, make, update);
  keyed(byId("problems-over"), over, problem => problem.key + problem.until, make, update);
  const none = byId("problems-none");
  none.hidden = current.length > 0;
  setText(none, "Nothing needs attention.");
  const ended = byId("problems-ended");
  ended.hidden = over.length === 0;
  setText(ended.firstElementChild, `Over by now: ${over.length} in the last 24 hours`);
}
