import { useLayoutEffect, useRef, useState } from "react";
import type { MonthSummary } from "../api";
import { layOut, type Plot } from "../chart";
import { formatMoney, formatMoneyShort } from "../money";
import { formatMonth } from "../months";
import type { Resource } from "../resource";
import { Loaded, Panel } from "./Panel";

const HEIGHT = 260;

interface MonthlyChartProps {
  summary: Resource<MonthSummary[]>;
  currency: string;
}

export function MonthlyChart({ summary, currency }: MonthlyChartProps) {
  return (
    <Panel
      title="Income and expenses"
      actions={
        <span className="legend">
          <i className="income" /> Income <i className="expenses" /> Expenses
        </span>
      }
    >
      <Loaded
        resource={summary}
        what="the monthly summary"
        empty="Nothing has been earned or spent yet."
        isEmpty={(months) => months.every((m) => m.income_cents === 0 && m.expenses_cents === 0)}
      >
        {(months) => <Chart months={months} currency={currency} />}
      </Loaded>
    </Panel>
  );
}

function Chart({ months, currency }: { months: MonthSummary[]; currency: string }) {
  const [box, width] = useWidth();
  const plot = layOut(months, { width, height: HEIGHT });
  return (
    <div ref={box}>
      <svg
        className="chart"
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={`Income and expenses of ${months.length} months; the table below has the figures`}
      >
        <Axis plot={plot} currency={currency} />
        {plot.groups.map((group) => (
          <g key={group.summary.month} className="group">
            <title>{describe(group.summary, currency)}</title>
            <rect {...group.area} className="area" />
            <rect {...group.income} rx="3" className="income" />
            <rect {...group.expenses} rx="3" className="expenses" />
            {group.labelled && (
              <text x={group.center} y={HEIGHT - 6} textAnchor="middle">
                {formatMonth(group.summary.month, "short")}
              </text>
            )}
          </g>
        ))}
      </svg>
      <Figures months={months} currency={currency} />
    </div>
  );
}

function Axis({ plot, currency }: { plot: Plot; currency: string }) {
  return plot.ticks.map((tick) => (
    <g key={tick.cents} className="tick">
      <line x1={plot.left} x2={plot.right} y1={tick.y} y2={tick.y} />
      <text x={plot.left - 8} y={tick.y + 4} textAnchor="end">
        {formatMoneyShort(tick.cents, currency)}
      </text>
    </g>
  ));
}

function Figures({ months, currency }: { months: MonthSummary[]; currency: string }) {
  return (
    <details className="figures-table">
      <summary>Show as a table</summary>
      <table>
        <thead>
          <tr>
            <th scope="col">Month</th>
            <th scope="col">Income</th>
            <th scope="col">Expenses</th>
          </tr>
        </thead>
        <tbody>
          {months.map((entry) => (
            <tr key={entry.month}>
              <th scope="row">{formatMonth(entry.month)}</th>
              <td className="amount">{formatMoney(entry.income_cents, currency)}</td>
              <td className="amount">{formatMoney(entry.expenses_cents, currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function describe({ month, income_cents, expenses_cents }: MonthSummary, currency: string): string {
  const income = formatMoney(income_cents, currency);
  return `${formatMonth(month)}: income ${income}, expenses ${formatMoney(expenses_cents, currency)}`;
}

/** The chart is drawn at its real width, so that its text never shrinks with it. */
function useWidth() {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(640);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => setWidth((last) => element.clientWidth || last);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [box, width] as const;
}
