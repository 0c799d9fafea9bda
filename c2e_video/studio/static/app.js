// The page: films, or one film, by the address's hash.

import { tell } from "./api.js";
import { $ } from "./dom.js";
import { startDrop } from "./drop.js";
import { looking, startEvents } from "./events.js";
import { startFilms } from "./films.js";
import { startKeys } from "./keys.js";
import { startPaint } from "./paint.js";
import { startQueue } from "./queue.js";
import { startReferences } from "./references.js";
import { startRetouch } from "./retouch.js";
import { startShots } from "./shots.js";
import { changed, loadFilm, loadStudio, on, pts, shotIndex, store } from "./store.js";
import { selectTab, startTabs } from "./tabs.js";
import { startTimeline } from "./timeline.js";
import { length } from "./times.js";
import { startViewer } from "./viewer.js";

const wanted = () => decodeURIComponent(location.hash.slice(1));

async function route() {
  const id = wanted();
  const known = store.films.find((film) => film.id === id);
  if (!known) {
    store.film = store.times = null;
    changed("film");
    arrange();
    return;
  }
  if (store.film?.id !== id) await tell(() => loadFilm(id, true));
  arrange();
}

function arrange() {
  const film = store.film;
  const ready = Boolean(store.times);
  $("films-view").hidden = Boolean(film);
  $("film-view").hidden = !ready;
  $("looking").hidden = !film || ready;
  if (film && !ready) {
    const stopped = film.state === "failed" || film.state === "gone";
    $("looking-bar").hidden = stopped;
    if (stopped) $("looking-line").textContent = film.error;
    else looking({ frames: film.looked ?? 0, of: null });
  }
  for (const id of ["undo", "redo", "go-paint"]) $(id).hidden = !ready;
  $("to-films").hidden = !film;
  $("film-name").textContent = film ? film.name : "c2e-video studio";
  document.title = film ? `${film.name} – c2e-video studio` : "c2e-video studio";
  $("film-facts").textContent = ready
    ? `${film.width}×${film.height} · ${length(store.times.seconds(film.stop - film.shots[0].start))} · ${film.shots.length} shots`
    : "";
}

function time() {
  if (!store.times) return;
  $("time").textContent = store.times.timecode(pts());
  $("where").textContent = `frame ${store.index + 1} of ${store.times.count} · shot ${shotIndex() + 1} of ${store.film.shots.length}`;
}

startViewer();
startTimeline();
startTabs();
startShots();
startReferences();
startRetouch();
startPaint();
startQueue();
startFilms();
startKeys();
startDrop();
on("film table", arrange);
on("films", () => {
  if (store.film && !store.films.some(({ id }) => id === store.film.id)) location.hash = "";
});
on("frame table", time);
window.addEventListener("hashchange", route);
$("to-films").addEventListener("click", () => {
  location.hash = "";
});
selectTab("shots");
tell(async () => {
  await loadStudio();
  // A studio that was started for one film begins with it.
  if (!wanted() && store.films.length === 1) history.replaceState(null, "", `#${store.films[0].id}`);
  await route();
  startEvents();
});
