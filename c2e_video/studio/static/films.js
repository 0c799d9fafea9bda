// The list of films: a card each, and a folder to choose from.

import { get, post, remove, tell } from "./api.js";
import { $, button, make, redraw } from "./dom.js";
import { loadStudio, on, store } from "./store.js";
import { length } from "./times.js";

const STATES = { waiting: "waits to be looked at", looking: "is being looked at…", failed: "cannot be opened", gone: "is gone" };

function facts(film) {
  const parts = [];
  if (film.width) parts.push(`${film.width}×${film.height}`);
  if (film.rate) parts.push(`${Number(film.rate.toFixed(3))} frames/s`);
  if (film.seconds) parts.push(length(film.seconds));
  if (film.shots) parts.push(`${film.shots} shot${film.shots > 1 ? "s" : ""}`);
  return parts.join(" · ");
}

const tracks = (name, list) => (list?.length ? `${name}: ${list.join("; ")}` : `no ${name}`);

function card(film) {
  const open = () => {
    location.hash = film.id;
  };
  const lost = make("ul", { class: "lost" });
  const profile = make(
    "select",
    { "aria-label": `What a profile would lose of ${film.name}`, on: { change: () => losses(film, profile.value, lost) } },
    make("option", { value: "", text: "What would be lost…" }),
    make("option", { value: "web", text: "as web (H.264, mp4)" }),
    make("option", { value: "master", text: "as master (ProRes, mov)" }),
    make("option", { value: "archive", text: "as archive (FFV1, mkv)" }),
  );
  const shown = make("button", { class: "shown", type: "button", "aria-label": `Open ${film.name}`, on: { click: open } });
  if (film.state === "ready") shown.append(make("img", { src: `api/films/${film.id}/poster`, alt: "" }));
  return make(
    "li",
    { class: "card", "data-film": film.id, "data-state": film.state },
    shown,
    make(
      "div",
      { class: "words" },
      make("span", { class: "name", text: film.name }),
      make("span", { class: "quiet", text: facts(film) }),
      film.sound ? make("span", { class: "quiet", text: `${tracks("sound", film.sound)} · ${tracks("subtitles", film.subtitles)}` }) : null,
      STATES[film.state] ? make("span", { class: "quiet", text: STATES[film.state] }) : null,
      film.error ? make("span", { class: "problem", text: film.error }) : null,
      film.state === "ready" ? profile : null,
      lost,
      make(
        "div",
        { class: "buttons" },
        button("Open", open),
        button("Remove", () => tell(() => remove(`films/${film.id}`)), { title: "From the list; files stay", "aria-label": `Remove ${film.name} from the list` }),
      ),
    ),
  );
}

async function losses(film, profile, box) {
  if (!profile) {
    box.replaceChildren();
    return;
  }
  const found = await tell(() => get(`films/${film.id}/losses?profile=${profile}`));
  if (!found) return;
  const lines = found.refused ? [found.refused] : found.lines.length ? found.lines : ["Nothing is lost."];
  box.replaceChildren(...lines.map((text) => make("li", { text })));
}

function list() {
  $("folder").textContent = store.folder;
  $("cards").replaceChildren(...store.films.map(card));
  $("empty").hidden = store.films.length > 0;
}

// Opens a film by its name in the folder, or as a dropped file by its name and size.
export async function openFilm(wanted) {
  const film = await tell(() => post("films", wanted));
  if (!film) return;
  await tell(loadStudio);
  location.hash = film.id;
}

async function choose() {
  const found = await tell(() => get("folder"));
  if (!found) return;
  const items = found.map(({ name, size }) =>
    make(
      "li",
      {},
      make(
        "button",
        { type: "button", on: { click: () => ($("chooser").close(), openFilm({ name })) } },
        make("span", { text: name }),
        make("span", { class: "quiet", text: size > 1e9 ? `${(size / 1e9).toFixed(1)} GB` : `${(size / 1e6).toFixed(1)} MB` }),
      ),
    ),
  );
  $("chooser-list").replaceChildren(...items);
  $("chooser-empty").hidden = items.length > 0;
  $("chooser").showModal();
}

export function startFilms() {
  on("films", () => redraw(list));
  $("choose").addEventListener("click", choose);
  $("empty").addEventListener("click", choose);
}
