// Keeps the page current without moving what is being read: items are compared by id and version,
// so only new or changed ones touch the document, and open details, focus and scroll stay.
"use strict";

const EVERY_MS = 1500;
let tag = "";

function mergeItem(current, fresh) {
  if (current.dataset.version === fresh.dataset.version) return;
  const open = new Set([...current.querySelectorAll("details[open]")].map((item) => item.id));
  const focused = current.contains(document.activeElement) ? document.activeElement.id : "";
  current.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((item) => { item.open = open.has(item.id); });
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

function mergeList(current, fresh) {
  const wanted = [...fresh.children];
  const ids = new Set(wanted.map((item) => item.id));
  [...current.children].filter((item) => !ids.has(item.id)).forEach((item) => item.remove());
  wanted.forEach((item, index) => {
    const known = document.getElementById(item.id);
    if (known) mergeItem(known, item);
    else current.insertBefore(item, current.children[index] ?? null);
  });
}

// The element at the top of the window stays where it is, however much appears above it.
function keepingPlace(change) {
  const items = [...document.querySelectorAll("[data-list] > [id]")];
  const anchor = window.scrollY > 0 && items.find((item) => item.getBoundingClientRect().bottom > 0);
  const before = anchor ? anchor.getBoundingClientRect().top : 0;
  change();
  const now = anchor && document.getElementById(anchor.id);
  if (now) window.scrollBy({ top: now.getBoundingClientRect().top - before, behavior: "instant" });
}

function merge(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const lists = [...document.querySelectorAll("[data-list]")];
  const freshLists = [...fresh.querySelectorAll("[data-list]")];
  keepingPlace(() => lists.forEach((list, index) => mergeList(list, freshLists[index])));
}

async function refresh() {
  const answer = await fetch("/board", { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
  if (answer.status === 304) return;
  if (!answer.ok) throw new Error(`the inbox answered ${answer.status}`);
  tag = answer.headers.get("ETag") ?? "";
  merge(await answer.text());
}

function say(text, state) {
  const status = document.getElementById("status");
  if (status.textContent !== text) status.textContent = text;
  status.dataset.state = state;
}

async function keepFresh() {
  try {
    if (!document.hidden) await refresh();
    say("Live", "live");
  } catch {
    say("Not connected; trying again", "lost");
  }
  setTimeout(keepFresh, EVERY_MS);
}

keepFresh();
