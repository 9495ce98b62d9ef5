"use strict";
(() => {
  const works = JSON.parse(document.getElementById("workloads").textContent);
  const given = works.map((work) => ({ ...work.values }));
  const show = (key, text) => { const cell = document.querySelector(`[data-cell="${CSS.escape(key)}"]`); if (cell) cell.textContent = text; };

  function room(it) {
    if (it.holds === null) return `${it.assumption} alone cannot make it hold`;
    const exactly = [...it.exactly].sort((a, b) => a - b).map((value) => Savings.written(value)).join(" and ");
    const words = `${it.assumption} = ${Savings.written(it.value)}: holds from ${Savings.written(it.holds[0])} to ${Savings.written(it.holds[1])}`;
    return exactly ? `${words}, exactly at ${exactly}` : words;
  }

  function draw(at) {
    const work = works[at];
    for (const approach of work.approaches) {
      const bill = Savings.bill(work, approach);
      for (const [key, digits] of [["document", 4], ["month", 0], ["year", 0]]) {
        show(`${at}/${approach.name}/${key}`, bill[key] === null ? "unknown" : Savings.written(bill[key], digits));
      }
    }
    for (const claim of work.claims) {
      const said = work.values[claim.high], found = Savings.judge(work, claim);
      const mark = document.querySelector(`[data-cell="${CSS.escape(`${at}/${claim.name}/verdict`)}"]`);
      mark.textContent = found.verdict === "depends" ? (found.holds ? "depends, holds here" : "depends, not here") : found.verdict;
      mark.className = `state ${found.verdict.replace(" ", "-")}${found.verdict === "depends" && !found.holds ? " off" : ""}`;
      show(`${at}/${claim.name}/value`, found.value === null ? "unknown" : Savings.figure(claim, said, found.value));
      show(`${at}/${claim.name}/why`, found.problem || found.depends_on.slice(0, 3).map(room).join("\n"));
    }
  }

  document.addEventListener("input", (event) => {
    const field = event.target, at = Number(field.dataset.work), value = Number(field.value);
    const good = field.value.trim() !== "" && Number.isFinite(value) && value >= 0;
    field.setAttribute("aria-invalid", String(!good));
    if (!good) return;
    works[at].values[field.dataset.name] = value;
    draw(at);
  });
  document.addEventListener("click", (event) => {
    const at = event.target.dataset?.reset;
    if (at === undefined) return;
    works[at].values = { ...given[at] };
    for (const field of document.querySelectorAll(`input[data-work="${at}"]`)) {
      field.value = field.defaultValue;
      field.setAttribute("aria-invalid", "false");
    }
    draw(at);
  });
  works.forEach((_, at) => draw(at));
})();
