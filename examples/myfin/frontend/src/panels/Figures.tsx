import type { Account, MonthSummary } from "../api";
import { formatMoney, totals } from "../money";
import { formatMonth } from "../months";
import { type Resource, shown } from "../resource";

interface FiguresProps {
  accounts: Resource<Account[]>;
  summary: Resource<MonthSummary[]>;
  currency: string;
  month: string;
}

/** The four figures at the top. A dash stands for what is not known (yet). */
export function Figures({ accounts, summary, currency, month }: FiguresProps) {
  const known = shown(accounts);
  const months = shown(summary);
  const current = months?.find((entry) => entry.month === month) ?? {
    income_cents: 0,
    expenses_cents: 0,
  };
  const money = (cents: number) => (months === null ? "–" : formatMoney(cents, currency));
  const left = current.income_cents - current.expenses_cents;
  const worth = known && totals(known).map(([code, cents]) => formatMoney(cents, code));
  return (
    <section aria-label={`Overview of ${formatMonth(month)}`}>
      <dl className="figures">
        <Figure label="Net worth" value={worth?.join(" + ") || "–"} note="all accounts" />
        <Figure label="Income" value={money(current.income_cents)} note={formatMonth(month)} />
        <Figure label="Expenses" value={money(current.expenses_cents)} note={formatMonth(month)} />
        <Figure
          label="Left over"
          value={money(left)}
          note={formatMonth(month)}
          tone={months === null ? undefined : left < 0 ? "bad" : "good"}
        />
      </dl>
    </section>
  );
}

interface FigureProps {
  label: string;
  value: string;
  note: string;
  tone?: "good" | "bad" | undefined;
}

function Figure({ label, value, note, tone }: FigureProps) {
  return (
    <div className="figure">
      <dt>{label}</dt>
      <dd className={tone}>{value}</dd>
      <dd className="note">{note}</dd>
    </div>
  );
}
