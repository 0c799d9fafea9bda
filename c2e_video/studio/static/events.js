// What the server tells while the page is open.

import { get, latest, tell } from "./api.js";
import { $ } from "./dom.js";
import { finisheds } from "./frames.js";
import { say } from "./messages.js";
import { changed, loadFilm, loadQueue, loadStudio, loadTable, measured, path, seek, store } from "./store.js";

const ours = ({ film }) => store.film && film === store.film.id;

const HEARD = {
  films: () => tell(loadStudio),
  queue: async () => {
    finisheds.clear(); // a run that begins or ends may change what is on the disk
    await tell(loadQueue);
    await finished();
  },
  job: ({ job }) => {
    const place = store.queue.findIndex(({ id }) => id === job.id);
    if (place < 0) return;
    store.queue[place] = job;
    changed("queue");
    if (ours(job)) finished();
  },
  film: (event) => {
    tell(loadStudio);
    if (ours(event)) tell(() => loadFilm(store.film.id));
  },
  looking: (event) => {
    if (ours(event)) looking(event);
  },
  table: (event) => {
    if (ours(event) && store.times && event.version >= store.film.version) tell(loadTable);
  },
  coverage: (event) => {
    if (ours(event)) measured(event.shot);
  },
  placed: async (event) => {
    if (!ours(event)) return;
    say(event.line);
    await tell(loadTable);
    if (event.at !== null) seek(store.times.indexOf(event.at));
  },
  note: (event) => {
    if (!event.film || ours(event)) say(event.line, event.error);
  },
  reload: () => {
    tell(loadStudio);
    if (store.film) tell(() => loadFilm(store.film.id));
  },
};

// Which stretches are painted by now.
const finished = latest(async () => {
  if (!store.times) return;
  const film = store.film;
  try {
    film.finished = await get(path("/finished"));
    changed("finished");
  } catch {
    // the next message asks again
  }
});

export function looking({ frames, of }) {
  $("looking-line").textContent = `Looking at the film… ${frames}${of ? ` of ${of}` : ""} frames`;
  const bar = $("looking-bar");
  if (of) {
    bar.max = of;
    bar.value = Math.min(frames, of);
  } else bar.removeAttribute("value");
}

export function startEvents() {
  const source = new EventSource("api/events");
  let lost = false;
  source.addEventListener("message", ({ data }) => {
    const event = JSON.parse(data);
    HEARD[event.kind]?.(event);
  });
  source.addEventListener("error", () => {
    if (!lost) say("the studio does not answer; is it still running?", true);
    lost = true;
  });
  source.addEventListener("open", () => {
    if (lost) HEARD.reload();
    lost = false;
  });
}
