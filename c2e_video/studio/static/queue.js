// Runs: what is painted, what waits, what is kept on the disk.

import { post, tell } from "./api.js";
import { $, button, make, redraw } from "./dom.js";
import { loadQueue, on, store } from "./store.js";
import { length } from "./times.js";

const act = (job, action, body = {}) =>
  tell(async () => {
    await post(`queue/${job.id}/${action}`, body);
    await loadQueue();
  });

const WORDS = {
  waiting: "waits",
  painting: "is being painted",
  stopping: "is stopping…",
  stopped: "stopped",
  done: "done",
  failed: "could not be painted",
};
const STAGES = { analyzing: "looking at the film", colorizing: "painting" };

function facts(job) {
  if (job.state !== "painting" && job.state !== "stopping") return WORDS[job.state];
  const parts = [STAGES[job.stage] ?? (job.stage || "starting")];
  if (job.total) parts.push(`${job.done} of ${job.total} frames`);
  if (job.stage === "colorizing" && job.rate) parts.push(`${job.rate.toFixed(1)} frames/s`);
  if (job.stage === "colorizing" && job.left !== null) parts.push(`${length(job.left)} left`);
  return parts.join(" · ");
}

const range = ({ start, end }) => (start || end ? `, ${start || "beginning"} to ${end || "end"}` : "");

function buttons(job, place, count) {
  const found = [];
  if (job.state === "painting" || job.state === "waiting") found.push(button("Stop", () => act(job, "stop")));
  if (job.state === "stopped") found.push(button("Resume", () => act(job, "start")));
  if (job.state === "failed") found.push(button("Try again", () => act(job, "start")));
  if (["stopped", "failed", "done"].includes(job.state)) {
    found.push(button("Begin anew", () => act(job, "restart"), { title: "Forget what is painted and paint it as the shots are now" }));
    found.push(button("Remove", () => act(job, "remove"), { title: "From the list; files stay" }));
  }
  if (count > 1) {
    found.push(button("↑", () => act(job, "move", { place: place - 1 }), { "aria-label": "Earlier", disabled: place === 0 }));
    found.push(button("↓", () => act(job, "move", { place: place + 1 }), { "aria-label": "Later", disabled: place === count - 1 }));
  }
  return make("div", { class: "buttons" }, ...found);
}

const pictures = new Map();

// The frame that was painted last. The element stays while the list around it is made anew.
function newest(job) {
  const source = `api/queue/${job.id}/picture?${job.picture}`;
  const known = pictures.get(job.id) ?? make("img", { alt: "The frame painted last", hidden: true });
  pictures.set(job.id, known);
  if (known.dataset.source !== source) {
    known.dataset.source = source;
    const next = new Image();
    next.addEventListener("load", () => {
      known.src = next.src;
      known.hidden = false;
    });
    next.src = source;
  }
  return known;
}

function entry(job, place, count) {
  const running = job.state === "painting" || job.state === "stopping";
  const bar = running ? make("progress", { "aria-label": `Progress of ${job.name}` }) : null;
  if (bar && job.total) {
    bar.max = job.total;
    bar.value = job.done;
  }
  return make(
    "li",
    { "data-job": job.id, "data-state": job.state },
    make("span", { class: "name", text: job.name }),
    make("span", { class: "quiet", text: `${job.options.profile}, ${job.options.quality}${range(job.options)}` }),
    make("span", { text: facts(job) }),
    bar,
    buttons(job, place, count),
    running && job.picture ? newest(job) : null,
    job.kept ? make("span", { class: "quiet", text: job.kept }) : null,
    job.on_disk ? make("span", { class: "quiet", text: job.on_disk }) : null,
    job.error ? make("span", { class: "problem", text: job.error }) : null,
    job.notes.length ? make("ul", {}, ...job.notes.map((text) => make("li", { class: "quiet", text }))) : null,
  );
}

function list() {
  const entries = (wanted) =>
    store.queue
      .map((job, place) => (wanted(job) ? entry(job, place, store.queue.length) : null))
      .filter((element) => element);
  // One of the two lists is on the screen.
  const film = Boolean(store.film);
  keepFocus($("queue-all"), film ? [] : entries(() => true));
  keepFocus($("queue-film"), film ? entries((job) => job.film === store.film.id) : []);
  $("queue-empty").hidden = store.queue.length > 0;
  const running = store.queue.find(({ state }) => state === "painting");
  $("running").textContent = running ? `${running.name}: ${facts(running)}` : "";
  video();
}

// Lists are made anew twice a second while painting: the button that has the focus keeps it.
function keepFocus(box, elements) {
  const focused = box.contains(document.activeElement) ? document.activeElement : null;
  const job = focused?.closest("[data-job]")?.dataset.job;
  const text = focused?.textContent;
  box.replaceChildren(...elements);
  if (!job) return;
  const same = [...box.querySelectorAll(`[data-job="${job}"] button`)].find((one) => one.textContent === text);
  same?.focus();
}

let playing = "";

function video() {
  const done = store.queue.find(({ film, state, options }) => film === store.film?.id && state === "done" && options.profile === "web");
  const element = $("finished-video");
  element.hidden = !done;
  const source = done ? `api/queue/${done.id}/output?${done.finished ?? ""}` : "";
  if (source === playing) return;
  playing = source;
  if (done) element.src = source;
  else element.removeAttribute("src");
}

export function startQueue() {
  on("queue film", () => redraw(list));
}
