const LOCALE = "en-GB";

/** 123456 cents of EUR as "€1,234.56". Falls back to the bare code for a currency nobody knows. */
export function formatMoney(
  cents: number,
  currency: string,
  options: Intl.NumberFormatOptions = {},
) {
  try {
    return new Intl.NumberFormat(LOCALE, { style: "currency", currency, ...options }).format(
      cents / 100,
    );
  } catch {
    return `${(cents / 100).toFixed(2)} ${currency}`;
  }
}

/** "€1.2k": for axes, where the exact figure stands elsewhere. */
export function formatMoneyShort(cents: number, currency: string): string {
  return formatMoney(cents, currency, {
    notation: "compact",
    minimumFractionDigits: 0,
    maximumFractionDigits: 1,
  });
}

/** Cents in "12", "12.3", "1,234.56" or "12,34"; null for anything else, zero and signs included. */
export function parseCents(text: string): number | null {
  const plain = text
    .trim()
    .replace(/,(?=\d{3}(\D|$))/g, "")
    .replace(",", ".");
  const match = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(plain);
  if (!match) return null;
  const cents = Number(match[1]) * 100 + Number((match[2] ?? "").padEnd(2, "0"));
  return cents === 0 ? null : cents;
}

/** Sums by currency, in order of first appearance. */
export function totals(
  accounts: { currency: string; balance_cents: number }[],
): [string, number][] {
  const sums = new Map<string, number>();
  for (const { currency, balance_cents } of accounts) {
    sums.set(currency, (sums.get(currency) ?? 0) + balance_cents);
  }
  return [...sums];
}
