// The list of shots, and what may be done to the one on the screen.

import { post, tell } from "./api.js";
import { $, make, redraw } from "./dom.js";
import { changed, edit, on, path, pts, redo, seekMiddle, shot, shotIndex, store, takingTable, undo } from "./store.js";
import { stretches } from "./timeline.js";
import { length } from "./times.js";
import { refresh, view } from "./viewer.js";

const seconds = ({ start, stop }) => store.times.seconds(stop - start);

// The numbers of the shots in the list, as filtered and sorted.
export function listed() {
  const numbers = store.film.shots.map((_, index) => index);
  const wanted = $("only-needing").checked ? numbers.filter((index) => store.film.shots[index].needs) : numbers;
  if ($("longest-first").checked) {
    wanted.sort((a, b) => seconds(store.film.shots[b]) - seconds(store.film.shots[a]));
  }
  return wanted;
}

export function nextNeeding() {
  const shots = store.film.shots;
  const now = shotIndex();
  const needing = shots.map((_, index) => index).filter((index) => shots[index].needs && index !== now);
  if (!needing.length) return;
  if ($("longest-first").checked) {
    const order = listed().filter((index) => shots[index].needs);
    const place = order.indexOf(now);
    seekMiddle(order[(place + 1) % order.length]);
  } else seekMiddle(needing.find((index) => index > now) ?? needing[0]);
}

function words(one) {
  if (one.gray) return "left gray";
  const own = one.references.filter(({ at }) => at !== null).length;
  if (own) return own === 1 ? "a keyframe of its own" : `${own} keyframes`;
  if (one.references.length) return one.references[0].name;
  return store.film.pool.length ? "no picture: the nearest is borrowed" : "no picture yet";
}

function curve(one) {
  const bar = make("div", { class: "curve", "aria-hidden": "true" });
  if (one.gray) return bar;
  for (const { start, stop, state } of stretches(one)) {
    const part = make("i", { class: state });
    part.style.width = `${(100 * (stop - start)) / (one.stop - one.start)}%`;
    bar.append(part);
  }
  return bar;
}

function worst(one) {
  if (one.gray) return "left gray";
  if (one.needs) return "needs a picture";
  return one.verdict || "not measured yet";
}

function item(index) {
  const one = store.film.shots[index];
  const middle = store.times.at(store.times.indexOf((one.start + one.stop) / 2));
  return make(
    "li",
    {
      class: "shot",
      id: `shot-${index}`,
      role: "option",
      "data-shot": index,
      "aria-selected": "false",
      "aria-label": `Shot ${index + 1}, ${length(seconds(one))}, ${words(one)}, ${worst(one)}`,
      on: { click: () => seekMiddle(index) },
    },
    make("img", { src: `api/${path(`/thumb/${middle}`)}`, alt: "", loading: "lazy" }),
    make(
      "span",
      { class: "title", text: `Shot ${index + 1} ` },
      one.disagree ? make("span", { class: "badge warn", text: "disagree", title: one.disagree }) : null,
      one.gray ? make("span", { class: "badge", text: "gray" }) : null,
    ),
    make("span", { class: "length", text: length(seconds(one)) }),
    make("span", { class: "line", text: words(one), title: one.verdict }),
    curve(one),
  );
}

function list() {
  if (!store.times) return;
  const numbers = listed();
  $("shots").replaceChildren(...numbers.map(item));
  const needing = store.film.shots.filter(({ needs }) => needs).length;
  $("shots-count").textContent = needing ? `${needing}/${store.film.shots.length}` : `${store.film.shots.length} shots`;
  $("shots-count").title = `${needing} of ${store.film.shots.length} shots need a picture`;
  select();
  $("undo").disabled = !store.film.can_undo;
  $("redo").disabled = !store.film.can_redo;
}

function select() {
  if (!store.times) return;
  const now = shotIndex();
  for (const element of $("shots").children) {
    const selected = Number(element.dataset.shot) === now;
    if (selected !== (element.getAttribute("aria-selected") === "true")) {
      element.setAttribute("aria-selected", selected);
      if (selected) element.scrollIntoView({ block: "nearest" });
    }
  }
  $("shots").setAttribute("aria-activedescendant", `shot-${now}`);
  const one = shot();
  $("gray").setAttribute("aria-pressed", one.gray);
  setSlider("shot-saturation", one.saturation ?? 1);
  setSlider("film-saturation", store.film.saturation);
}

let keeping = 0; // values of sliders that were let go and are on their way

function setSlider(id, value) {
  if (document.activeElement === $(id) && (view.saturation !== null || keeping)) return;
  $(id).value = value;
  $(`${id}-value`).textContent = Number(value).toFixed(2);
}

// While a slider moves, the frame is shown with its value; when it is let go, the value is kept. A table that
// comes before that has the value of before: the slider stays where it is.
function slider(id, product, keep) {
  $(id).addEventListener("input", () => {
    const value = Number($(id).value);
    $(`${id}-value`).textContent = value.toFixed(2);
    view.saturation = product(value);
    refresh(0);
  });
  $(id).addEventListener("change", async () => {
    const value = Number($(id).value);
    view.saturation = null;
    keeping += 1;
    await keep(value);
    keeping -= 1;
    select();
    refresh(0);
  });
}

export const split = () => edit("split", { pts: pts() });
export const merge = () => edit("merge", { shot: shotIndex() });
export const toggleGray = () => edit("gray", { shot: shotIndex(), gray: !shot().gray });
export const moveBorder = (frames) => edit("border", { shot: shotIndex(), frames });

export function startShots() {
  on("film table", () => redraw(list));
  on("shot", select);
  on("coverage", ({ shot: index }) => {
    redraw(() => {
      const old = $(`shot-${index}`);
      if (!old || !store.film?.shots?.[index]) return;
      old.replaceWith(item(index));
      select();
    });
  });
  for (const id of ["only-needing", "longest-first"]) $(id).addEventListener("change", list);
  $("split").addEventListener("click", split);
  $("merge").addEventListener("click", merge);
  $("gray").addEventListener("click", toggleGray);
  $("next-needing").addEventListener("click", nextNeeding);
  $("undo").addEventListener("click", undo);
  $("redo").addEventListener("click", redo);
  slider(
    "shot-saturation",
    (value) => value * store.film.saturation,
    (value) => edit("saturation", { shot: shotIndex(), saturation: value }),
  );
  slider(
    "film-saturation",
    (value) => value * (shot().saturation ?? 1),
    (saturation) => tell(async () => {
      await takingTable(async () => ({ table: await post(path("/saturation"), { saturation }) }));
      changed("table");
    }),
  );
}
