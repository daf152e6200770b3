// One big table: filtered, sorted and shown a page at a time, from the columns in #table-data.
// Each distinct value of a column stands there once ("values"), and each row has its place ("codes").
// The state is in the URL's fragment, so that a link can select and a reader can share what is seen.
"use strict";
(() => {
  const section = document.querySelector("[data-table]");
  const source = document.getElementById("table-data");
  if (!section || !source) return;

  const data = JSON.parse(source.textContent);
  const total = data.rows;
  const pageSize = Number(section.dataset.page);
  const printSize = Number(section.dataset.print);
  const columns = data.columns.map((column) => ({
    ...column,
    codes: Uint32Array.from(column.codes),
    lower: null,
    ranks: null,
  }));
  const byKey = new Map(columns.map((column) => [column.key, column]));
  const visible = columns.filter((column) => column.visible && !column.below);
  const below = columns.filter((column) => column.visible && column.below);
  const hasBelow = columns.some((column) => column.below);
  const facets = section.dataset.facets.split(" ").filter((key) => byKey.has(key));
  const sum = byKey.get(section.dataset.sum);
  const changes = byKey.get("changes");

  const find = (selector) => section.querySelector(selector);
  const body = find("tbody");
  const region = find(".scroll");
  const search = find("input[type=search]");
  const status = find("[role=status]");
  const printNote = find(".print-note");
  const selects = new Map(facets.map((key) => [key, find(`select[name="${key}"]`)]));
  const heads = new Map();

  const NONE = "(none)";
  const ODD =
    /[\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufe00-\ufe0f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;
  const KINDS = { number: "n", code: "c", label: "c s", day: "d", prose: "p", text: "t" };

  const initial = () => ({ q: "", facets: {}, sort: "", descending: false, page: 1 });
  let state = initial();
  let found = new Uint32Array(0); // the rows that are selected, in order

  // --- values ---------------------------------------------------------------------------------------

  const valueOf = (column, row) => column.values[column.codes[row]];
  const named = (value) => (value === null || value === "" ? NONE : String(value));
  const lowered = (column) =>
    (column.lower ??= column.values.map((value) => (value === null ? "" : String(value).toLowerCase())));

  // What cannot be seen, or turns the reading direction, is written out; so are blanks at the ends.
  const shown = (value) => {
    if (value === null) return "";
    return String(value)
      .replace(ODD, (odd) => `⟨U+${odd.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`)
      .replace(/^ +| +$/g, (blanks) => "␣".repeat(blanks.length));
  };

  const compare = (one, other) => {
    if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
    return one < other ? -1 : one > other ? 1 : 0;
  };

  // The place of each distinct value in the order of the column; what is empty comes last.
  const ranksOf = (column) => {
    if (column.ranks) return column.ranks;
    const { values } = column;
    const order = values.map((_, place) => place).filter((place) => values[place] !== null && values[place] !== "");
    order.sort((one, other) => compare(values[one], values[other]));
    const ranks = new Uint32Array(values.length).fill(order.length);
    let rank = -1;
    order.forEach((place) => {
      ranks[place] = ++rank;
    });
    column.ranks = { ranks, empty: order.length };
    return column.ranks;
  };

  // --- selecting ------------------------------------------------------------------------------------

  const termsOf = (text) =>
    [...text.toLowerCase().matchAll(/"([^"]+)"|[^\s"]+/g)].map((match) => match[1] ?? match[0]);

  const select = () => {
    const keep = new Uint8Array(total).fill(1);
    for (const key of facets) {
      const wanted = state.facets[key];
      if (!wanted) continue;
      const { values, codes } = byKey.get(key);
      const isWanted = Uint8Array.from(values, (value) => (named(value) === wanted ? 1 : 0));
      for (let row = 0; row < total; row++) keep[row] &= isWanted[codes[row]];
    }
    for (const term of termsOf(state.q)) {
      const hit = new Uint8Array(total);
      for (const column of columns) {
        const { codes } = column;
        let any = false;
        const matches = Uint8Array.from(lowered(column), (value) => {
          const is = value.includes(term);
          any ||= is;
          return is ? 1 : 0;
        });
        if (any) for (let row = 0; row < total; row++) hit[row] |= matches[codes[row]];
      }
      for (let row = 0; row < total; row++) keep[row] &= hit[row];
    }
    let count = 0;
    for (let row = 0; row < total; row++) count += keep[row];
    const rows = new Uint32Array(count);
    for (let row = 0, place = 0; row < total; row++) if (keep[row]) rows[place++] = row;
    return state.sort ? sorted(rows, byKey.get(state.sort)) : rows;
  };

  // Counting sort on the ranks: equal values stay in the order of the data, and nothing is compared twice.
  const sorted = (rows, column) => {
    const { ranks, empty } = ranksOf(column);
    const { codes } = column;
    const rankOf = state.descending
      ? (row) => (ranks[codes[row]] === empty ? empty : empty - 1 - ranks[codes[row]])
      : (row) => ranks[codes[row]];
    const starts = new Uint32Array(empty + 2);
    for (const row of rows) starts[rankOf(row) + 1]++;
    for (let rank = 1; rank < starts.length; rank++) starts[rank] += starts[rank - 1];
    const result = new Uint32Array(rows.length);
    for (const row of rows) result[starts[rankOf(row)]++] = row;
    return result;
  };

  // --- showing --------------------------------------------------------------------------------------

  const count = (number) => number.toLocaleString("en-US");
  const pages = () => Math.max(1, Math.ceil(found.length / pageSize));

  // A row, and under it the sentences that have no column of their own; the row's heading is for both.
  const linesOf = (row) => {
    const line = document.createElement("tr");
    const changed = changes ? String(valueOf(changes, row)).split(", ") : [];
    visible.forEach((column, place) => {
      const cell = document.createElement(place ? "td" : "th");
      if (!place) cell.scope = "row";
      if (!place && hasBelow) cell.rowSpan = 2;
      const value = valueOf(column, row);
      const marked = column.mark && value !== null && changed.includes(column.mark);
      cell.className = KINDS[column.kind] + (marked ? " m" : "");
      cell.textContent = shown(value);
      line.append(cell);
    });
    if (!hasBelow) return [line];
    const under = document.createElement("tr");
    under.className = "below";
    const sentences = under.insertCell();
    sentences.colSpan = visible.length - 1;
    for (const column of below) {
      const value = valueOf(column, row);
      if (!value) continue;
      const sentence = document.createElement("span");
      const label = document.createElement("b");
      label.textContent = `${column.label}:`;
      sentence.append(label, ` ${shown(value)}`);
      if (sentences.hasChildNodes()) sentences.append(" ");
      sentences.append(sentence);
    }
    return [line, under];
  };

  const show = (first, rows) => {
    const fragment = document.createDocumentFragment();
    for (const row of found.subarray(first, first + rows)) fragment.append(...linesOf(row));
    if (!found.length) {
      const cell = document.createElement("td");
      cell.colSpan = visible.length;
      cell.className = "empty";
      cell.textContent = total ? "No row fits. Clear the filter to see all." : section.dataset.empty;
      const line = document.createElement("tr");
      line.append(cell);
      fragment.append(line);
    }
    body.replaceChildren(fragment);
  };

  const showPage = () => {
    state.page = Math.min(Math.max(1, state.page), pages());
    const first = (state.page - 1) * pageSize;
    show(first, pageSize);
    const last = Math.min(first + pageSize, found.length);
    let units = 0;
    if (sum) for (const row of found) units += Number(valueOf(sum, row)) || 0;
    const range = found.length > pageSize ? `Rows ${count(first + 1)} to ${count(last)} of ` : "";
    const all = found.length === total ? "" : ` of ${count(total)}`;
    const noun = found.length === 1 && !all ? "row" : "rows";
    status.textContent = `${range}${count(found.length)}${all} ${noun}${sum ? `, ${count(units)} units` : ""}`;
    find(".pager").hidden = pages() === 1;
    find(".page-number").textContent = `Page ${count(state.page)} of ${count(pages())}`;
    for (const button of section.querySelectorAll(".pager button")) {
      const back = button.name === "first" || button.name === "previous";
      button.setAttribute("aria-disabled", String(back ? state.page === 1 : state.page === pages()));
    }
  };

  const showState = () => {
    if (document.activeElement !== search) search.value = state.q;
    for (const [key, box] of selects) {
      const wanted = state.facets[key] ?? "";
      if (wanted && ![...box.options].some((option) => option.value === wanted))
        box.add(new Option(`${wanted} (0)`, wanted)); // an old link may name what is not there any more
      box.value = wanted;
    }
    for (const [key, head] of heads) {
      const direction = state.sort === key ? (state.descending ? "descending" : "ascending") : "none";
      head.setAttribute("aria-sort", direction);
    }
    find("button[name=clear]").hidden = !state.q && !Object.values(state.facets).some(Boolean);
  };

  const update = () => {
    found = select();
    showState();
    showPage();
  };

  // --- the fragment ---------------------------------------------------------------------------------

  const written = () => {
    const words = new URLSearchParams();
    if (state.q) words.set("q", state.q);
    for (const key of facets) if (state.facets[key]) words.set(key, state.facets[key]);
    if (state.sort) words.set("sort", (state.descending ? "-" : "") + state.sort);
    if (state.page > 1) words.set("page", String(state.page));
    return words.toString();
  };

  const read = () => {
    const words = new URLSearchParams(location.hash.slice(1));
    const next = initial();
    next.q = words.get("q") ?? "";
    for (const key of facets) next.facets[key] = words.get(key) ?? "";
    const sort = words.get("sort") ?? "";
    next.descending = sort.startsWith("-");
    next.sort = byKey.has(sort.replace(/^-/, "")) ? sort.replace(/^-/, "") : "";
    next.page = Math.floor(Number(words.get("page"))) || 1;
    return next;
  };

  const remember = () => {
    const words = written();
    history.replaceState(null, "", words ? `#${words}` : location.pathname + location.search);
  };

  const change = (next) => {
    state = { ...state, page: 1, ...next };
    update();
    remember();
    region.scrollTop = 0;
  };

  // --- saving ---------------------------------------------------------------------------------------

  // A spreadsheet takes a text that begins like a formula for one (OWASP, "CSV Injection").
  const field = (value) => {
    if (value === null) return "";
    if (typeof value === "number") return String(value);
    const guard = /^[\s\u0000-\u001f]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/.test(value) ? "'" : "";
    return `"${guard}${value.replaceAll('"', '""')}"`;
  };

  const save = () => {
    const parts = ["\ufeff", columns.map((column) => field(column.key)).join(","), "\r\n"];
    for (const row of found) parts.push(columns.map((column) => field(valueOf(column, row))).join(","), "\r\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(parts, { type: "text/csv;charset=utf-8" }));
    link.download = section.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };

  // --- controls -------------------------------------------------------------------------------------

  for (const head of section.querySelectorAll("th[data-key]")) {
    const key = head.dataset.key;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    heads.set(key, head);
    button.addEventListener("click", () => {
      if (state.sort !== key) change({ sort: key, descending: false });
      else if (!state.descending) change({ descending: true });
      else change({ sort: "", descending: false });
    });
  }

  for (const [key, box] of selects) {
    const { values, codes } = byKey.get(key);
    const counts = new Map();
    for (const code of codes) {
      const name = named(values[code]);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const names = [...counts.keys()].sort();
    box.append(...names.map((name) => new Option(`${shown(name)} (${count(counts.get(name))})`, name)));
    box.addEventListener("change", () => change({ facets: { ...state.facets, [key]: box.value } }));
  }

  let waiting = 0;
  const searchNow = () => {
    clearTimeout(waiting);
    if (search.value.trim() !== state.q) change({ q: search.value.trim() });
  };
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(searchNow, 200);
  });
  search.addEventListener("change", searchNow);

  find("button[name=clear]").addEventListener("click", () => {
    search.value = "";
    change({ q: "", facets: {} });
    search.focus();
  });
  find("button[name=save]").addEventListener("click", save);
  find(".pager").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button || button.getAttribute("aria-disabled") === "true") return;
    const to = { first: 1, previous: state.page - 1, next: state.page + 1, last: pages() }[button.name];
    change({ page: to });
  });

  addEventListener("hashchange", () => {
    if (location.hash && !location.hash.includes("=")) return; // a place on this page, such as the skip link's
    state = read();
    search.value = state.q;
    update();
  });

  addEventListener("beforeprint", () => {
    const selected = [state.q && `text “${state.q}”`];
    for (const key of facets) if (state.facets[key]) selected.push(`${key} ${state.facets[key]}`);
    const filter = selected.filter(Boolean).join(", ");
    const cut = found.length > printSize ? `The first ${count(printSize)} of ` : "";
    printNote.textContent = `${cut}${count(found.length)} rows${filter ? `, filtered by ${filter}` : ""}.`;
    show(0, printSize);
  });
  addEventListener("afterprint", showPage);

  for (const control of section.querySelectorAll(".controls")) control.hidden = false;
  state = read();
  search.value = state.q;
  update();
})();
