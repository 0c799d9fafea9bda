// Brush a colour over a thing: the stroke goes to the server, which spreads it to the edges of luma.

import { get, post, TAB, tell } from "./api.js";
import { $, make, redraw } from "./dom.js";
import { css, rgbToLab } from "./lab.js";
import { say } from "./messages.js";
import { on, path, pts, shot, store, takingTable } from "./store.js";
import { note, show, view } from "./viewer.js";
import { Wheel } from "./wheel.js";

const state = { strokes: [], at: null, drawing: null, picking: false, erasing: false };
let wheel;
let asked = null; // the request whose picture is waited for

export const strokes = () => state.strokes.length;

function reset() {
  asked?.abort(); // what it would show is of strokes that are gone
  asked = null;
  state.strokes = [];
  state.at = store.times ? pts() : null;
  view.retouched = null;
  buttons();
}

function buttons() {
  const none = !state.strokes.length;
  for (const id of ["stroke-undo", "stroke-clear", "use-keyframe"]) $(id).disabled = none;
  $("use-keyframe").classList.toggle("action", !none);
  $("strokes-count").textContent = none ? "" : `${state.strokes.length} stroke${none || state.strokes.length > 1 ? "s" : ""}`;
}

function brush() {
  $("brush-color").style.background = wheel.css;
  $("brush-color").setAttribute("aria-label", `The brush's colour, ${wheel.css}`);
  $("brush-size-value").textContent = `${$("brush-size").value} % of the height`;
}

// -- the brush ---------------------------------------------------------------

function place(event) {
  const box = $("overlay").getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function begin(event) {
  if (store.tab !== "retouch" || event.button !== 0) return;
  if (state.picking) {
    pick($("canvas"), event);
    return;
  }
  if (!view.painted) {
    say("there is no colour on this frame yet: give the shot a picture first", true);
    return;
  }
  const overlay = $("overlay");
  if (event.pointerId !== undefined) overlay.setPointerCapture(event.pointerId);
  overlay.width = $("canvas").width;
  overlay.height = $("canvas").height;
  state.drawing = {
    points: [place(event)],
    radius: Number($("brush-size").value) / 100,
    ab: [...wheel.ab],
    erase: state.erasing,
  };
  ink();
}

function draw(event) {
  if (!state.drawing) return;
  state.drawing.points.push(place(event));
  ink();
}

function ink() {
  const overlay = $("overlay");
  const context = overlay.getContext("2d");
  context.clearRect(0, 0, overlay.width, overlay.height);
  context.strokeStyle = state.drawing.erase ? "#999" : wheel.css;
  context.lineWidth = 2 * state.drawing.radius * overlay.height;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  state.drawing.points.forEach(([x, y], k) => context[k ? "lineTo" : "moveTo"](x * overlay.width, y * overlay.height));
  const [x, y] = state.drawing.points.at(-1);
  context.lineTo(x * overlay.width + 0.1, y * overlay.height);
  context.stroke();
}

function end() {
  if (!state.drawing) return;
  // Points closer than a tenth of the brush tell nothing more.
  const near = state.drawing.radius / 10;
  const points = state.drawing.points.filter(
    ([x, y], k, all) => k === 0 || k === all.length - 1 || k % 2 || Math.hypot(x - all[k - 1][0], y - all[k - 1][1]) > near,
  );
  state.strokes.push({ ...state.drawing, points: points.slice(0, 5000) });
  state.drawing = null;
  apply();
}

// -- the brush without a pointer -----------------------------------------------

const cursor = { x: 0.5, y: 0.5, down: false };
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Arrows move a cross; Space puts the brush down and lifts it; I picks the colour under the cross.
function keyed(event) {
  const overlay = $("overlay");
  // A pointer that brushed has left the focus here, too: then the keys are the page's.
  if (store.tab !== "retouch" || !overlay.matches(":focus-visible")) return;
  const box = overlay.getBoundingClientRect();
  const at = () => ({ clientX: box.left + cursor.x * box.width, clientY: box.top + cursor.y * box.height });
  const step = STEPS[event.key];
  if (step) {
    const size = event.shiftKey ? 0.004 : 0.02;
    cursor.x = Math.min(Math.max(0, cursor.x + size * step[0]), 1);
    cursor.y = Math.min(Math.max(0, cursor.y + size * step[1]), 1);
    if (state.drawing) draw(at());
    else lightnessAt({ ...at(), buttons: 0 });
  } else if (event.key === " ") {
    if (state.drawing) end();
    else begin({ ...at(), button: 0 });
  } else if (event.key.toLowerCase() === "i") pick($("canvas"), at());
  else return;
  event.preventDefault();
  event.stopPropagation();
  cross();
}

function cross() {
  const overlay = $("overlay");
  if (!state.drawing) {
    overlay.width = $("canvas").width;
    overlay.height = $("canvas").height;
  }
  const context = overlay.getContext("2d");
  const [x, y] = [cursor.x * overlay.width, cursor.y * overlay.height];
  for (const [color, width] of [["#000", 3], ["#fff", 1]]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x - 9, y);
    context.lineTo(x + 9, y);
    context.moveTo(x, y - 9);
    context.lineTo(x, y + 9);
    context.stroke();
  }
}

