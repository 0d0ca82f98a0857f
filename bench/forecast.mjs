// Markdown tables of bench/forecast.sh: node forecast.mjs FIGURES.csv
import { readFileSync } from "node:fs";

const rows = readFileSync(process.argv[2], "utf8").trim().split("\n").slice(1).map((line) => line.split(","));
const value = (series, setup, model, figure) =>
    rows.find((row) => row[0] === series && row[1] === setup && row[2] === model && row[3] === figure)?.[4];
const unique = (at) => [...new Set(rows.map((row) => row[at]))];
const counts = unique(0);
const digits = (text, n) => (text === undefined ? "" : Number(text).toFixed(n));

console.log("\n### Milliseconds a series and origin, one core\n");
console.log(`| model | ${counts.map((n) => `${Number(n).toLocaleString("en")} series`).join(" | ")} | R's forecast | R / vesper |`);
console.log(`|---|${counts.map(() => "---|").join("")}---|---|`);
for (const model of unique(2).filter((name) => name !== "whole")) {
    const own = counts.map((n) => digits(value(n, "1x1", model, "ms"), 3));
    const other = value(counts[0], "R", model, "ms");
    const ratio = other === undefined ? "" : digits(other / value(counts[0], "1x1", model, "ms"), 1);
    console.log(`| ${model} | ${own.join(" | ")} | ${digits(other, 1)} | ${ratio} |`);
}
console.log("\n### The whole command: three origins of each series\n");
console.log("| series | on | s | series a second | MiB a rank |");
console.log("|---|---|---|---|---|");
for (const n of counts) {
    for (const [setup, words] of [["1x1", "1 rank"], ["2x1", "2 ranks"]]) {
        const took = value(n, setup, "whole", "seconds");
        console.log(`| ${Number(n).toLocaleString("en")} | ${words} | ${digits(took, 1)} | ${digits(n / took, 0)} | ${value(n, setup, "whole", "peak_mib")} |`);
    }
}
