import type { MonthSummary } from "./api";

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Group {
  summary: MonthSummary;
  center: number;
  area: Box;
  income: Box;
  expenses: Box;
  labelled: boolean;
}

/** Where everything of the chart stands, in pixels. */
export interface Plot {
  left: number;
  right: number;
  ticks: { cents: number; y: number }[];
  groups: Group[];
}

const MARGIN = { top: 10, right: 4, bottom: 26, left: 56 };
const LABEL_WIDTH = 34;
const MAX_BAR = 22;

export function layOut(months: MonthSummary[], size: { width: number; height: number }): Plot {
  const steps = ticksUpTo(Math.max(...months.flatMap((m) => [m.income_cents, m.expenses_cents])));
  const top = steps.at(-1) ?? 1;
  const bottom = size.height - MARGIN.bottom;
  const right = size.width - MARGIN.right;
  const slot = (right - MARGIN.left) / Math.max(1, months.length);
  const bar = Math.min(MAX_BAR, slot * 0.36);
  const every = Math.ceil(LABEL_WIDTH / slot);
  const yOf = (cents: number) => bottom - (Math.max(0, cents) / top) * (bottom - MARGIN.top);
  const box = (x: number, cents: number) => ({
    x,
    y: yOf(cents),
    width: bar,
    height: bottom - yOf(cents),
  });
  const groups = months.map((summary, index) => {
    const start = MARGIN.left + index * slot;
    const center = start + slot / 2;
    return {
      summary,
      center,
      area: { x: start, y: MARGIN.top, width: slot, height: bottom - MARGIN.top },
      income: box(center - bar - 1, summary.income_cents),
      expenses: box(center + 1, summary.expenses_cents),
      labelled: (months.length - 1 - index) % every === 0,
    };
  });
  return {
    left: MARGIN.left,
    right,
    ticks: steps.map((cents) => ({ cents, y: yOf(cents) })),
    groups,
  };
}

/** Zero and three to five round figures above it, the last one at or above `highest`. */
export function ticksUpTo(highest: number): number[] {
  const rough = Math.max(highest, 100) / 4;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * magnitude).find((s) => s >= rough) ?? 1;
  const count = Math.ceil(Math.max(highest, 100) / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}
