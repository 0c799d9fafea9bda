// Playing: at the film's rate, or slower where frames do not come as fast.

import { picture } from "./api.js";
import { finisheds, grays } from "./frames.js";
import { path, seek, store } from "./store.js";
import { view } from "./viewer.js";

const AHEAD = 8; // frames that are loaded before they are shown
const AT_ONCE = 4;
const FASTEST = 8;

let begun = 0; // when the frame number ``base`` was shown
let base = 0;

// Speed 1 plays, -1 plays backwards, 0 stops; the same again doubles it.
export function play(speed) {
  const again = speed !== 0 && Math.sign(speed) === Math.sign(view.playing);
  view.playing = again ? Math.sign(speed) * Math.min(FASTEST, 2 * Math.abs(view.playing)) : speed;
  begun = performance.now();
  base = store.index;
  view.retouched = null;
  if (view.playing) requestAnimationFrame(tick);
  else {
    view.finished = null;
    seek(store.index);
  }
}

function tick(now) {
  if (!view.playing || !store.times) return;
  const frames = ((now - begun) / 1000) * (store.film.rate ?? 24) * view.playing;
  const wanted = Math.min(Math.max(0, base + Math.trunc(frames)), store.times.count - 1);
  const index = newestLoaded(wanted);
  if (index !== store.index) seek(index);
  if (index !== wanted) {
    begun = now;
    base = index;
  }
  const end = view.playing > 0 ? store.times.count - 1 : 0;
  if (index === end) {
    play(0);
    return;
  }
  prefetch(index);
  requestAnimationFrame(tick);
}

// The frame nearest to the wanted one, on the way to it, that is there.
function newestLoaded(wanted) {
  const step = Math.sign(view.playing);
  for (let index = wanted; index !== store.index; index -= step) {
    if (isLoaded(store.times.at(index))) return index;
  }
  return store.index;
}

// Finished stretches are played as they are on the disk, the others in gray.
const isFinished = (at) => store.film.finished.some(([start, stop]) => at >= start && at < stop);
const isLoaded = (at) => finisheds.has(at) || (grays.has(at) && (!isFinished(at) || unreadable.has(at)));

const unreadable = new Set(); // finished frames that are shown in gray after all

const coming = new Set();

function prefetch(index) {
  const step = Math.sign(view.playing) * Math.max(1, Math.abs(view.playing) >> 1);
  for (let k = 1; k <= AHEAD && coming.size < AT_ONCE; k += 1) {
    const next = index + k * step;
    if (next < 0 || next >= store.times.count) return;
    const at = store.times.at(next);
    if (!isLoaded(at) && !coming.has(at)) load(at);
  }
}

async function load(at) {
  const film = store.film.id;
  coming.add(at);
  try {
    const finished = isFinished(at) ? await picture(path(`/finished/${at}`)) : null;
    if (isFinished(at) && !finished) unreadable.add(at);
    const image = finished ?? (await picture(path(`/gray/${at}`)));
    if (image && store.film?.id === film) (finished ? finisheds : grays).put(at, image);
  } catch {
    // the frame is asked for again when it is due
  } finally {
    coming.delete(at);
  }
}
