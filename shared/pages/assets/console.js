// Keeps a page current without losing what one types: only regions whose served HTML has changed
// are replaced, and one with forms only while nobody is using it. Without this the pages work, too.
"use strict";

const every = Number(document.body.dataset.every) * 1000;
const shown = new Map();

function remember(root) {
  for (const region of root.querySelectorAll("[data-live]")) shown.set(region.id, region.outerHTML);
}

function isInUse(region) {
  if (region.querySelector("input, textarea, select") === null) return false;
  if (region.contains(document.activeElement)) return true;
  return [...region.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== "");
}

function address(element) {
  if (element.tagName === "SUMMARY") return `#${CSS.escape(element.parentElement.id)} > summary`;
  return element.id ? `#${CSS.escape(element.id)}` : "";
}

function replace(current, fresh) {
  const open = [...current.querySelectorAll("details[open]")].map((details) => details.id);
  const focused = current.contains(document.activeElement) ? address(document.activeElement) : "";
  current.replaceWith(fresh);
  for (const details of fresh.querySelectorAll("details")) details.open = open.includes(details.id);
  if (focused) document.querySelector(focused)?.focus({ preventScroll: true });
}

function merge(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const regions = [...page.querySelectorAll("[data-live]")];
  const ids = new Set(regions.map((region) => region.id));
  for (const fresh of regions) {
    const served = fresh.outerHTML;
    const current = document.getElementById(fresh.id);
    if (current === null || shown.get(fresh.id) === served || isInUse(current)) continue;
    shown.set(fresh.id, served);
    replace(current, document.adoptNode(fresh));
  }
  for (const current of document.querySelectorAll("[data-live]")) {
    if (!ids.has(current.id) && !isInUse(current)) current.remove();
  }
  if (document.title !== page.title) document.title = page.title;
}

function say(text, state) {
  const live = document.getElementById("live");
  live.hidden = false;
  if (live.textContent !== text) live.textContent = text;
  live.dataset.state = state;
}

async function refresh() {
  try {
    if (!document.hidden) {
      const answer = await fetch(location.pathname, { cache: "no-store" });
      if (!answer.ok) throw new Error(`answered ${answer.status}`);
      merge(await answer.text());
    }
    say("Live", "live");
  } catch {
    say("Not connected; trying again", "lost");
  }
  setTimeout(refresh, every);
}

remember(document);
history.replaceState(null, "", location.pathname + location.hash);
// After the load, because the browser moves the focus to the fragment itself until then.
addEventListener("load", () => {
  if (location.hash === "#acknowledge") document.querySelector("#acknowledge button")?.focus();
});
if (every) setTimeout(refresh, Math.min(every, 1000));
