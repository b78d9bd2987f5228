// Keeps a page up to date while it is looked at: asks for it again, and changes what is not the same any more, in place,
// so that scrolling, focus, selection and opened details stay. Without it the page reads and works all the same.
"use strict";

(() => {
  const LONGEST_SECONDS = 120;
  let failures = 0;
  let timer = 0;

  // The soonest that the page, or a part of it, asks for.
  const seconds = () =>
    Math.min(...[...document.querySelectorAll("[data-live]")].map((each) => Number(each.dataset.live) || Infinity));

  function plan() {
    clearTimeout(timer);
    if (seconds() < Infinity && !document.hidden) {
      timer = setTimeout(look, Math.min(seconds() * 2 ** failures, LONGEST_SECONDS) * 1000);
    }
  }

  async function look() {
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      update(fresh);
      failures = 0;
    } catch {
      failures += 1;
    }
    document.getElementById("behind").hidden = failures === 0;
    plan();
  }

  function update(fresh) {
    const focused = document.activeElement;
    for (const region of document.querySelectorAll("[data-region]")) {
      const other = fresh.querySelector(`[data-region="${CSS.escape(region.dataset.region)}"]`);
      if (other && !isWrittenIn(region)) become(region, other);
    }
    // An element that moves loses the focus.
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    if (fresh.body.dataset.live) document.body.dataset.live = fresh.body.dataset.live;
    else delete document.body.dataset.live;
  }

  // Whoever types there must not lose it.
  function isWrittenIn(region) {
    const focused = document.activeElement;
    return region.contains(focused) && focused.matches("input, select, textarea");
  }

  // Makes one element like the other, keeping every node that can be kept.
  function become(old, other) {
    if (old.isEqualNode(other)) return;
    copyAttributes(old, other);
    let place = old.firstChild;
    for (const wanted of [...other.childNodes]) {
      const kept = findKept(place, wanted);
      if (!kept) {
        old.insertBefore(document.importNode(wanted, true), place);
        continue;
      }
      if (kept === place) place = place.nextSibling;
      else old.insertBefore(kept, place);
      if (wanted.nodeType === Node.ELEMENT_NODE) become(kept, wanted);
      else if (kept.nodeValue !== wanted.nodeValue) kept.nodeValue = wanted.nodeValue;
    }
    while (place) {
      const rest = place.nextSibling;
      place.remove();
      place = rest;
    }
  }

  // The node that is to become `wanted`: by its id wherever it stands among the rest, else the next one if it is alike.
  function findKept(place, wanted) {
    if (wanted.id) {
      for (let node = place; node; node = node.nextSibling) if (node.id === wanted.id) return node;
      return null;
    }
    return place && !place.id && place.nodeName === wanted.nodeName ? place : null;
  }

  function copyAttributes(old, other) {
    for (const { name } of [...old.attributes]) {
      // What people opened stays open.
      if (!other.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of other.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : seconds() < Infinity && look()));
  // Back from a page that a form led to: what the browser kept is old, and its forms are sent.
  addEventListener("pageshow", (event) => event.persisted && look());
  plan();
})();
