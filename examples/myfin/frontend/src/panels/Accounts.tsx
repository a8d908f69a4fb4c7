import type { Account } from "../api";
import { formatMoney } from "../money";
import type { Resource } from "../resource";
import { Loaded, Panel } from "./Panel";

export function Accounts({ accounts }: { accounts: Resource<Account[]> }) {
  return (
    <Panel title="Accounts">
      <Loaded
        resource={accounts}
        what="the accounts"
        empty="No accounts yet."
        isEmpty={(list) => list.length === 0}
      >
        {(list) => (
          <ul className="rows">
            {list.map((account) => (
              <AccountRow key={account.id} account={account} />
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

function AccountRow({ account }: { account: Account }) {
  return (
    <li>
      <span className="monogram" aria-hidden="true">
        {account.name.slice(0, 1).toUpperCase()}
      </span>
      <span className="grow">
        <span className="name">{account.name}</span>
        <span className="note">{account.kind.replaceAll("_", " ")}</span>
      </span>
      <span className={account.balance_cents < 0 ? "amount bad" : "amount"}>
        {formatMoney(account.balance_cents, account.currency)}
      </span>
    </li>
  );
}
