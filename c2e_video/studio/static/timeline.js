// The film along the bottom: a block a shot, coverage over time under it, what is painted under that.

import { on, pts, seek, shotIndex, store } from "./store.js";
import { thumb } from "./frames.js";

const RULER = 18;
const STRIP = 72;
const COVERAGE = 10;
const DONE = 4;
const GAP = 2;
const COLORS = { covered: "#4f9d63", fading: "#d9a13a", uncovered: "#cf4a41" };

const canvas = document.getElementById("timeline");
let zoom = 1;
let offset = 0; // of the left edge, in px of the zoomed film
let drawing = false;

const width = () => canvas.clientWidth;
const span = () => {
  const first = store.film.shots[0].start;
  return [first, store.film.stop - first];
};

function x(at) {
  const [first, whole] = span();
  return ((at - first) / whole) * width() * zoom - offset;
}

export function ptsAt(clientX) {
  const [first, whole] = span();
  const inside = clientX - canvas.getBoundingClientRect().left;
  return first + ((inside + offset) / (width() * zoom)) * whole;
}

export function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (store.times && width()) paint();
  });
}

function paint() {
  const scale = devicePixelRatio;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width() * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width() * scale);
    canvas.height = Math.round(height * scale);
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.fillStyle = "#1b1b1b";
  context.fillRect(0, 0, width(), height);
  ruler(context);
  store.film.shots.forEach((shot, index) => block(context, shot, index));
  context.fillStyle = "#bdbdbd";
  for (const [start, stop] of store.film.finished) {
    context.fillRect(x(start), RULER + STRIP + COVERAGE + 2 * GAP, x(stop) - x(start), DONE);
  }
  playhead(context, height);
}

function ruler(context) {
  const [first, whole] = span();
  const seconds = store.times.seconds(whole);
  const wanted = (seconds / (width() * zoom)) * 110;
  const step = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600].find((s) => s >= wanted) ?? 7200;
  const start = store.times.seconds(first);
  context.fillStyle = "#9a9a9a";
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  for (let time = Math.ceil(start / step) * step; time <= start + seconds; time += step) {
    const place = ((time - start) / seconds) * width() * zoom - offset;
    if (place < -60 || place > width()) continue;
    context.fillRect(place, RULER - 5, 1, 4);
    const whole = step >= 1 ? 8 : 10;
    context.fillText(store.times.timecode(first + ((time - start) / seconds) * span()[1]).slice(0, whole), place + 4, RULER / 2);
  }
}

function block(context, shot, index) {
  const left = x(shot.start);
  const right = x(shot.stop);
  if (right < 0 || left > width()) return;
  const wide = Math.max(1, right - left - 1);
  context.save();
  context.beginPath();
  context.rect(left, RULER, wide, STRIP);
  context.clip();
  context.fillStyle = index % 2 ? "#2b2b2b" : "#333";
  context.fillRect(left, RULER, wide, STRIP);
  if (wide > 12) thumbs(context, shot, left, right);
  if (shot.gray) {
    context.fillStyle = "rgb(0 0 0 / 55%)";
    context.fillRect(left, RULER, wide, STRIP);
  }
  if (wide > 26) number(context, index, left, shot);
  if (shot.dissolve) {
    context.fillStyle = "rgb(255 255 255 / 30%)";
    context.beginPath();
    context.moveTo(left, RULER);
    context.lineTo(x(shot.start + shot.dissolve), RULER);
    context.lineTo(left, RULER + STRIP);
    context.fill();
  }
  context.restore();
  keyframes(context, shot);
  coverage(context, shot, left, right);
  if (index === shotIndex()) {
    context.strokeStyle = "#fff";
    context.lineWidth = 2;
    context.strokeRect(left + 1, RULER + 1, Math.max(1, wide - 2), STRIP - 2);
  }
}

function thumbs(context, shot, left, right) {
  const wide = Math.max(8, STRIP * store.film.aspect);
  const count = Math.max(1, Math.round((right - left) / wide));
  const each = (right - left) / count;
  for (let k = 0; k < count; k += 1) {
    const place = left + k * each;
    if (place + each < 0 || place > width()) continue;
    const at = shot.start + ((k + 0.5) / count) * (shot.stop - shot.start);
    const image = thumb(store.times.at(store.times.indexOf(Math.min(at, shot.stop - 1))), draw);
    if (!image) continue;
    // Cut to the block, not squeezed into it.
    const share = Math.min(1, each / wide);
    const cut = image.naturalWidth * share;
    context.drawImage(image, (image.naturalWidth - cut) / 2, 0, cut, image.naturalHeight, place, RULER, each, STRIP);
  }
}

