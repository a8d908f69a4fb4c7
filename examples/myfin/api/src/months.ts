/** A calendar month as `YYYY-MM`; months are UTC, as dates of transactions carry no zone. */
export type Month = string;

export const monthOf = (day: Date): Month => day.toISOString().slice(0, 7);

export function addMonths(month: Month, count: number): Month {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return monthOf(new Date(Date.UTC(year, number - 1 + count, 1)));
}

/** The `count` months that end with `last`, oldest first. */
export const monthsUntil = (last: Month, count: number): Month[] =>
  Array.from({ length: count }, (_, index) => addMonths(last, index - count + 1));

export const firstDay = (month: Month): string => `${month}-01`;
