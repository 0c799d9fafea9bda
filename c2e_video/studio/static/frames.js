// Pictures of the film that were loaded, kept for a while.

import { path } from "./store.js";

const KEPT = 48; // pictures of each kind
const KEPT_THUMBS = 1500;

class Kept extends Map {
  take(key) {
    const value = this.get(key);
    if (value) {
      this.delete(key);
      this.set(key, value);
    }
    return value;
  }

  put(key, value) {
    this.set(key, value);
    if (this.size > KEPT) {
      const [oldest, old] = this.entries().next().value;
      this.delete(oldest);
      old.close?.();
    }
    return value;
  }
}

export const grays = new Kept();
export const painteds = new Kept();
export const finisheds = new Kept();
const thumbs = new Map();

// A small gray picture of the nearest half second, which stands in until the frame is there.
export function thumb(at, ready) {
  const name = path(`/thumb/${at}`);
  let image = thumbs.get(name);
  if (!image) {
    image = new Image();
    image.src = `api/${name}`;
    thumbs.set(name, image);
    if (thumbs.size > KEPT_THUMBS) thumbs.delete(thumbs.keys().next().value);
  }
  if (image.complete) return image.naturalWidth ? image : null;
  if (ready) image.addEventListener("load", ready, { once: true });
  return null;
}

// Another film: nothing of the last one is kept.
export function forget() {
  for (const kept of [grays, painteds, finisheds, thumbs]) kept.clear();
}
