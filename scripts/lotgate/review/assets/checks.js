// The table of checks: rows are hidden by text, result and suite. All of them stand in the page.
"use strict";
(() => {
  const section = document.getElementById("checks");
  if (!section?.querySelector("table")) return;
  const groups = [...section.querySelectorAll("tbody")].map((group) => ({
    group,
    suite: group.dataset.suite,
    rows: [...group.querySelectorAll("tr[data-result]")].map((row) => ({
      row,
      results: row.dataset.result.split(" "),
      text: row.textContent.toLowerCase(),
    })),
  }));
  const find = (selector) => section.querySelector(selector);
  const search = find("input[type=search]");
  const result = find("select[name=result]");
  const suite = find("select[name=suite]");
  const status = find("[role=status]");
  const clear = find("button[name=clear]");

  const update = () => {
    const terms = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    let all = 0;
    for (const { group, suite: name, rows } of groups) {
      let inGroup = 0;
      for (const { row, results, text } of rows) {
        const fits =
          (!suite.value || suite.value === name) &&
          (!result.value || results.includes(result.value)) &&
          terms.every((term) => text.includes(term));
        row.hidden = !fits;
        inGroup += fits ? 1 : 0;
      }
      group.hidden = !inGroup;
      shown += inGroup;
      all += rows.length;
    }
    status.textContent = shown === all ? `${all} checks` : `${shown} of ${all} checks`;
    clear.hidden = !terms.length && !result.value && !suite.value;
  };

  const remember = () => {
    const words = new URLSearchParams();
    for (const box of [search, result, suite]) if (box.value) words.set(box.name, box.value);
    const text = words.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  };

  const read = () => {
    if (!location.hash.includes("=")) return;
    const words = new URLSearchParams(location.hash.slice(1));
    for (const box of [search, result, suite]) box.value = words.get(box.name) ?? "";
    for (const box of [result, suite]) if (box.selectedIndex < 0) box.value = "";
    update();
    section.scrollIntoView();
  };

  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      update();
      remember();
    }, 150);
  });
  for (const box of [result, suite])
    box.addEventListener("change", () => {
      update();
      remember();
    });
  clear.addEventListener("click", () => {
    for (const box of [search, result, suite]) box.value = "";
    update();
    remember();
    search.focus();
  });
  addEventListener("hashchange", read);

  for (const control of section.querySelectorAll(".controls")) control.hidden = false;
  update();
  read();
})();
