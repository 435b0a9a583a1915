"use strict";
(() => {
  const root = document.documentElement;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  const source = document.getElementById("figures");
  if (!source) return;
  const figures = JSON.parse(source.textContent);
  const charts = [...document.querySelectorAll("[data-chart]")].map((element) => ({
    element,
    plot: element.querySelector(".plot"),
    cursor: element.querySelector(".cursor"),
    dot: element.querySelector(".dot"),
    output: element.querySelector("output"),
    told: figures[element.dataset.chart],
  }));
  const starts = charts[0].told.t[0];
  const ends = Math.max(...charts.map((chart) => chart.told.t[chart.told.t.length - 1]));

  const nearest = (times, wanted) => {
    let low = 0;
    let high = times.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (times[middle] <= wanted) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  const text = (value, unit) =>
    unit === "%"
      ? `${(100 * value).toFixed(2)} %`
      : value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const moment = (ms) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");

  const read = (share) => {
    const wanted = starts + share * (ends - starts);
    for (const chart of charts) {
      const row = nearest(chart.told.t, wanted);
      const value = chart.told.v[row];
      chart.element.classList.add("is-read");
      chart.cursor.style.left = `${100 * share}%`;
      chart.dot.classList.toggle("is-known", value !== null);
      if (value !== null) {
        chart.dot.style.left = `${(100 * (chart.told.t[row] - starts)) / (ends - starts)}%`;
        chart.dot.style.top = `${(100 * (chart.told.high - value)) / (chart.told.high - chart.told.low)}%`;
      }
      const said = value === null ? "nothing open" : text(value, chart.told.unit);
      chart.output.textContent = `${moment(chart.told.t[row])}  ${said}`;
    }
  };
  const leave = () => {
    for (const chart of charts) {
      chart.element.classList.remove("is-read");
      chart.output.textContent = "";
    }
  };
  for (const chart of charts) {
    chart.plot.addEventListener("pointermove", (event) => {
      const box = chart.plot.getBoundingClientRect();
      read(Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1));
    });
    chart.plot.addEventListener("pointerleave", leave);
  }
})();
