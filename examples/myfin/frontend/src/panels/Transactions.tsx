import { useCallback, useId, useState } from "react";
import type { Account, Api, Transaction } from "../api";
import { formatMoney } from "../money";
import { formatDay, formatMonth, monthOf, monthsBack } from "../months";
import { shown, useResource } from "../resource";
import { Loaded, Panel } from "./Panel";
import { TransactionForm } from "./TransactionForm";

interface TransactionsProps {
  api: Api;
  accounts: Account[];
  today: Date;
  revision: number;
  onAdded: () => void;
}

export function Transactions({ api, accounts, today, revision, onAdded }: TransactionsProps) {
  const [filter, setFilter] = useState({ accountId: "", month: "" });
  // Cursors of the pages gone through; the last one is the page on the screen.
  const [cursors, setCursors] = useState([""]);
  const [adding, setAdding] = useState(false);
  const cursor = cursors.at(-1) ?? "";
  const load = useCallback(
    (signal: AbortSignal) => api.transactions({ ...filter, cursor }, signal),
    [api, filter, cursor],
  );
  const page = useResource(load, revision);
  const next = shown(page)?.next ?? null;
  const restart = (change: Partial<typeof filter>) => {
    setFilter({ ...filter, ...change });
    setCursors([""]);
  };
  const added = () => {
    setAdding(false);
    setCursors([""]);
    onAdded();
  };

  return (
    <Panel
      title="Transactions"
      actions={
        <button type="button" disabled={accounts.length === 0} onClick={() => setAdding(!adding)}>
          {adding ? "Cancel" : "Add transaction"}
        </button>
      }
    >
      {adding && (
        <TransactionForm
          accounts={accounts}
          today={today}
          add={api.addTransaction}
          onAdded={added}
        />
      )}
      <Filters accounts={accounts} today={today} filter={filter} onChange={restart} />
      <Loaded
        resource={page}
        what="the transactions"
        empty="No transactions match."
        isEmpty={({ items }) => items.length === 0}
      >
        {({ items }) => <Table items={items} accounts={accounts} />}
      </Loaded>
      <nav className="paging" aria-label="Pages of transactions">
        <button
          type="button"
          disabled={cursors.length === 1}
          onClick={() => setCursors(cursors.slice(0, -1))}
        >
          ‹ Newer
        </button>
        <span className="note">Page {cursors.length}</span>
        <button
          type="button"
          disabled={page.state !== "ready" || next === null}
          onClick={() => next !== null && setCursors([...cursors, String(next)])}
        >
          Older ›
        </button>
      </nav>
    </Panel>
  );
}

interface FiltersProps {
  accounts: Account[];
  today: Date;
  filter: { accountId: string; month: string };
  onChange: (change: { accountId?: string; month?: string }) => void;
}

function Filters({ accounts, today, filter, onChange }: FiltersProps) {
  const id = useId();
  return (
    <form className="filters" aria-label="Filter transactions">
      <label htmlFor={`${id}-account`}>Account</label>
      <select
        id={`${id}-account`}
        value={filter.accountId}
        onChange={(event) => onChange({ accountId: event.target.value })}
      >
        <option value="">All accounts</option>
        {accounts.map((account) => (
          <option key={account.id} value={account.id}>
            {account.name}
          </option>
        ))}
      </select>
      <label htmlFor={`${id}-month`}>Month</label>
      <select
        id={`${id}-month`}
        value={filter.month}
        onChange={(event) => onChange({ month: event.target.value })}
      >
        <option value="">All months</option>
        {monthsBack(monthOf(today), 12).map((month) => (
          <option key={month} value={month}>
            {formatMonth(month)}
          </option>
        ))}
      </select>
    </form>
  );
}

function Table({ items, accounts }: { items: Transaction[]; accounts: Account[] }) {
  return (
    <table className="transactions">
      <thead>
        <tr>
          <th scope="col">Date</th>
          <th scope="col">Description</th>
          <th scope="col">Account</th>
          <th scope="col" className="amount">
            Amount
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <Row
            key={item.id}
            item={item}
            account={accounts.find((account) => account.id === item.account_id)}
          />
        ))}
      </tbody>
    </table>
  );
}

function Row({ item, account }: { item: Transaction; account: Account | undefined }) {
  return (
    <tr>
      <td className="date">{formatDay(item.date)}</td>
      <td>
        <span className="name">{item.description}</span>
        <span className="chip">{item.category}</span>
      </td>
      <td className="of-account">{account?.name ?? `#${item.account_id}`}</td>
      <td className={item.amount_cents > 0 ? "amount good" : "amount"}>
        {formatMoney(item.amount_cents, account?.currency ?? "EUR", { signDisplay: "exceptZero" })}
      </td>
    </tr>
  );
}
