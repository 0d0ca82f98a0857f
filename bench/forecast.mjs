// Markdown tables of bench/forecast.sh: node forecast.mjs FIGURES.csv STATSFORECAST.csv
import { readFileSync } from "node:fs";

const read = (path) => readFileSync(path, "utf8").trim().split("\n").slice(1).map((line) => line.split(","));
const rows = read(process.argv[2]);
const rivals = new Map(read(process.argv[3]).map(([model, ms]) => [model, Number(ms)]));
const value = (series, setup, model, figure) =>
    rows.find((row) => row[0] === series && row[1] === setup && row[2] === model && row[3] === figure)?.[4];
const counts = [...new Set(rows.filter((row) => row[2] === "whole").map((row) => row[0]))];
const digits = (number, n) => (number === undefined || !Number.isFinite(Number(number)) ? "" : Number(number).toFixed(n));
const thousands = (n) => Number(n).toLocaleString("en");

// On one core where that was run, else on one of two.
const ms = (n, model) => Number(value(n, "1x1", model, "ms") ?? value(n, "2x1", model, "ms"));
const first = counts[0];
const models = [...new Set(rows.filter((row) => row[3] === "ms" && row[1] !== "length").map((row) => row[2]))];
const scum = ["ets", "dot", "ces", "theta"];

console.log("\n### Milliseconds a series and origin, one core\n");
console.log(`| model | ${counts.map((n) => `${thousands(n)} series`).join(" | ")} | series a second | statsforecast | / vesper | R's forecast | / vesper |`);
console.log(`|---|${counts.map(() => "---|").join("")}---|---|---|---|---|`);
const line = (name, own, rival, r) =>
    console.log(`| ${name} | ${own.map((x) => digits(x, 3)).join(" | ")} | ${digits(1000 / own[0], 0)} | ${rival ?? ""} | ` +
        `${digits(rival / own[0], 1)} | ${digits(r, 1)} | ${digits(r / own[0], 1)} |`);
for (const model of models.filter((name) => name !== "mix")) {
    const r = value(first, "R", model, "ms");
    line(model, counts.map((n) => ms(n, model)), rivals.get(model), r === undefined ? undefined : Number(r));
}
const sum = (of) => scum.reduce((total, model) => total + of(model), 0);
line("ets + dot + ces + theta", counts.map((n) => sum((model) => ms(n, model))), sum((model) => rivals.get(model)));
line("all of them", counts.map((n) => ms(n, "mix")));

console.log("\n### The whole command: three origins of each series, reading, measuring\n");
console.log("| series | on | s | series a second | MiB a rank |");
console.log("|---|---|---|---|---|");
for (const n of counts) {
    for (const [setup, words] of [["1x1", "1 rank"], ["2x1", "2 ranks"]]) {
        const took = value(n, setup, "whole", "seconds");
        if (took !== undefined)
            console.log(`| ${thousands(n)} | ${words} | ${digits(took, 1)} | ${digits(n / took, 0)} | ${value(n, setup, "whole", "peak_mib")} |`);
    }
}
const lengths = rows.filter((row) => row[1] === "length");
if (lengths.length > 0) {
    console.log("\n### All models by length of the series\n");
    console.log(`| days | ${lengths.map((row) => thousands(row[0])).join(" | ")} |`);
    console.log(`|---|${lengths.map(() => "---|").join("")}`);
    console.log(`| ms a series and origin | ${lengths.map((row) => digits(row[4], 1)).join(" | ")} |`);
}
