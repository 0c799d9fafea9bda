// What to paint, how, and what the chosen profile would lose: said before the start.

import { get, post, tell } from "./api.js";
import { $, make } from "./dom.js";
import { loadQueue, on, path, shot, store } from "./store.js";

const range = () => document.querySelector("input[name=range]:checked").value;

function options() {
  const times = { film: ["", ""], shot: shotTimes(), stretch: [$("paint-start").value.trim(), $("paint-end").value.trim()] };
  const [start, end] = times[range()];
  return { profile: $("paint-profile").value, quality: $("paint-quality").value, start, end };
}

function shotTimes() {
  const { start, stop } = shot();
  return [store.times.timecode(start), store.times.timecode(stop)];
}

function fill() {
  if (!store.times || store.tab !== "paint") return;
  const stretch = range() === "stretch";
  for (const id of ["paint-start", "paint-end"]) $(id).disabled = !stretch;
  if (range() === "shot") [$("paint-start").value, $("paint-end").value] = shotTimes();
  if (range() === "film") [$("paint-start").value, $("paint-end").value] = ["", ""];
}

let asked = 0;

async function losses() {
  if (!store.times || store.tab !== "paint") return;
  const turn = ++asked;
  const found = await tell(() => get(path(`/losses?${new URLSearchParams(options())}`)));
  if (!found || turn !== asked) return;
  const open = store.film.shots.filter(({ gray, references }) => !gray && !references.length).length;
  const lines = [];
  if (found.refused) lines.push(make("span", { class: "problem", text: found.refused }));
  else {
    const to = make("span", { text: "Writes " }, make("strong", { text: found.output }));
    lines.push(to, ...found.lines.map((text) => make("span", { text })));
    if (found.exists) lines.push(make("span", { text: "A film of that name is there already: it is replaced when the new one is finished." }));
    if (!found.lines.length) lines.push(make("span", { text: "Nothing of the film is lost." }));
  }
  if (open) lines.push(make("span", { text: `${open} shot${open > 1 ? "s" : ""} without a picture: the nearest is borrowed.` }));
  $("losses").replaceChildren(...lines);
  $("paint-start-button").disabled = Boolean(found.refused) || !store.film.pool.length;
  if (!store.film.pool.length) lines.push(make("span", { text: "Give at least one shot a picture first." }));
  $("losses").replaceChildren(...lines);
}

async function start(event) {
  event.preventDefault();
  await tell(async () => {
    await post("queue", { film: store.film.id, options: options() });
    await loadQueue();
  });
}

export function startPaint() {
  const update = () => {
    fill();
    losses();
  };
  on("tab film table", update);
  on("shot", () => store.times && range() === "shot" && update());
  $("paint-form").addEventListener("change", update);
  $("paint-form").addEventListener("submit", start);
}
