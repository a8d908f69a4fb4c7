import { type FormEvent, type ReactNode, useId, useState } from "react";
import type { Account, Api, NewTransaction } from "../api";
import { parseCents } from "../money";
import { dayOf } from "../months";

interface TransactionFormProps {
  accounts: Account[];
  today: Date;
  add: Api["addTransaction"];
  onAdded: () => void;
}

export function TransactionForm({ accounts, today, add, onAdded }: TransactionFormProps) {
  const [problem, setProblem] = useState("");
  const [sending, setSending] = useState(false);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const entered = read(new FormData(event.currentTarget));
    if (typeof entered === "string") return setProblem(entered);
    setProblem("");
    setSending(true);
    try {
      await add(entered);
      onAdded();
    } catch (error) {
      setProblem(`Not saved. ${(error as Error).message}`);
      setSending(false);
    }
  };

  return (
    <form className="entry" aria-label="New transaction" onSubmit={submit} noValidate>
      <Field label="Kind">
        {(id) => (
          <select id={id} name="kind">
            <option value="expense">Expense</option>
            <option value="income">Income</option>
          </select>
        )}
      </Field>
      <Field label="Amount">
        {(id) => <input id={id} name="amount" inputMode="decimal" placeholder="12.50" />}
      </Field>
      <Field label="Account">
        {(id) => (
          <select id={id} name="account">
            {accounts.map((account) => (
              <option key={account.id} value={account.id}>
                {account.name} ({account.currency})
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label="Date">
        {(id) => <input id={id} name="date" type="date" defaultValue={dayOf(today)} />}
      </Field>
      <Field label="Description">
        {(id) => <input id={id} name="description" maxLength={200} />}
      </Field>
      <Field label="Category">
        {(id) => <input id={id} name="category" maxLength={50} placeholder="groceries" />}
      </Field>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="primary" disabled={sending}>
        {sending ? "Saving…" : "Save"}
      </button>
    </form>
  );
}

function Field({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
    </div>
  );
}

/** The transaction that was entered, or a sentence that says what is wrong with it. */
function read(form: FormData): NewTransaction | string {
  const text = (name: string) => String(form.get(name) ?? "").trim();
  const cents = parseCents(text("amount"));
  if (cents === null) return "Enter the amount as a figure above zero, such as 12.50.";
  if (text("date") === "") return "Choose a date.";
  if (text("description") === "") return "Describe the transaction.";
  if (text("category") === "") return "Enter a category.";
  return {
    account_id: Number(text("account")),
    date: text("date"),
    description: text("description"),
    category: text("category"),
    amount_cents: text("kind") === "income" ? cents : -cents,
  };
}
