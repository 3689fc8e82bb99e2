// The table of sessions, newest first.

import { budget, element, number, percent, short, target } from "./text.js";

const body = document.querySelector("#sessions tbody");

/** Shows the sessions; rows that did not change keep their focus. */
export function showSessions(sessions, chosen) {
  const rows = new Map([...body.rows].map((row) => [row.dataset.id, row]));
  const wanted = sessions.map((session) => {
    const cells = row(session);
    const text = JSON.stringify([cells.map((cell) => cell.textContent), session.id === chosen]);
    const present = rows.get(session.id);
    if (present?.dataset.text === text) {
      return present;
    }
    const fresh = present ?? element("tr");
    fresh.dataset.id = session.id;
    fresh.dataset.text = text;
    fresh.className = session.id === chosen ? "chosen" : "";
    const focused = fresh.contains(document.activeElement);
    fresh.replaceChildren(...cells);
    if (session.id === chosen) {
      fresh.querySelector("a").setAttribute("aria-current", "true");
    }
    if (focused) {
      fresh.querySelector("a").focus();
    }
    return fresh;
  });
  if (wanted.some((row, i) => body.rows[i] !== row) || body.rows.length !== wanted.length) {
    body.replaceChildren(...wanted);
  }
  document.querySelector("#no-sessions").hidden = sessions.length > 0;
}

function row(session) {
  const spec = session.spec ?? {};
  const done = session.episodes_done;
  const total = session.episodes_total;
  const link = element(
    "a",
    { href: `#/sessions/${encodeURIComponent(session.id)}`, title: session.id },
    spec.name || short(session.id),
  );
  return [
    element("td", {}, link),
    element("td", {}, element("span", { className: `state ${session.state}` }, session.state.toLowerCase().replace("_", "-"))),
    element("td", { title: spec.model ?? "" }, short(spec.model ?? "")),
    element("td", {}, target(spec)),
    element("td", {}, budget(spec)),
    element(
      "td",
      {},
      element("progress", { max: total || 1, value: done, "aria-label": "Episodes done" }),
      `${done} of ${total}`,
    ),
    element("td", { className: "number" }, percent(session.best?.accuracy?.top1)),
    element("td", { className: "number" }, number(session.best?.cost_ratio, 3)),
  ];
}
