export interface Account {
  id: number;
  name: string;
  kind: string;
  currency: string;
  balance_cents: number;
}

export interface NewTransaction {
  account_id: number;
  /** ISO date, 2026-11-23. */
  date: string;
  description: string;
  category: string;
  /** Negative when money leaves the account. */
  amount_cents: number;
}

export interface Transaction extends NewTransaction {
  id: number;
}

export interface TransactionPage {
  items: Transaction[];
  next: string | null;
}

export interface TransactionQuery {
  accountId: string;
  /** 2026-11, or empty for every month. */
  month: string;
  cursor: string;
}

export interface Budget {
  category: string;
  month: string;
  limit_cents: number;
  spent_cents: number;
}

export interface MonthSummary {
  month: string;
  income_cents: number;
  expenses_cents: number;
}

export interface About {
  version: string;
  commit: string;
  environment: string;
  greeting: string;
}

/** What the page needs from the server. */
export interface Api {
  accounts(signal: AbortSignal): Promise<Account[]>;
  transactions(query: TransactionQuery, signal: AbortSignal): Promise<TransactionPage>;
  addTransaction(transaction: NewTransaction): Promise<Transaction>;
  budgets(month: string, signal: AbortSignal): Promise<Budget[]>;
  summary(months: number, signal: AbortSignal): Promise<MonthSummary[]>;
  about(signal: AbortSignal): Promise<About>;
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly details: unknown;

  constructor(code: string, message: string, details?: unknown) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

const BASE = "/api/v1";
const TIMEOUT_MS = 10_000;
const PAGE_SIZE = "10";

export function createApi(send: typeof fetch): Api {
  const get = <T>(path: string, query: Record<string, string>, signal: AbortSignal) =>
    request<T>(send, `${BASE}${path}${queryString(query)}`, { signal });
  return {
    accounts: (signal) => get("/accounts", {}, signal),
    transactions: ({ accountId, month, cursor }, signal) =>
      get("/transactions", { account: accountId, month, cursor, limit: PAGE_SIZE }, signal),
    budgets: (month, signal) => get("/budgets", { month }, signal),
    summary: (months, signal) => get("/summary/monthly", { months: String(months) }, signal),
    about: (signal) => get("/about", {}, signal),
    addTransaction: (transaction) =>
      request(send, `${BASE}/transactions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(transaction),
      }),
  };
}

function queryString(query: Record<string, string>): string {
  const given = Object.entries(query).filter(([, value]) => value !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

async function request<T>(send: typeof fetch, url: string, init: RequestInit): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout]) : timeout;
  let response: Response;
  try {
    response = await send(url, { ...init, signal });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    if (timeout.aborted) throw new ApiError("timeout", "The server took too long to answer.");
    throw new ApiError("unreachable", "The server cannot be reached.");
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw refusal(response.status, body);
  if (body === undefined) throw new ApiError("malformed", "The server sent an unreadable answer.");
  return body as T;
}

function refusal(status: number, body: unknown): ApiError {
  const error = (
    body as { error?: { code?: string; message?: string; details?: unknown } } | undefined
  )?.error;
  if (error?.message)
    return new ApiError(error.code ?? `http_${status}`, error.message, error.details);
  return new ApiError(`http_${status}`, `The server answered with an error (HTTP ${status}).`);
}
