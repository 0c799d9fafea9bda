// The keyboard. A field that takes text, a slider and a menu keep their own keys.

import { $ } from "./dom.js";
import { redo, seek, seekShot, shotIndex, store, undo } from "./store.js";
import { merge, moveBorder, nextNeeding, split, toggleGray } from "./shots.js";
import { strokes, toggleErasing, togglePicking, undoStroke } from "./retouch.js";
import { selectTab, TABS } from "./tabs.js";
import { play } from "./play.js";
import { hold } from "./viewer.js";

const second = () => Math.round(store.film.rate ?? 24);

const KEYS = {
  j: () => play(-1),
  k: () => play(0),
  l: () => play(1),
  ArrowLeft: (event) => step(event.shiftKey ? -second() : -1),
  ArrowRight: (event) => step(event.shiftKey ? second() : 1),
  ArrowUp: () => seekShot(shotIndex() - 1),
  ArrowDown: () => seekShot(shotIndex() + 1),
  Home: () => seek(0),
  End: () => seek(store.times.count - 1),
  n: nextNeeding,
  s: split,
  m: merge,
  "[": () => moveBorder(-1),
  "]": () => moveBorder(1),
  g: toggleGray,
  b: () => hold(true),
  i: () => store.tab === "retouch" && togglePicking(),
  e: () => store.tab === "retouch" && toggleErasing(),
  z: (event) => {
    if (store.tab === "retouch" && strokes() && !event.shiftKey) undoStroke();
    else if (event.shiftKey) redo();
    else undo();
  },
  1: () => selectTab(TABS[0]),
  2: () => selectTab(TABS[1]),
  3: () => selectTab(TABS[2]),
  4: () => selectTab(TABS[3]),
};

function step(frames) {
  play(0);
  seek(store.index + frames);
}

const takesText = (element) => element.matches("input:not([type=checkbox], [type=radio], [type=file]), select, textarea, video");

function pressed(event) {
  if (event.altKey || document.querySelector("dialog[open]") || takesText(event.target)) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "?") {
    $("keys").showModal();
    return;
  }
  if (event.ctrlKey || event.metaKey ? key !== "z" : false) return;
  if (!store.times || $("film-view").hidden || !KEYS[key]) return;
  if (event.repeat && "smng[]z".includes(key) && key.length === 1 && key !== "[" && key !== "]") return;
  event.preventDefault();
  KEYS[key](event);
}

export function startKeys() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("keyup", (event) => event.key.toLowerCase() === "b" && hold(false));
  window.addEventListener("blur", () => hold(false));
  for (const [id, speed] of [["back", -1], ["pause", 0], ["play", 1]]) {
    $(id).addEventListener("click", () => store.times && play(speed));
  }
  $("keys-open").addEventListener("click", () => $("keys").showModal());
}
