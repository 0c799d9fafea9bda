// The pictures of a shot: its keyframes in time, and what else could colour it.

import { get, post, TAB, tell } from "./api.js";
import { $, button, make, redraw } from "./dom.js";
import { say } from "./messages.js";
import { edit, on, path, pts, seek, shot, shotIndex, store, takingTable } from "./store.js";
import { note, refresh, view } from "./viewer.js";

const image = (digest) => `api/${path(`/references/${digest}?small`)}`;

function keyframe(reference) {
  const index = shotIndex();
  const where = reference.at === null ? "colours the whole shot" : `frame at ${store.times.timecode(reference.at)}`;
  const go = () => reference.at !== null && seek(store.times.indexOf(reference.at));
  return make(
    "li",
    { "data-digest": reference.digest },
    make("img", { src: image(reference.digest), alt: reference.name, on: { click: go } }),
    make("span", { class: "name", text: reference.name, title: reference.name }),
    make("span", { class: "line", text: where }),
    button("✕", () => edit("remove", { shot: index, digest: reference.digest, at: reference.at }), {
      "aria-label": `Remove ${reference.name} from shot ${index + 1}`,
      class: "icon",
    }),
  );
}

function line() {
  const { start, stop, references } = shot();
  const share = (at) => `${(100 * (at - start)) / (stop - start)}%`;
  const marks = references
    .filter(({ at }) => at !== null)
    .map(({ at }) => {
      const mark = make("i");
      mark.style.left = share(at);
      return mark;
    });
  const now = make("b");
  now.style.left = share(pts());
  $("keyframe-line").replaceChildren(...marks, now);
}

// The network is asked for candidates only while they can be seen.
let asked = 0;

async function candidates() {
  if (store.tab !== "references" || !store.times) return;
  const turn = ++asked;
  const index = shotIndex();
  const found = await tell(() => get(path(`/candidates/${index}?tab=${TAB}`)));
  if (!found) return;
  redraw(() => {
    if (turn === asked) $("candidates").replaceChildren(...found.map((one) => candidate(one, index)));
  });
}

function candidate({ digest, name, score, level, own }, index) {
  const preview = (wanted) => () => {
    view.preview = wanted;
    note(wanted ? `preview with ${name}` : "");
    refresh(0);
  };
  const words = { covered: "close", fading: "fair", uncovered: "far" }[level];
  return make(
    "li",
    {
      "data-digest": digest,
      tabindex: own ? 0 : false,
      on: {
        mouseenter: preview(digest),
        mouseleave: preview(null),
        focusin: preview(digest),
        focusout: preview(null),
      },
    },
    make("img", { src: image(digest), alt: name }),
    make("span", { class: "name", text: name, title: name }),
    make("span", { class: "line", text: score === null ? "not compared" : `${words} (${score.toFixed(2)})` }),
    own
      ? make("span", { class: "quiet", text: "in use" })
      : button("Use", () => {
          preview(null)();
          edit("use", { shot: index, digest });
        }, { "aria-label": `Use ${name} for shot ${index + 1}`, title: "Instead of the shot's own" }),
  );
}

function list() {
  if (!store.times) return;
  const one = shot();
  $("references-title").textContent = `Keyframes of shot ${shotIndex() + 1}`;
  $("keyframes").replaceChildren(...one.references.map(keyframe));
  $("keyframes-empty").hidden = one.references.length > 0;
  $("disagree").hidden = !one.disagree;
  $("disagree").textContent = one.disagree;
  line();
  candidates();
}

// A picture that was dropped or chosen. On the viewer it belongs to the frame that is shown.
export async function addPicture(file, where) {
  note(`looking where ${file.name} belongs…`);
  const query = new URLSearchParams({ name: file.name, ...where });
  const placed = await tell(() => takingTable(() => post(path(`/references?${query}`), file)));
  note("");
  if (!placed) return;
  say(placed.line);
  if (placed.at !== null) seek(store.times.indexOf(placed.at));
}

async function exportFrame() {
  const written = await tell(() => post(path(`/still/${pts()}`)));
  if (!written) return;
  say(written.line);
  $("export-note").textContent = `Waiting for a painting: ${written.name}`;
}

export function startReferences() {
  on("film table shot tab", () => redraw(list));
  on("frame", () => store.times && store.tab === "references" && line());
  on("film", () => {
    $("export-note").textContent = "";
  });
  $("export").addEventListener("click", exportFrame);
  $("add-picture").addEventListener("change", (event) => {
    for (const file of event.target.files) addPicture(file, { pts: pts() });
    event.target.value = "";
  });
}