async function apply() {
  buttons();
  asked?.abort();
  const request = new AbortController();
  asked = request;
  const at = pts();
  if (!state.strokes.length) {
    view.retouched = null;
  } else {
    note("spreading…");
    const image = await tell(async () => {
      const response = await fetch(`api/${path(`/retouch/${at}?tab=${TAB}-brush`)}`, {
        method: "POST",
        body: JSON.stringify({ strokes: state.strokes }),
        signal: request.signal,
      });
      if (response.status === 204) return undefined; // overtaken
      if (!response.ok) throw new Error((await response.json()).error);
      return createImageBitmap(await response.blob());
    });
    if (asked !== request) return;
    if (image === undefined) return apply(); // an older request, given up since, reached the server later
    note("");
    if (!image || at !== pts()) return;
    view.retouched = image;
  }
  const overlay = $("overlay");
  overlay.getContext("2d").clearRect(0, 0, overlay.width, overlay.height);
  show();
}

export function undoStroke() {
  state.strokes.pop();
  apply();
}

async function useAsKeyframe() {
  note("painting anew…");
  const placed = await tell(() =>
    takingTable(() => post(path(`/keyframe/${pts()}`), { strokes: state.strokes })),
  );
  note("");
  if (!placed) return;
  reset();
  say(placed.line);
}

// -- colours -----------------------------------------------------------------

export function togglePicking(on = !state.picking) {
  state.picking = on;
  $("eyedropper").setAttribute("aria-pressed", on);
  document.body.classList.toggle("picking", on);
}

export function toggleErasing() {
  state.erasing = !state.erasing;
  $("eraser").setAttribute("aria-pressed", state.erasing);
}

// The colour under the pointer in a canvas or a picture.
function pick(source, event) {
  const box = source.getBoundingClientRect();
  const size = [source.naturalWidth ?? source.width, source.naturalHeight ?? source.height];
  const canvas = new OffscreenCanvas(5, 5);
  const context = canvas.getContext("2d");
  const x = Math.floor(((event.clientX - box.left) / box.width) * size[0]) - 2;
  const y = Math.floor(((event.clientY - box.top) / box.height) * size[1]) - 2;
  context.drawImage(source, x, y, 5, 5, 0, 0, 5, 5);
  const { data } = context.getImageData(0, 0, 5, 5);
  const sum = [0, 0, 0];
  let count = 0;
  for (let k = 0; k < data.length; k += 4) {
    if (!data[k + 3]) continue;
    count += 1;
    for (let c = 0; c < 3; c += 1) sum[c] += data[k + c];
  }
  if (count) take(sum.map((value) => value / count));
  togglePicking(false);
}

function take(rgb) {
  const [lightness, a, b] = rgbToLab(rgb);
  wheel.set([a, b], lightness);
}

// The wheel shows the colours of the lightness under the pointer.
function lightnessAt(event) {
  if (store.tab !== "retouch" || state.drawing || event.buttons || !view.gray) return;
  const [x, y] = place(event);
  const canvas = $("canvas");
  const column = Math.floor(x * canvas.width);
  const row = Math.floor(y * canvas.height);
  if (column < 0 || row < 0 || column >= canvas.width || row >= canvas.height) return;
  const { data } = canvas.getContext("2d").getImageData(column, row, 1, 1);
  const [lightness] = rgbToLab([data[0], data[1], data[2]]);
  if (Math.abs(lightness - wheel.lightness) > 4) wheel.set(wheel.ab, lightness);
}

let shown = "";

async function swatches() {
  if (store.tab !== "retouch" || !store.times) return;
  const own = shot().references.map(({ digest }) => digest);
  const digests = [...new Set([...own, ...store.film.pool.map(({ digest }) => digest)])].slice(0, 4);
  if (digests.join() === shown) return;
  shown = digests.join();
  const lists = await Promise.all(digests.map((digest) => get(path(`/references/${digest}/colors`)).catch(() => [])));
  const buttonsOf = lists.flat().map((rgb) => {
    const one = make("button", { type: "button", "aria-label": `Colour ${css(rgb)}`, on: { click: () => take(rgb) } });
    one.style.background = css(rgb);
    return one;
  });
  redraw(() => $("swatches").replaceChildren(...buttonsOf));
}

export function startRetouch() {
  wheel = new Wheel($("wheel"), brush);
  brush();
  on("film", () => {
    shown = "";
    reset();
  });
  on("frame", () => state.at !== (store.times ? pts() : null) && reset());
  on("table", reset);
  on("table shot tab", swatches);
  on("tab", () => {
    const retouching = store.tab === "retouch";
    document.body.classList.toggle("retouching", retouching);
    $("overlay").tabIndex = retouching ? 0 : -1;
  });
  const overlay = $("overlay");
  overlay.addEventListener("pointerdown", begin);
  overlay.addEventListener("pointermove", (event) => (state.drawing ? draw(event) : lightnessAt(event)));
  overlay.addEventListener("pointerup", end);
  overlay.addEventListener("pointercancel", end);
  overlay.addEventListener("keydown", keyed);
  overlay.addEventListener("focus", () => overlay.matches(":focus-visible") && cross());
  document.addEventListener(
    "click",
    (event) => {
      if (!state.picking || !event.target.matches("img, .triple canvas")) return;
      event.preventDefault();
      event.stopPropagation();
      pick(event.target, event);
    },
    true,
  );
  $("brush-size").addEventListener("input", brush);
  $("eyedropper").addEventListener("click", () => togglePicking());
  $("eraser").addEventListener("click", toggleErasing);
  $("stroke-undo").addEventListener("click", undoStroke);
  $("stroke-clear").addEventListener("click", () => {
    state.strokes = [];
    apply();
  });
  $("use-keyframe").addEventListener("click", useAsKeyframe);
}
