// One session: figures, reward curve, bits per layer, as its episodes arrive.

import { act, follow } from "./api.js";
import { showBits } from "./bits.js";
import { RewardChart } from "./chart.js";
import { amount, budget, costOf, duration, element, FINAL, number, percent, short, target } from "./text.js";

const TABLE_ROWS = 500;
const section = document.querySelector("#detail");
const table = document.querySelector("#episodes");
const rows = document.querySelector("#episodes tbody");
const chart = new RewardChart(document.querySelector("#chart"));

let chosen;
let session;
let best;
let newest;
let summaries = [];
let following;
let drawing = false;
let report = () => {};

/** Which actions make sense in a state. */
const ACTIONS = {
  pause: (state) => ["QUEUED", "PREPARING", "RUNNING", "FINE_TUNING"].includes(state),
  resume: (state) => state === "PAUSED",
  stop: (state) => !FINAL.has(state) && state !== "STOPPING",
  cancel: (state) => !FINAL.has(state),
};

/** @param onError shows a sentence to the user; an empty one takes it away */
export function start(onError) {
  report = onError;
  for (const button of section.querySelectorAll("button[data-action]")) {
    button.addEventListener("click", async () => {
      try {
        update(await act(chosen, button.dataset.action));
        report("");
      } catch (error) {
        report(error.message);
      }
    });
  }
  table.addEventListener("toggle", draw);
}

/** Follows the session of this id; undefined shows none. */
export function choose(id) {
  following?.stop();
  following = undefined;
  chosen = id;
  session = undefined;
  best = undefined;
  newest = undefined;
  summaries = [];
  section.hidden = id === undefined;
  if (id === undefined) {
    return;
  }
  clear();
  following = follow(
    id,
    { session: update, episode: add, missing },
    (last) => session !== undefined && FINAL.has(session.state) && last >= session.episodes_done,
  );
}

/** Shows nothing but the id, until something is known of the session. */
function clear() {
  document.querySelector("#detail-title").textContent = short(chosen);
  showState("");
  showError("");
  for (const button of section.querySelectorAll("button[data-action]")) {
    button.disabled = true;
  }
  document.querySelector("#figures").replaceChildren();
  chart.clear();
  rows.replaceChildren();
  showBits(undefined, undefined);
}

/** There is no session of this id, or no longer. */
function missing(error) {
  session = undefined;
  clear();
  showError(error.message);
}

function showState(name) {
  const state = document.querySelector("#detail-state");
  state.textContent = name.toLowerCase().replace("_", "-");
  state.className = `state ${name}`;
}

function showError(sentence) {
  const error = document.querySelector("#detail-error");
  error.textContent = sentence;
  error.hidden = !sentence;
}

/** Takes what is known of the session now, from the event stream or the list. */
export function update(fresh) {
  if (fresh.id !== chosen || (session !== undefined && isOlder(fresh))) {
    return;
  }
  const extended = session !== undefined && FINAL.has(session.state) && !FINAL.has(fresh.state);
  // The list does not say it, nor do all of several agents.
  const known = fresh.state === "PREPARING" ? session?.preparation : undefined;
  session = { ...fresh, preparation: fresh.preparation ?? known };
  if (extended) {
    following?.resume();
  }
  if (fresh.best !== undefined && !(best?.number > fresh.best.number)) {
    best = fresh.best;
  }
  draw();
}

/** Answers of the list and events of the stream may overtake each other. */
function isOlder(fresh) {
  const later = Date.parse(fresh.update_time) - Date.parse(session.update_time);
  return (
    fresh.episodes_done < session.episodes_done ||
    later < 0 ||
    // What is final becomes active again by an extension alone, which takes time.
    (FINAL.has(session.state) && !FINAL.has(fresh.state) && !(later > 0))
  );
}

