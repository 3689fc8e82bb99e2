// The gateway's REST interface. Errors carry the problem document's own sentence.

async function request(path, options) {
  const response = await fetch(path, options);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new Error(body.detail ?? `the gateway answered with status ${response.status}`);
  }
  return body;
}

export function listSessions(pageSize) {
  return request(`/v1/sessions?page_size=${pageSize}`);
}

export function act(id, action) {
  return request(`/v1/sessions/${encodeURIComponent(id)}:${action}`, { method: "POST" });
}

/**
 * Follows a session: every episode past `after` once and in order, whatever happens to the connection.
 *
 * @param handlers session(session) and episode(episode)
 * @returns a function that stops following
 */
export function follow(id, handlers, isComplete) {
  let last = 0;
  let source;
  let timer;
  const open = () => {
    source = new EventSource(`/v1/sessions/${encodeURIComponent(id)}/events?after=${last}`);
    const session = (event) => handlers.session(JSON.parse(event.data));
    source.addEventListener("snapshot", session);
    source.addEventListener("state", session);
    source.addEventListener("episode", (event) => {
      const episode = JSON.parse(event.data);
      if (episode.number > last) {
        last = episode.number;
        handlers.episode(episode);
      }
    });
    source.addEventListener("error", () => {
      if (isComplete(last)) {
        source.close();
      } else if (source.readyState === EventSource.CLOSED) {
        // The browser gave up, as it does on an error status; a gateway that restarts is worth asking again.
        timer = setTimeout(open, 3000);
      }
    });
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
