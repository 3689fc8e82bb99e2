// Keeps the list fresh and shows the session that the address names: #/sessions/ID.

import { listSessions } from "./api.js";
import { choose, start, update } from "./detail.js";
import { showSessions } from "./list.js";

const REFRESH_MILLIS = 3000;
const PAGE = 20;
const message = document.querySelector("#message");
const older = document.querySelector("#older");
let pageSize = PAGE;
let chosen;
let timer;
let sessions = [];

// Without it a command starts services of its own, whose sessions are not here.
document.querySelector("#own-url").textContent = location.origin;

function report(sentence) {
  message.textContent = sentence;
}

async function refresh() {
  clearTimeout(timer);
  try {
    const answer = await listSessions(pageSize);
    sessions = answer.sessions;
    older.hidden = answer.next_page_token === "" || pageSize >= 1000;
    showSessions(sessions, chosen);
    const current = sessions.find((session) => session.id === chosen);
    if (current) {
      update(current);
    }
    if (message.dataset.offline) {
      delete message.dataset.offline;
      report("");
    }
  } catch (error) {
    message.dataset.offline = "yes";
    report(`Trying again: ${error.message}`);
  }
  if (!document.hidden) {
    timer = setTimeout(refresh, REFRESH_MILLIS);
  }
}

function navigate() {
  const match = location.hash.match(/^#\/sessions\/(.+)$/);
  chosen = match ? decodeURIComponent(match[1]) : undefined;
  choose(chosen);
  showSessions(sessions, chosen);
}

older.addEventListener("click", () => {
  pageSize = Math.min(pageSize * 5, 1000);
  refresh();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    refresh();
  }
});
addEventListener("hashchange", navigate);
start(report);
navigate();
refresh();
