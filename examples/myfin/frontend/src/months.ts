const LOCALE = "en-GB";

/** A month is the text "2026-11" everywhere, as in the API. */
export function monthOf(date: Date): string {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}`;
}

export function dayOf(date: Date): string {
  return `${monthOf(date)}-${String(date.getDate()).padStart(2, "0")}`;
}

export function shiftMonth(month: string, by: number): string {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return monthOf(new Date(year, number - 1 + by, 1));
}

/** The month itself and those before it, newest first. */
export function monthsBack(month: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => shiftMonth(month, -index));
}

export function formatMonth(month: string, style: "long" | "short" = "long"): string {
  const [year = 0, number = 1] = month.split("-").map(Number);
  const options: Intl.DateTimeFormatOptions =
    style === "long" ? { month: "long", year: "numeric" } : { month: "short" };
  return new Intl.DateTimeFormat(LOCALE, options).format(new Date(year, number - 1, 1));
}

export function formatDay(date: string): string {
  const [year = 0, month = 1, day = 1] = date.slice(0, 10).split("-").map(Number);
  const options: Intl.DateTimeFormatOptions = { day: "numeric", month: "short", year: "numeric" };
  return new Intl.DateTimeFormat(LOCALE, options).format(new Date(year, month - 1, day));
}
