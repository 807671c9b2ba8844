"use strict";
// The page works without this script: it filters, finds, opens what a link names, and walks the map.

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// What is wider than its place can be scrolled by keyboard everywhere.
const reach = () => {
  for (const box of all(".box, pre")) {
    const caption = box.querySelector("caption");
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", caption ? caption.textContent : "Code");
    } else for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
  }
};
addEventListener("resize", reach);
addEventListener("toggle", reach, true);
reach();

// A link to something inside a closed part opens it.
const openUp = (target) => {
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
};
const follow = () => {
  let name = location.hash.slice(1);
  try { name = decodeURIComponent(name); } catch { return; }
  const target = name && document.getElementById(name);
  if (!target) return;
  openUp(target);
  const doc = target.closest(".room > .doc");
  if (!doc) { target.scrollIntoView(); return; }
  doc.hidden = false;
  doc.scrollIntoView();
  doc.querySelector("summary").focus({ preventScroll: true });
};
addEventListener("hashchange", follow);

// Filters of the reading room.
(() => {
  const form = document.querySelector(".find");
  if (!form) return;
  const docs = all(".room > .doc");
  const controls = all("[data-by]", form);
  const shown = form.querySelector("[aria-live]");
  for (const select of all("select", form)) {
    const values = new Set(docs.map((doc) => doc.dataset[select.dataset.by]));
    for (const value of [...values].sort()) select.add(new Option(value, value));
  }
  const texts = new Map();
  const textOf = (doc) => {
    if (!texts.has(doc)) texts.set(doc, doc.textContent.toLowerCase());
    return texts.get(doc);
  };
  const fits = (doc, control) => {
    const wanted = control.value.trim();
    if (!wanted) return true;
    if (control.dataset.by !== "text") return doc.dataset[control.dataset.by] === wanted;
    return textOf(doc).includes(wanted.toLowerCase());
  };
  const filter = () => {
    let number = 0;
    for (const doc of docs) {
      doc.hidden = !controls.every((control) => fits(doc, control));
      number += !doc.hidden;
    }
    shown.textContent = `${number} of ${docs.length} shown`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button").addEventListener("click", () => {
    const choice = docs.filter((doc) => !doc.hidden);
    if (!choice.length) return;
    const doc = choice[Math.floor(Math.random() * choice.length)];
    doc.open = true;
    doc.scrollIntoView();
    doc.querySelector("summary").focus({ preventScroll: true });
  });
  form.hidden = false;
  filter();
})();

// The map: what is under the pointer, or where the arrow keys lead, is named below it.
(() => {
  const box = document.querySelector("[data-map]");
  const held = document.getElementById("points");
  if (!box || !held) return;
  const points = JSON.parse(held.textContent);
  const number = points.title.length;
  const svg = box.firstElementChild;
  const here = box.parentElement.querySelector(".here");
  const make = (name, attributes) => {
    const made = document.createElementNS(svg.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return svg.appendChild(made);
  };
  const x = (i) => points.at[2 * i];
  const y = (i) => points.at[2 * i + 1];
  const ring = make("circle", { class: "ring", r: 9, cx: -99, cy: -99 });
  let at = -1;
  const tell = (i) => {
    at = i;
    ring.setAttribute("cx", x(i));
    ring.setAttribute("cy", y(i));
    const where = points.sections[points.section[i]];
    here.textContent =
      `${points.title[i]} (${points.streams[points.stream[i]]}, ${points.kinds[points.kind[i]]}; ${where})`;
  };
  const nearest = (px, py, allowed) => {
    let best = -1, least = Infinity;
    for (let i = 0; i < number; i++) {
      if (allowed && !allowed(i)) continue;
      const gap = (x(i) - px) ** 2 + (y(i) - py) ** 2;
      if (gap < least) { least = gap; best = i; }
    }
    return best;
  };
  box.addEventListener("pointermove", (event) => {
    const to = svg.getScreenCTM().inverse();
    const spot = new DOMPoint(event.clientX, event.clientY).matrixTransform(to);
    const found = nearest(spot.x, spot.y);
    if (found >= 0 && found !== at) tell(found);
  });
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  box.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    if (at < 0) { tell(nearest(524, 334)); return; }
    const [ax, ay] = [x(at), y(at)];
    const ahead = (i) => {
      const [dx, dy] = [x(i) - ax, y(i) - ay];
      const along = dx * way[0] + dy * way[1];
      return along > 0 && along >= Math.abs(dx * way[1] + dy * way[0]);
    };
    const found = nearest(ax, ay, ahead);
    if (found >= 0) tell(found);
  });
  box.addEventListener("focus", () => { if (at < 0) tell(nearest(524, 334)); });
  box.tabIndex = 0;
  box.setAttribute("role", "application");
  box.setAttribute("aria-label", `Map of ${number} documents; arrow keys go from one to the next`);

  const pick = document.querySelector("[data-pick]");
  for (const [key, label] of [["kind", "Kinds"], ["section", "Sections"]]) {
    const group = document.createElement("optgroup");
    group.label = label;
    points[`${key}s`].forEach((name, i) => group.append(new Option(name, `${key}:${i}`)));
    pick.append(group);
  }
  const lit = make("path", { class: "lit" });
  pick.addEventListener("input", () => {
    const [key, value] = pick.value.split(":");
    let drawn = "", found = 0;
    if (key) for (let i = 0; i < number; i++) {
      if (points[key][i] !== +value) continue;
      drawn += `M${x(i)} ${y(i)}h0`;
      found++;
    }
    lit.setAttribute("d", drawn);
    svg.classList.toggle("dim", found > 0);
    here.textContent = key ? `${found} of ${number} points brought out` : "";
  });
  pick.form.addEventListener("submit", (event) => event.preventDefault());
  pick.form.hidden = false;
})();

// Names a cell of the fine coverage table by its row and column when it is pointed at.
document.querySelector(".kinds")?.addEventListener("pointerover", (event) => {
  const cell = event.target.closest("td[title]");
  if (!cell || cell.dataset.named) return;
  const column = [...cell.parentElement.children].indexOf(cell) - 1;
  const kinds = cell.closest("table").tHead.rows[1].cells;
  const row = cell.parentElement.firstElementChild.textContent;
  cell.title = `${row}, ${kinds[column].textContent}: ${cell.title}`;
  cell.dataset.named = "yes";
});

follow();
