import { useCallback, useState } from "react";
import type { Api, Budget } from "../api";
import { formatMoney } from "../money";
import { formatMonth, shiftMonth } from "../months";
import { useResource } from "../resource";
import { Loaded, Panel } from "./Panel";

interface BudgetsProps {
  api: Api;
  currency: string;
  thisMonth: string;
  revision: number;
}

export function Budgets({ api, currency, thisMonth, revision }: BudgetsProps) {
  const [month, setMonth] = useState(thisMonth);
  const load = useCallback((signal: AbortSignal) => api.budgets(month, signal), [api, month]);
  const budgets = useResource(load, revision);
  const step = (by: number) => setMonth(shiftMonth(month, by));
  return (
    <Panel
      title="Budgets"
      actions={
        <>
          <button
            type="button"
            className="icon"
            aria-label="Previous month"
            onClick={() => step(-1)}
          >
            ‹
          </button>
          <span className="month" aria-live="polite">
            {formatMonth(month)}
          </span>
          <button
            type="button"
            className="icon"
            aria-label="Next month"
            disabled={month >= thisMonth}
            onClick={() => step(1)}
          >
            ›
          </button>
        </>
      }
    >
      <Loaded
        resource={budgets}
        what="the budgets"
        empty={`No budgets for ${formatMonth(month)}.`}
        isEmpty={(list) => list.length === 0}
      >
        {(list) => (
          <ul className="budgets">
            {list.map((budget) => (
              <BudgetRow key={budget.category} budget={budget} currency={currency} />
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

function BudgetRow({ budget, currency }: { budget: Budget; currency: string }) {
  const percent = percentSpent(budget);
  const left = budget.limit_cents - budget.spent_cents;
  const level = percent > 100 ? "over" : percent >= 85 ? "near" : "within";
  return (
    <li className={level}>
      <div className="budget-head">
        <span className="name">{budget.category}</span>
        <span>
          {formatMoney(budget.spent_cents, currency)}
          <span className="note"> of {formatMoney(budget.limit_cents, currency)}</span>
        </span>
      </div>
      <div
        className="bar"
        role="progressbar"
        aria-label={`${budget.category} budget`}
        aria-valuenow={Math.min(percent, 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuetext={`${percent} % spent`}
      >
        <div style={{ width: `${Math.min(percent, 100)}%` }} />
      </div>
      <span className="note">
        {left < 0
          ? `${formatMoney(-left, currency)} over the limit`
          : `${formatMoney(left, currency)} left`}
      </span>
    </li>
  );
}

function percentSpent({ limit_cents, spent_cents }: Budget): number {
  if (limit_cents <= 0) return spent_cents > 0 ? 101 : 0;
  const percent = (100 * spent_cents) / limit_cents;
  // One cent too many is too much, though it rounds to 100 %.
  return percent > 100 ? Math.max(101, Math.round(percent)) : Math.floor(Math.max(0, percent));
}
