import { describe, expect, test } from "vitest";
import { layOut, ticksUpTo } from "./chart";
import { formatMoney, parseCents, totals } from "./money";
import { formatDay, monthsBack, shiftMonth } from "./months";

describe("an entered amount", () => {
  test.each([
    ["12", 1200],
    ["12.5", 1250],
    ["12,50", 1250],
    ["1,234.56", 123456],
    ["1,234", 123400],
    [" 0.07 ", 7],
    ["0", null],
    ["-3", null],
    ["1.234", null],
    ["", null],
    ["abc", null],
    ["1e3", null],
  ])("%j is %j cents", (text, cents) => expect(parseCents(text)).toBe(cents));
});

test("an unknown currency is written by its code", () => {
  expect(formatMoney(150, "??")).toBe("1.50 ??");
});

test("totals are kept apart by currency", () => {
  const accounts = [
    { currency: "EUR", balance_cents: 100 },
    { currency: "USD", balance_cents: 5 },
    { currency: "EUR", balance_cents: -30 },
  ];
  expect(totals(accounts)).toEqual([
    ["EUR", 70],
    ["USD", 5],
  ]);
});

test("months go back over a new year", () => {
  expect(monthsBack("2026-02", 4)).toEqual(["2026-02", "2026-01", "2025-12", "2025-11"]);
  expect(shiftMonth("2026-12", 1)).toBe("2027-01");
});

test("a day is shown as it was sent, in any time zone", () => {
  expect(formatDay("2026-11-01")).toBe("1 Nov 2026");
  expect(formatDay("2026-11-01T00:00:00.000Z")).toBe("1 Nov 2026");
});

describe("the chart", () => {
  test.each([
    [0, [0, 25, 50, 75, 100]],
    [310000, [0, 100000, 200000, 300000, 400000]],
    [100000, [0, 25000, 50000, 75000, 100000]],
  ])("has round ticks up to %i cents", (highest, ticks) =>
    expect(ticksUpTo(highest)).toEqual(ticks),
  );

  test("draws bars in proportion, on a common ground", () => {
    const months = [{ month: "2026-11", income_cents: 4000, expenses_cents: 2000 }];
    const plot = layOut(months, { width: 400, height: 136 });
    const [group] = plot.groups;
    expect(group?.income.height).toBe(100);
    expect(group?.expenses.height).toBe(50);
    expect(group?.expenses.y).toBe(60);
  });

  test("labels fewer months when it is narrow, the latest always", () => {
    const months = monthsBack("2026-11", 12)
      .reverse()
      .map((month) => ({ month, income_cents: 1, expenses_cents: 1 }));
    const labelled = layOut(months, { width: 320, height: 200 }).groups.filter((g) => g.labelled);
    expect(labelled.map((g) => g.summary.month).slice(-2)).toEqual(["2026-09", "2026-11"]);
  });
});
