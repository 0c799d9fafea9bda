// What the page knows. Parts of the page listen for what concerns them.

import { get, latest, post, tell } from "./api.js";
import { say } from "./messages.js";
import { Times } from "./times.js";

export const store = {
  films: [],
  queue: [],
  folder: "",
  film: null, // all of the film on the screen
  times: null,
  index: 0, // of the frame on the screen
  tab: "shots",
};

const listeners = new Map();

// Kinds: films, queue, film, table, frame, coverage, tab.
export function on(kinds, listener) {
  for (const kind of kinds.split(" ")) {
    if (!listeners.has(kind)) listeners.set(kind, []);
    listeners.get(kind).push(listener);
  }
}

export function changed(kind, detail) {
  for (const listener of listeners.get(kind) ?? []) listener(detail);
}

export const pts = () => store.times.at(store.index);
export const path = (rest = "") => `films/${store.film.id}${rest}`;

export function shotAt(value) {
  const shots = store.film.shots;
  let low = 0;
  let high = shots.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value < shots[middle].stop) high = middle;
    else low = middle + 1;
  }
  return low;
}

export const shotIndex = () => shotAt(pts());
export const shot = () => store.film.shots[shotIndex()];

let focused = -1;

export function seek(index) {
  const within = Math.min(Math.max(0, Math.round(index)), store.times.count - 1);
  store.index = within;
  changed("frame");
  const now = shotIndex();
  if (now !== focused) {
    focused = now;
    changed("shot");
    post(path("/focus"), { shot: now }).catch(() => {});
  }
}

export function seekShot(index) {
  const shots = store.film.shots;
  const within = Math.min(Math.max(0, index), shots.length - 1);
  seek(store.times.indexOf(shots[within].start));
}

// Shows the middle of a shot: that is what its picture is judged by.
export function seekMiddle(index) {
  const { start, stop } = store.film.shots[index];
  seek(store.times.indexOf((start + stop) / 2));
}

export const loadStudio = latest(async () => {
  const studio = await get("studio");
  Object.assign(store, { films: studio.films, folder: studio.folder });
  changed("films");
  await loadQueue();
});

export const loadQueue = latest(async () => {
  store.queue = await get("queue");
  changed("queue");
});

// Shots that were measured while a table was on its way: it may have been made before.
const late = new Set();
let underWay = 0;

// Take what a request answers, and then what was measured meanwhile.
async function taking(request, take) {
  underWay += 1;
  try {
    const answer = await request();
    take(answer);
    return answer;
  } finally {
    underWay -= 1;
    const missed = underWay ? [] : [...late];
    if (!underWay) late.clear();
    if (store.times) missed.forEach(measured);
  }
}

// The coverage of a shot was measured.
export async function measured(index) {
  if (underWay) late.add(index);
  if (!store.times) return;
  const now = await tell(() => get(path(`/shots/${index}`)));
  const shot = store.film?.shots?.[index];
  if (!now || shot?.start !== now.start || shot.stop !== now.stop) return;
  Object.assign(shot, now);
  changed("coverage", { shot: index });
}

export const loadFilm = (id, retry = false) =>
  taking(() => get(`films/${id}${retry ? "?retry" : ""}`), takeFilm);

function takeFilm(film) {
  const same = store.film?.id === film.id && store.film.state === "ready";
  store.film = film;
  store.times = film.state === "ready" ? new Times(film) : null;
  if (!same) {
    store.index = 0;
    focused = -1;
  }
  changed("film");
  if (store.times) {
    changed("table");
    seek(store.index);
  }
}

function takeTable(found) {
  if (!found || !store.film || found.version < store.film.version) return;
  Object.assign(store.film, found);
  focused = -1;
  changed("table");
  seek(store.index);
}

// An answer that holds the table among other things.
export const takingTable = (request) => taking(request, (answer) => takeTable(answer.table));

export const loadTable = () => taking(() => get(path("/table")), takeTable);

let editing = Promise.resolve(true);

// An edit for the version that is shown; of several, each waits for the one before it. One that came too
// late, after another tab's, shows the table as it is now.
export function edit(action, more = {}, where = "/edit") {
  editing = editing.then(() => editNow(action, more, where));
  return editing;
}

async function editNow(action, more, where) {
  try {
    const version = store.film.version;
    await taking(() => post(path(where), { action, version, ...more }), takeTable);
    return true;
  } catch (error) {
    say(error.message, true);
    if (error.status === 409) await tell(loadTable);
    return false;
  }
}

export const undo = () => edit("undo", {}, "/undo");
export const redo = () => edit("redo", {}, "/redo");
