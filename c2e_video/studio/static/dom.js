// Elements, shortly.

export const $ = (id) => document.getElementById(id);

export function make(tag, { text, class: name, on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  for (const [kind, listener] of Object.entries(on)) element.addEventListener(kind, listener);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// A button that says what it does to a screen reader, too.
export const button = (text, act, more = {}) => make("button", { type: "button", text, on: { click: act }, ...more });

// Lists are made anew when news come. While a pointer is pressed they wait: a button that is replaced before it is
// let go would get no click.
let pressed = false;
const waiting = new Set();

export function redraw(work) {
  if (pressed) waiting.add(work);
  else work();
}

function released() {
  pressed = false;
  setTimeout(() => {
    const works = [...waiting];
    waiting.clear();
    works.forEach(redraw);
  });
}

document.addEventListener("pointerdown", () => (pressed = true), true);
for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, released, true);
