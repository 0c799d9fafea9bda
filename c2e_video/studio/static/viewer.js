// The picture: gray at once, painted when the scrubber rests, a divider between the two.

import { picture, TAB } from "./api.js";
import { finisheds, forget, grays, painteds, thumb } from "./frames.js";
import { on, path, pts, seek, shot, store } from "./store.js";

const REST = 120; // ms without a step until the frame is painted

const $ = (id) => document.getElementById(id);

export const view = {
  gray: null,
  painted: null,
  shown: "",
  divider: 0.5,
  holding: false,
  playing: 0, // frames a second are multiplied by it; negative plays backwards
  finished: null, // the painted frame as it is on the disk, while it is played
  preview: null, // digest of a candidate that is tried
  saturation: null, // of a slider that is being moved
  retouched: null, // the picture with strokes on it
};

// What the painted picture depends on.
const key = () =>
  [store.film.id, pts(), store.film.version, store.film.saturation, view.preview, view.saturation].join();

// -- gray --------------------------------------------------------------------

let loading = false;

async function loadGray() {
  if (loading) return; // when it is there, the newest is asked for
  loading = true;
  try {
    while (store.times && !grays.has(pts())) {
      const wanted = pts();
      const film = store.film.id;
      const image = await picture(path(`/gray/${wanted}`));
      if (store.film?.id !== film) break;
      if (image) grays.put(wanted, image);
      if (wanted !== pts()) show();
    }
  } catch (error) {
    note(error.message);
  } finally {
    loading = false;
  }
  show();
}

// -- painted -----------------------------------------------------------------

let resting = 0;
let asked = null;

function rest(delay = REST) {
  clearTimeout(resting);
  asked?.abort();
  asked = null;
  if (!store.times || view.playing) return;
  const kept = painteds.take(key());
  if (kept) {
    view.painted = kept;
    show();
    return;
  }
  resting = setTimeout(loadPainted, delay);
}

async function loadPainted() {
  const wanted = key();
  const request = new AbortController();
  asked = request;
  const query = new URLSearchParams({ tab: TAB });
  if (view.preview) query.set("with", view.preview);
  if (view.saturation !== null) query.set("saturation", view.saturation);
  try {
    const image = await picture(path(`/painted/${pts()}?${query}`), { signal: request.signal });
    if (image) painteds.put(wanted, image);
    if (wanted !== key()) return;
    if (image === undefined) {
      rest(); // an older request, given up since, reached the server later
      return;
    }
    view.painted = image;
    note(image ? "" : unpainted());
    show();
  } catch (error) {
    if (error.name !== "AbortError") note(error.message);
  }
}

function unpainted() {
  if (shot().gray) return "this shot is left gray";
  return store.film.pool.length ? "" : "drop a colour picture here";
}

// -- drawing -----------------------------------------------------------------

export function show() {
  if (!store.times) return;
  const gray = grays.take(pts());
  view.gray = gray ?? thumb(pts(), show);
  const painted = view.holding || view.finished ? null : (view.retouched ?? view.painted);
  draw($("canvas"), view.gray, view.finished && !view.holding ? view.finished : painted);
  const right = view.finished && !view.holding ? "finished" : painted ? "painted" : "gray";
  const viewer = $("viewer");
  viewer.dataset.shown = gray || right === "finished" ? right : "thumb";
  viewer.dataset.pts = pts();
  $("label-right").textContent = right === "gray" ? "original" : right;
  $("label-left").hidden = right === "gray" || divided() < 0.08;
  $("divider").hidden = right === "gray" || store.tab === "retouch";
  $("label-right").hidden = divided() > 0.92 && right !== "gray";
  $("canvas").setAttribute("aria-label", `Frame at ${store.times.timecode(pts())}, ${right}`);
}

function draw(canvas, gray, painted) {
  const image = painted ?? gray;
  if (!image) return;
  const sharp = painted ?? (gray instanceof ImageBitmap ? gray : null);
  if (sharp) {
    const height = sharp.height;
    const width = Math.round(height * store.film.aspect);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
  }
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const { width, height } = canvas;
  context.drawImage(image, 0, 0, width, height);
  if (!painted || !gray) return;
  const border = Math.round(divided() * width);
  if (!border) return;
  context.save();
  context.beginPath();
  context.rect(0, 0, border, height);
  context.clip();
  context.drawImage(gray, 0, 0, width, height);
  context.restore();
}

