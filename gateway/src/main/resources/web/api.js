// The gateway's REST interface. Errors carry the problem document's own sentence.

async function request(path, options) {
  const response = await fetch(path, options);
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    const error = new Error(body.detail ?? `the gateway answered with status ${response.status}`);
    error.status = response.status;
    throw error;
  }
  return body;
}

export function listSessions(pageSize) {
  return request(`/v1/sessions?page_size=${pageSize}`);
}

function getSession(id) {
  return request(`/v1/sessions/${encodeURIComponent(id)}`);
}

export function act(id, action) {
  return request(`/v1/sessions/${encodeURIComponent(id)}:${action}`, { method: "POST" });
}

/**
 * Follows a session: every episode once and in order, whatever happens to the connection. A page that nobody sees has
 * none: a browser opens six to a server for all its tabs.
 *
 * @param handlers session(session), episode(episode), and missing(error) when there is no such session
 * @returns stop(), and resume(), which goes on after the last episode where following had come to its end
 */
export function follow(id, handlers, isComplete) {
  let last = 0;
  let source;
  let timer;
  let stopped = false;
  const open = () => {
    if (document.hidden) {
      return;
    }
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
        again();
      }
    });
  };
  /** The browser gave up, as it does on an error status, which it does not tell. */
  const again = async () => {
    try {
      await getSession(id);
    } catch (error) {
      if (error.status === 404) {
        if (!stopped) {
          stop();
          handlers.missing(error);
        }
        return;
      }
      // A gateway that restarts is worth asking again.
    }
    if (!stopped && isClosed()) {
      timer = setTimeout(open, 3000);
    }
  };
  const isClosed = () => source === undefined || source.readyState === EventSource.CLOSED;
  const close = () => {
    clearTimeout(timer);
    source?.close();
  };
  const resume = () => {
    if (!stopped && isClosed()) {
      clearTimeout(timer);
      open();
    }
  };
  const look = () => {
    if (document.hidden) {
      close();
    } else if (!isComplete(last)) {
      resume();
    }
  };
  const stop = () => {
    stopped = true;
    document.removeEventListener("visibilitychange", look);
    close();
  };
  document.addEventListener("visibilitychange", look);
  open();
  return { stop, resume };
}
