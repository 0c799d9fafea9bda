// Requests to the server. All addresses are relative to the page's, which holds the token.

import { say } from "./messages.js";

export const TAB = crypto.getRandomValues(new Uint32Array(2)).join("-");

export class RequestFailed extends Error {
  constructor(line, status) {
    super(line);
    this.status = status;
  }
}

async function failed(response) {
  let line = `the server answered with ${response.status}`;
  try {
    line = (await response.json()).error ?? line;
  } catch {
    // no JSON: the line stands
  }
  return new RequestFailed(line, response.status);
}

export async function get(path, options = {}) {
  const response = await fetch(`api/${path}`, options);
  if (!response.ok) throw await failed(response);
  return response.status === 204 ? null : response.json();
}

export async function post(path, body = {}, options = {}) {
  const raw = body instanceof Blob;
  const response = await fetch(`api/${path}`, {
    method: "POST",
    body: raw ? body : JSON.stringify(body),
    headers: { "Content-Type": raw ? "application/octet-stream" : "application/json" },
    ...options,
  });
  if (!response.ok) throw await failed(response);
  return response.status === 204 ? null : response.json();
}

export async function remove(path) {
  const response = await fetch(`api/${path}`, { method: "DELETE" });
  if (!response.ok) throw await failed(response);
  return response.json();
}

// A picture; null where there is none (left gray), undefined where a newer request overtook this one.
export async function picture(path, options = {}) {
  const response = await fetch(`api/${path}`, options);
  if (response.status === 204) return response.headers.has("X-Overtaken") ? undefined : null;
  if (!response.ok) throw await failed(response);
  return createImageBitmap(await response.blob());
}

// A load of which one runs at a time, and one more after it if it is asked for meanwhile: an answer that was made
// before the newest news would otherwise be shown after them.
export function latest(load) {
  let running = null;
  let again = false;
  const run = async () => {
    do {
      again = false;
      await load();
    } while (again);
  };
  return () => {
    if (running) again = true;
    else running = run().finally(() => (running = null));
    return running;
  };
}

// Does something that may fail, and says so in a line.
export async function tell(work) {
  try {
    return await work();
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, true);
    return null;
  }
}
