import { useCallback, useState } from "react";
import type { Api } from "./api";
import { monthOf } from "./months";
import { AboutFooter, Masthead } from "./panels/About";
import { Accounts } from "./panels/Accounts";
import { Budgets } from "./panels/Budgets";
import { Figures } from "./panels/Figures";
import { MonthlyChart } from "./panels/MonthlyChart";
import { Transactions } from "./panels/Transactions";
import { shown, useResource } from "./resource";

const MONTHS = 12;

export function App({ api, today }: { api: Api; today: Date }) {
  // Raised by one when the user changes something: every panel then loads anew.
  const [revision, setRevision] = useState(0);
  const loadSummary = useCallback((signal: AbortSignal) => api.summary(MONTHS, signal), [api]);
  const accounts = useResource(api.accounts, revision);
  const summary = useResource(loadSummary, revision);
  const about = useResource(api.about, 0);
  const month = monthOf(today);
  // Budgets and summaries carry no currency: they are in that of the first account.
  const currency = shown(accounts)?.[0]?.currency ?? "EUR";

  return (
    <>
      <Masthead about={about} />
      <main>
        <Figures accounts={accounts} summary={summary} currency={currency} month={month} />
        <div className="columns">
          <div className="column">
            <MonthlyChart summary={summary} currency={currency} />
            <Transactions
              api={api}
              accounts={shown(accounts) ?? []}
              today={today}
              revision={revision}
              onAdded={() => setRevision((count) => count + 1)}
            />
          </div>
          <div className="column">
            <Accounts accounts={accounts} />
            <Budgets api={api} currency={currency} thisMonth={month} revision={revision} />
          </div>
        </div>
      </main>
      <AboutFooter about={about} />
    </>
  );
}
