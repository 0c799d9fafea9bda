// Files dropped anywhere: a picture on a shot or on the viewer, a film on the list.

import { $ } from "./dom.js";
import { openFilm } from "./films.js";
import { say } from "./messages.js";
import { addPicture } from "./references.js";
import { pts, shotAt, store } from "./store.js";
import { ptsAt } from "./timeline.js";

const isPicture = (file) => file.type.startsWith("image/");

// Where a picture would go: the element to mark, in words, and what the server is told.
function target(event) {
  if (!store.times || $("film-view").hidden) return null;
  const item = event.target.closest?.(".shot");
  if (item) {
    const shot = Number(item.dataset.shot);
    return { box: item.getBoundingClientRect(), line: `shot ${shot + 1}`, where: { shot } };
  }
  if (event.target === $("timeline")) {
    const shot = shotAt(ptsAt(event.clientX));
    return { box: $("timeline").getBoundingClientRect(), line: `shot ${shot + 1}`, where: { shot } };
  }
  return { box: $("viewer").getBoundingClientRect(), line: `shot ${shotAt(pts()) + 1}`, where: { pts: pts() } };
}

function hint(place) {
  const element = $("drop-hint");
  element.hidden = !place;
  if (!place) return;
  Object.assign(element.style, {
    left: `${place.box.left}px`,
    top: `${place.box.top}px`,
    width: `${place.box.width}px`,
    height: `${place.box.height}px`,
  });
  element.textContent = place.line;
}

function over(event) {
  if (![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
  hint(target(event) ?? { box: $("films-view").getBoundingClientRect(), line: "open this film" });
}

async function dropped(event) {
  if (![...event.dataTransfer.types].includes("Files")) return;
  event.preventDefault();
  hint(null);
  const place = target(event);
  for (const file of event.dataTransfer.files) {
    if (!isPicture(file)) await openFilm({ dropped: file.name, size: file.size });
    else if (place) await addPicture(file, place.where);
    else say("open a film first; then drop the picture on one of its shots", true);
  }
}

export function startDrop() {
  document.addEventListener("dragover", over);
  document.addEventListener("drop", dropped);
  document.addEventListener("dragleave", (event) => !event.relatedTarget && hint(null));
}