function number(context, index, left, shot) {
  const text = `${index + 1}${shot.gray ? " gray" : ""}${shot.disagree ? " ⚠" : ""}`;
  context.font = "600 11px system-ui, sans-serif";
  const wide = context.measureText(text).width + 10;
  context.fillStyle = "rgb(0 0 0 / 65%)";
  context.fillRect(Math.max(left, 0) + 4, RULER + 4, wide, 16);
  context.fillStyle = "#fff";
  context.textBaseline = "middle";
  context.fillText(text, Math.max(left, 0) + 9, RULER + 12.5);
}

function keyframes(context, shot) {
  context.fillStyle = "#fff";
  context.strokeStyle = "#000";
  context.lineWidth = 1;
  for (const { at } of shot.references) {
    if (at === null) continue;
    const place = x(at);
    const middle = RULER + STRIP - 9;
    context.beginPath();
    context.moveTo(place, middle - 6);
    context.lineTo(place + 6, middle);
    context.lineTo(place, middle + 6);
    context.lineTo(place - 6, middle);
    context.closePath();
    context.fill();
    context.stroke();
  }
}

export const stretches = (shot) => (shot.coverage ?? []).map(([start, stop, state]) => ({ start, stop, state }));

function coverage(context, shot, left, right) {
  const top = RULER + STRIP + GAP;
  context.fillStyle = "#3a3a3a";
  context.fillRect(left, top, Math.max(1, right - left - 1), COVERAGE);
  if (shot.gray) return;
  for (const { start, stop, state } of stretches(shot)) {
    context.fillStyle = COLORS[state] ?? "#777";
    const end = stop === shot.stop ? right - 1 : x(stop);
    context.fillRect(x(start), top, Math.max(1, end - x(start)), COVERAGE);
  }
}

function playhead(context, height) {
  const place = Math.round(x(pts())) + 0.5;
  context.strokeStyle = "#fff";
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(place, 0);
  context.lineTo(place, height);
  context.stroke();
  context.fillStyle = "#fff";
  context.beginPath();
  context.moveTo(place - 6, 0);
  context.lineTo(place + 6, 0);
  context.lineTo(place, 8);
  context.fill();
}

export function setZoom(value, around = null) {
  const middle = around ?? width() / 2;
  const place = (middle + offset) / zoom;
  zoom = Math.min(Math.max(1, value), 400);
  scroll(place * zoom - middle);
}

function scroll(value) {
  offset = Math.min(Math.max(0, value), width() * (zoom - 1));
  draw();
}

function follow() {
  if (!store.times || zoom === 1) return;
  const place = x(pts());
  if (place < 0 || place > width()) scroll(place + offset - width() * 0.1);
}

function scrub(event) {
  if (event.buttons !== 1 || !store.times) return;
  const at = ptsAt(event.clientX);
  const after = store.times.indexOf(at);
  seek(store.times.at(after) > at ? after - 1 : after);
}

export function startTimeline() {
  on("film table frame coverage finished", draw);
  on("film", () => {
    zoom = 1;
    offset = 0;
  });
  on("frame", () => {
    follow();
    if (!store.times) return;
    canvas.setAttribute("aria-valuemax", store.times.count - 1);
    canvas.setAttribute("aria-valuenow", store.index);
    canvas.setAttribute(
      "aria-valuetext",
      `${store.times.timecode(pts())}, shot ${shotIndex() + 1} of ${store.film.shots.length}`,
    );
  });
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    scrub(event);
  });
  canvas.addEventListener("pointermove", scrub);
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const inside = event.clientX - canvas.getBoundingClientRect().left;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        scroll(offset + event.deltaX + (event.shiftKey ? event.deltaY : 0));
      } else setZoom(zoom * Math.exp(-event.deltaY / 300), inside);
    },
    { passive: false },
  );
  document.getElementById("zoom-in").addEventListener("click", () => setZoom(zoom * 1.6));
  document.getElementById("zoom-out").addEventListener("click", () => setZoom(zoom / 1.6));
  new ResizeObserver(() => scroll(offset)).observe(canvas);
}