function add(episode) {
  newest = episode;
  if (episode.improved) {
    best = episode;
  }
  const { number, reward, accuracy, cost_ratio, seconds, improved, warmup, proposed_for: aim } = episode;
  summaries.push({ number, reward, top1: accuracy?.top1, cost_ratio, seconds, improved, warmup, aim });
  chart.add(episode);
  if (session !== undefined && number > session.episodes_done) {
    session = { ...session, episodes_done: number };
  }
  draw();
}

function draw() {
  if (!drawing) {
    drawing = true;
    requestAnimationFrame(() => {
      drawing = false;
      if (session !== undefined) {
        drawNow();
      }
    });
  }
}

function drawNow() {
  document.querySelector("#detail-title").textContent = session.spec?.name || short(session.id);
  showState(session.state);
  showError(session.error);
  for (const button of section.querySelectorAll("button[data-action]")) {
    button.disabled = !ACTIONS[button.dataset.action](session.state);
  }
  document.querySelector("#figures").replaceChildren(
    ...figures().map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
  );
  showBits(best, newest);
  if (table.open) {
    drawTable();
  }
}

function figures() {
  const spec = session.spec ?? {};
  const resource = spec.budget?.resource;
  const loss = best && session.baseline ? best.accuracy.top1 - session.baseline.top1 : undefined;
  const cost = costOf(best?.cost, resource);
  const all = [
    ["Episodes", `${session.episodes_done} of ${session.episodes_total}`],
    ["Model", short(spec.model ?? "")],
    ["Target", target(spec)],
    ["Budget", budget(spec)],
    ["Agent, seed", `${spec.agent || "auto"}, ${spec.seed ?? 0}`],
    ["Float top-1", percent(session.baseline?.top1)],
    ["Best top-1", loss === undefined ? percent(best?.accuracy?.top1) : `${percent(best.accuracy.top1)} (${loss >= 0 ? "+" : "−"}${Math.abs(loss).toFixed(2)})`],
    ["Best cost ratio", number(best?.cost_ratio, 4)],
    ["Best cost", cost === undefined ? "–" : amount(cost, resource)],
    ["Best reward", number(best?.reward, 4)],
  ];
  const tuned = session.tuned?.held_out_after ?? session.tuned?.after;
  if (tuned !== undefined && session.tuned.episode === best?.number) {
    all.push(["Fine-tuned top-1", `${percent(tuned.top1)}${session.tuned.held_out_after ? " held out" : ""}`]);
    }
  for (const { target: name, best: own } of session.targets ?? []) {
    all.push([`Best for ${name}`, own ? `episode ${own.number}, reward ${number(own.reward, 4)}` : "–"]);
  }
  const fleet = session.fleet?.best;
  if (fleet) {
    all.push(["Best for all targets", `episode ${fleet.number}, reward ${number(fleet.reward, 4)}`]);
  }
  if (session.preparation !== undefined) {
    const { measured, to_measure: total, seconds_left: left } = session.preparation;
    all.push(["Sensitivities", `${measured} of ${total}, about ${duration(left)} left`]);
  }
  if (session.seconds_left !== undefined && !FINAL.has(session.state)) {
    all.push(["Time left", `about ${duration(session.seconds_left)}`]);
  }
  if (FINAL.has(session.state)) {
    all.push(["Ended", { EPISODES: "all episodes done", USER: "by the user", ERROR: "by an error" }[session.end_reason] ?? session.end_reason.toLowerCase()]);
  }
  return all;
}

function drawTable() {
  rows.replaceChildren(
    ...summaries
      .slice(-TABLE_ROWS)
      .reverse()
      .map((episode) =>
        element(
          "tr",
          {},
          ...[
            String(episode.number),
            number(episode.reward, 4),
            percent(episode.top1),
            number(episode.cost_ratio, 4),
            number(episode.seconds, 2),
          ].map((text) => element("td", { className: "number" }, text)),
          element("td", {}, [episode.aim ? `for ${episode.aim}` : "", episode.warmup ? "warm-up" : "", episode.improved ? "best so far" : ""].filter(Boolean).join(", ")),
        ),
      ),
  );
}