// While colours are brushed, the whole picture is painted.
const divided = () => (store.tab === "retouch" ? 0 : view.divider);

export function note(line) {
  $("viewer-note").textContent = line;
}

function layout() {
  if (!store.film?.aspect) return;
  const { clientWidth, clientHeight } = $("viewer");
  const width = Math.floor(Math.min(clientWidth, clientHeight * store.film.aspect));
  const box = $("picture").style;
  box.width = `${width}px`;
  box.height = `${Math.floor(width / store.film.aspect)}px`;
}

// -- first, middle, last -----------------------------------------------------

let triple = 0;
let tripleKey = "";

async function showTriple() {
  if (!store.times) return;
  const { start, stop } = shot();
  const now = [store.film.id, start, stop, store.film.version, store.film.saturation].join();
  if (now === tripleKey) return;
  tripleKey = now;
  const turn = ++triple;
  const first = store.times.indexOf(start);
  const last = Math.max(first, store.times.indexOf(stop - 1) - (store.times.at(store.times.indexOf(stop - 1)) >= stop ? 1 : 0));
  const places = { first, middle: (first + last) >> 1, last };
  for (const [name, index] of Object.entries(places)) {
    const at = store.times.at(index);
    const canvas = $(`frame-${name}`);
    canvas.dataset.index = index;
    const small = thumb(at, () => turn === triple && !canvas.dataset.painted && draw(canvas, thumb(at), null));
    delete canvas.dataset.painted;
    if (small) draw(canvas, small, null);
  }
  await new Promise((done) => setTimeout(done, 400));
  for (const [name, index] of Object.entries(places)) {
    while (view.playing || $("viewer").dataset.shown === "thumb") {
      if (turn !== triple) return;
      await new Promise((done) => setTimeout(done, 200));
    }
    if (turn !== triple) return;
    try {
      const at = store.times.at(index);
      const image =
        (await picture(path(`/painted/${at}?tab=${TAB}-${name}`))) ?? (await picture(path(`/gray/${at}`)));
      if (turn !== triple || !image) continue;
      const canvas = $(`frame-${name}`);
      canvas.dataset.painted = "yes";
      canvas.height = 0; // its size is taken anew
      draw(canvas, null, image);
      image.close();
    } catch {
      return; // the viewer says what is wrong
    }
  }
}

// -- the rest of the page's business -------------------------------------------

export function refresh(delay = REST) {
  if (!store.times) return;
  view.painted = painteds.take(key()) ?? null;
  view.finished = null;
  if (view.playing) {
    view.painted = null;
    view.finished = finisheds.take(pts()) ?? null;
  }
  if (!grays.has(pts()) && !view.finished) loadGray();
  show();
  rest(delay);
  if (!view.playing) showTriple();
}

export function hold(held) {
  view.holding = held;
  show();
}

export function setDivider(share) {
  view.divider = Math.min(Math.max(0, share), 1);
  const divider = $("divider");
  divider.style.left = `${100 * view.divider}%`;
  divider.setAttribute("aria-valuenow", Math.round(100 * view.divider));
  show();
}

function dragDivider(event) {
  if (event.buttons !== 1) return;
  const box = $("picture").getBoundingClientRect();
  setDivider((event.clientX - box.left) / box.width);
}

export function startViewer() {
  on("film", () => {
    forget();
    tripleKey = "";
    Object.assign(view, { gray: null, painted: null, retouched: null, preview: null, playing: 0, finished: null });
    note(store.film?.error ?? "");
    layout();
  });
  on("frame", () => {
    view.retouched = null;
    refresh();
  });
  on("table", () => refresh(0));
  on("tab", show);
  new ResizeObserver(layout).observe($("viewer"));
  const divider = $("divider");
  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    dragDivider(event);
  });
  divider.addEventListener("pointermove", dragDivider);
  divider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
    if (!step) return;
    setDivider(view.divider + step);
    event.preventDefault();
    event.stopPropagation();
  });
  for (const name of ["first", "middle", "last"]) {
    const canvas = $(`frame-${name}`);
    canvas.addEventListener("click", () => canvas.dataset.index && seek(Number(canvas.dataset.index)));
  }
  setDivider(0.5);
}
