export type Migration = { readonly name: string; readonly statements: readonly string[] };

/**
 * The schema's history; a migration's version is its place in the list, counted from 1.
 *
 * Only ever append. A rollback brings back an older program on a newer schema, and during a rollout
 * both run side by side: add what is new in one release, remove what is old in a later one.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'accounts and transactions',
    statements: [
      `CREATE TABLE IF NOT EXISTS accounts (
         id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
         name VARCHAR(80) NOT NULL,
         kind VARCHAR(20) NOT NULL,
         currency CHAR(3) NOT NULL,
         created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
         UNIQUE KEY accounts_name (name)
       ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
      `CREATE TABLE IF NOT EXISTS transactions (
         id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
         account_id BIGINT UNSIGNED NOT NULL,
         date DATE NOT NULL,
         description VARCHAR(200) NOT NULL,
         category VARCHAR(60) NOT NULL,
         amount_cents BIGINT NOT NULL,
         created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
         KEY transactions_by_date (date, id),
         KEY transactions_by_account (account_id, date, id, amount_cents),
         CONSTRAINT transactions_account FOREIGN KEY (account_id) REFERENCES accounts (id)
       ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
    ],
  },
  {
    name: 'budgets',
    statements: [
      `CREATE TABLE IF NOT EXISTS budgets (
         category VARCHAR(60) NOT NULL,
         month CHAR(7) NOT NULL,
         limit_cents BIGINT NOT NULL,
         PRIMARY KEY (month, category)
       ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
    ],
  },
];
