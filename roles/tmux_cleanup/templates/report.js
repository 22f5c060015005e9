/*
Copyright (c) 2026, Fleet maintainers
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
"use strict";
(() => {
  // A browser takes seconds to lay out a table of ten thousand rows, each time: no more than this many are shown at first.
  const STEP = 300;
  // While somebody types, each letter starts the wait again.
  const PAUSE = 120;
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
  const count = new Intl.NumberFormat("en");

  // --- sorting ------------------------------------------------------------------------------------------------------

  const keyOf = (cell, byValue) => {
    if (byValue) return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
    return cell.classList.contains("none") ? null : cell.textContent;
  };

  const sorted = (rows, column, byValue, descending) => {
    const compare = byValue ? (one, other) => one - other : collator.compare;
    const keyed = rows.map((row) => ({ row, key: keyOf(row.cells[column], byValue) }));
    // Cells with nothing in them come last, whichever way: they are no answer to "what is the most, or the least".
    const known = keyed.filter((it) => it.key !== null);
    const rest = keyed.filter((it) => it.key === null);
    known.sort((one, other) => (descending ? compare(other.key, one.key) : compare(one.key, other.key)));
    return known.concat(rest).map((it) => it.row);
  };

  const sort = (list, header) => {
    const byValue = header.dataset.sort === "value";
    const before = header.getAttribute("aria-sort");
    // Of numbers the largest are looked for first, of words the beginning of the alphabet.
    const descending = before === null ? byValue : before === "ascending";
    for (const other of list.headers) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    list.rows = sorted(list.rows, header.cellIndex, byValue, descending);
    const fragment = document.createDocumentFragment();
    for (const row of list.rows) fragment.append(row);
    draw(list); // which rows are the first has changed
    list.body.append(fragment);
  };

  const makeSortable = (list) => {
    for (const header of list.headers) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      button.addEventListener("click", () => sort(list, header));
      header.replaceChildren(button);
    }
  };

  // --- the lists ----------------------------------------------------------------------------------------------------

  const paragraphAfter = (element, css) => {
    const made = document.createElement("p");
    made.className = css;
    made.hidden = true;
    element.after(made);
    return made;
  };

  const listOf = (section) => {
    const table = section.querySelector("table");
    const more = paragraphAfter(table, "more");
    const empty = paragraphAfter(table, "empty");
    empty.textContent = "No row of this table matches.";
    const id = section.querySelector(".scroller").id;
    const list = {
      section,
      table,
      empty,
      more,
      limit: STEP,
      details: section.querySelector("details"),
      body: table.tBodies[0],
      rows: Array.from(table.tBodies[0].rows),
      headers: Array.from(table.tHead.rows[0].cells),
      counts: [section.querySelector(".count"), document.querySelector(`nav a[href="#${id}"] .count`)],
      openedHere: false,
    };
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => {
      list.limit *= 2;
      draw(list);
    });
    more.append(document.createElement("span"), " ", button);
    return list;
  };

  const lists = Array.from(document.querySelectorAll("section.list"), listOf);

  // --- searching ----------------------------------------------------------------------------------------------------

  const form = document.querySelector("form.search");
  if (form === null) return;
  const field = form.querySelector("input");
  const status = form.querySelector(".matches");
  const texts = new WeakMap();
  let term = "";
  let words = [];

  const textOf = (row) => {
    let text = texts.get(row);
    if (text === undefined) {
      text = Array.from(row.cells, (cell) => cell.textContent).join("\n").toLowerCase();
      texts.set(row, text);
    }
    return text;
  };

  const open = (list, wanted) => {
    if (wanted && !list.details.open) {
      list.details.open = true;
      list.openedHere = true;
    } else if (!wanted && list.openedHere) {
      list.details.open = false;
      list.openedHere = false;
    }
  };

  // Show the first rows that match, and return how many do.
  const draw = (list) => {
    let matching = 0;
    for (const row of list.rows) {
      const matches = words.every((word) => textOf(row).includes(word));
      if (matches) matching += 1;
      const hidden = !matches || matching > list.limit;
      if (row.hidden !== hidden) row.hidden = hidden;
    }
    list.more.hidden = matching <= list.limit;
    const [told, button] = list.more.children;
    told.textContent = `The first ${count.format(list.limit)} of ${count.format(matching)} are shown.`;
    button.textContent = `Show ${count.format(Math.min(list.limit, matching - list.limit))} more`;
    return matching;
  };

  const filter = (list) => {
    list.limit = STEP;
    const matching = draw(list);
    const all = count.format(list.rows.length);
    const told = words.length ? `${count.format(matching)} of ${all}` : all;
    for (const place of list.counts) place.textContent = told;
    list.empty.hidden = matching > 0;
    list.table.hidden = matching === 0;
    list.section.classList.toggle("unmatched", matching === 0);
    open(list, words.length > 0 && matching > 0);
    return matching;
  };

  const search = (wanted) => {
    if (wanted === term) return;
    term = wanted;
    words = term.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = lists.reduce((sum, list) => sum + filter(list), 0);
    const all = lists.reduce((sum, list) => sum + list.rows.length, 0);
    status.textContent = words.length ? `${count.format(matching)} of ${count.format(all)} rows match` : "";
    form.classList.toggle("active", words.length > 0);
  };

  const remember = () => {
    const place = term.trim() ? `#q=${encodeURIComponent(term.trim())}` : location.pathname + location.search;
    try {
      history.replaceState(null, "", place);
    } catch {
      // Some viewers of attachments allow no change of the address: the search itself works all the same.
    }
  };

  const fromAddress = () => {
    if (!location.hash.startsWith("#q=")) return;
    try {
      field.value = decodeURIComponent(location.hash.slice(3));
    } catch {
      return; // a link that was cut in the middle of a character
    }
    search(field.value);
  };

  let waiting = 0;
  const now = () => {
    clearTimeout(waiting);
    search(field.value);
    remember();
  };
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(now, PAUSE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    now();
  });

  // --- going to a section -------------------------------------------------------------------------------------------

  document.querySelector("nav").addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const target = link && document.getElementById(link.hash.slice(1));
    if (target) target.closest("details").open = true;
  });

  lists.forEach(makeSortable);
  lists.forEach(draw);
  window.addEventListener("hashchange", fromAddress);
  document.documentElement.classList.add("scripted");
  form.hidden = false;
  fromAddress();
})();
