// The panel's four pages.

import { $ } from "./dom.js";
import { changed, store } from "./store.js";

export const TABS = ["shots", "references", "retouch", "paint"];

export function selectTab(name, focus = false) {
  store.tab = name;
  for (const tab of TABS) {
    const selected = tab === name;
    $(`tab-${tab}`).setAttribute("aria-selected", selected);
    $(`tab-${tab}`).tabIndex = selected ? 0 : -1;
    $(`panel-${tab}`).hidden = !selected;
  }
  if (focus) $(`tab-${name}`).focus();
  changed("tab");
}

export function startTabs() {
  for (const [place, tab] of TABS.entries()) {
    const element = $(`tab-${tab}`);
    element.addEventListener("click", () => selectTab(tab));
    element.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      selectTab(TABS[(place + step + TABS.length) % TABS.length], true);
    });
  }
  $("go-paint").addEventListener("click", () => selectTab("paint", true));
}
