"use strict";
// Filters of the reading room. Without this script every document stands open to a click all the same.
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  const docs = [...document.querySelectorAll(".room > .doc")];
  const controls = [...form.querySelectorAll("[data-by]")];
  const shown = form.querySelector("[aria-live]");

  for (const select of form.querySelectorAll("select")) {
    const values = new Set(docs.map((doc) => doc.dataset[select.dataset.by]));
    for (const value of [...values].sort()) select.add(new Option(value, value));
  }

  const fits = (doc, control) => {
    const wanted = control.value.trim();
    if (!wanted) return true;
    if (control.dataset.by !== "text") return doc.dataset[control.dataset.by] === wanted;
    return doc.textContent.toLowerCase().includes(wanted.toLowerCase());
  };

  const filter = () => {
    let number = 0;
    for (const doc of docs) {
      doc.hidden = !controls.every((control) => fits(doc, control));
      number += !doc.hidden;
    }
    shown.textContent = `${number} of ${docs.length} shown`;
  };

  const open = (doc) => {
    doc.hidden = false;
    doc.open = true;
    doc.scrollIntoView({ block: "start" });
  };

  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    const doc = target && target.closest(".room > .doc");
    if (doc) open(doc);
  };

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button").addEventListener("click", () => {
    const choice = docs.filter((doc) => !doc.hidden);
    if (!choice.length) return;
    const doc = choice[Math.floor(Math.random() * choice.length)];
    open(doc);
    doc.querySelector("summary").focus({ preventScroll: true });
  });
  addEventListener("hashchange", follow);
  form.hidden = false;
  filter();
  follow();
})();

// Names a cell of the coverage table by its row and column when it is pointed at.
document.querySelector(".heat")?.addEventListener("pointerover", (event) => {
  const cell = event.target.closest("td[title]");
  if (!cell || cell.dataset.named) return;
  const column = [...cell.parentElement.children].indexOf(cell) - 1;
  const kinds = cell.closest("table").tHead.rows[1].cells;
  const row = cell.parentElement.firstElementChild.textContent;
  cell.title = `${row}, ${kinds[column].textContent}: ${cell.title}`;
  cell.dataset.named = "yes";
});
