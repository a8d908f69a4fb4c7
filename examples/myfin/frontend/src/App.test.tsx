import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";
import { App } from "./App";
import type { Api } from "./api";
import { FakeApi } from "./test/fakeApi";

const TODAY = new Date(2026, 10, 23);

function show(change: (api: FakeApi) => void = () => {}): FakeApi {
  const api = new FakeApi();
  change(api);
  render(<App api={api} today={TODAY} />);
  return api;
}

const panel = (name: string) => within(screen.getByRole("region", { name }));

test("accounts stand with their kind and balance, each in its currency", async () => {
  show();
  expect(await panel("Accounts").findByText("Everyday")).toBeVisible();
  expect(panel("Accounts").getByText("€1,234.56")).toBeVisible();
  expect(panel("Accounts").getByText("-US$42.00")).toBeVisible();
  expect(panel("Accounts").getByText("credit card")).toBeVisible();
});

test("the overview adds up each currency and shows this month", async () => {
  show();
  const overview = panel("Overview of November 2026");
  expect(await overview.findByText("€1,234.56 + -US$42.00")).toBeVisible();
  expect(overview.getByText("€3,100.00")).toBeVisible();
  expect(overview.getByText("€2,199.50")).toBeVisible();
});

test("transactions are paged towards older ones and back", async () => {
  const user = userEvent.setup();
  show();
  const transactions = panel("Transactions");
  expect(await transactions.findByText("Purchase 7")).toBeVisible();
  expect(transactions.getByRole("button", { name: /Newer/ })).toBeDisabled();
  await user.click(transactions.getByRole("button", { name: /Older/ }));
  expect(await transactions.findByText("Purchase 4")).toBeVisible();
  await user.click(transactions.getByRole("button", { name: /Older/ }));
  expect(await transactions.findByText("Purchase 1")).toBeVisible();
  expect(transactions.getByRole("button", { name: /Older/ })).toBeDisabled();
  await user.click(transactions.getByRole("button", { name: /Newer/ }));
  expect(await transactions.findByText("Purchase 4")).toBeVisible();
});

test("a filter by account and month starts at the first page again", async () => {
  const user = userEvent.setup();
  show();
  const transactions = panel("Transactions");
  await transactions.findByText("Purchase 7");
  await user.click(transactions.getByRole("button", { name: /Older/ }));
  await user.selectOptions(transactions.getByLabelText("Account"), "Travel card");
  await user.selectOptions(transactions.getByLabelText("Month"), "October 2026");
  expect(await transactions.findByText("Purchase 2")).toBeVisible();
  expect(transactions.getByText("Page 1")).toBeVisible();
  expect(transactions.getAllByRole("row")).toHaveLength(2);
});

test("a filter that matches nothing says so", async () => {
  const user = userEvent.setup();
  show();
  await panel("Transactions").findByText("Purchase 7");
  await user.selectOptions(panel("Transactions").getByLabelText("Month"), "January 2026");
  expect(await panel("Transactions").findByText("No transactions match.")).toBeVisible();
});

test("an entered expense is sent with a negative amount and shown", async () => {
  const user = userEvent.setup();
  const api = show();
  await panel("Accounts").findByText("Everyday");
  await user.click(screen.getByRole("button", { name: "Add transaction" }));
  const form = within(screen.getByRole("form", { name: "New transaction" }));
  await user.type(form.getByLabelText("Amount"), "12,34");
  await user.type(form.getByLabelText("Description"), "Tram ticket");
  await user.type(form.getByLabelText("Category"), "travel");
  await user.click(form.getByRole("button", { name: "Save" }));
  expect(await panel("Transactions").findByText("Tram ticket")).toBeVisible();
  expect(api.list[0]).toEqual({
    id: 8,
    account_id: 1,
    date: "2026-11-23",
    description: "Tram ticket",
    category: "travel",
    amount_cents: -1234,
  });
});

test("an entry without an amount is refused before it is sent", async () => {
  const user = userEvent.setup();
  const api = show();
  await panel("Accounts").findByText("Everyday");
  await user.click(screen.getByRole("button", { name: "Add transaction" }));
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(screen.getByRole("alert")).toHaveTextContent("Enter the amount");
  expect(api.list).toHaveLength(7);
});

test("an entry that the server refuses stays in the form, with the reason", async () => {
  const user = userEvent.setup();
  show((api) => api.down.add("addTransaction"));
  await panel("Accounts").findByText("Everyday");
  await user.click(screen.getByRole("button", { name: "Add transaction" }));
  await user.type(screen.getByLabelText("Amount"), "5");
  await user.type(screen.getByLabelText("Description"), "Coffee");
  await user.type(screen.getByLabelText("Category"), "fun");
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("Not saved. The server cannot");
  expect(screen.getByLabelText("Description")).toHaveValue("Coffee");
});

test("a budget that is one cent over its limit is shown as over", async () => {
  show();
  const budgets = panel("Budgets");
  expect(await budgets.findByText("€0.01 over the limit")).toBeVisible();
  expect(budgets.getByText("€300.00 left")).toBeVisible();
  expect(budgets.getByRole("progressbar", { name: "fun budget" })).toHaveAttribute(
    "aria-valuetext",
    "101 % spent",
  );
});

test("a month without budgets says so, and the future cannot be chosen", async () => {
  const user = userEvent.setup();
  show();
  const budgets = panel("Budgets");
  expect(budgets.getByRole("button", { name: "Next month" })).toBeDisabled();
  await user.click(budgets.getByRole("button", { name: "Previous month" }));
  expect(await budgets.findByText("No budgets for October 2026.")).toBeVisible();
});

test("the chart draws a pair of bars a month and has its figures as a table", async () => {
  show();
  const chart = panel("Income and expenses");
  const picture = await chart.findByRole("img", { name: /2 months/ });
  expect(picture.querySelectorAll("rect.income, rect.expenses")).toHaveLength(4);
  expect(chart.getByText("€2,500.00")).toBeInTheDocument();
});

test("the page says which environment, version and commit it shows", async () => {
  show();
  expect(await screen.findByText("Hello from staging")).toBeVisible();
  expect(screen.getByRole("contentinfo")).toHaveTextContent(
    "version 1.4.0 · commit 0123456789ab · environment staging",
  );
});

const PARTS: [keyof Api, string][] = [
  ["accounts", "the accounts"],
  ["transactions", "the transactions"],
  ["budgets", "the budgets"],
  ["summary", "the monthly summary"],
];

test.each(PARTS)("when %s is down only its panel fails, and comes back", async (part, what) => {
  const user = userEvent.setup();
  const api = show((fake) => fake.down.add(part));
  expect(await screen.findByRole("alert")).toHaveTextContent(`Could not load ${what}.`);
  expect(await screen.findByText("Hello from staging")).toBeVisible();
  api.down.clear();
  await user.click(screen.getByRole("button", { name: "Try again" }));
  expect(screen.queryByRole("alert")).toBeNull();
});

test("with the whole API down the page still stands", async () => {
  show((api) => {
    for (const part of ["accounts", "transactions", "budgets", "summary", "about"] as const)
      api.down.add(part);
  });
  expect(await screen.findAllByRole("alert")).toHaveLength(4);
  expect(screen.getByRole("heading", { name: "MyFin" })).toBeVisible();
  expect(screen.getByRole("contentinfo")).toHaveTextContent("version unknown");
});
