import { expect, test } from "vitest";
import { type ApiError, createApi } from "./api";

const never = new AbortController().signal;

/** An API whose server always gives this answer, and the requests it was sent. */
function apiAnswering(status: number, body: string) {
  const asked: string[] = [];
  const api = createApi(async (url, init) => {
    asked.push(`${init?.method ?? "GET"} ${url} ${init?.body ?? ""}`.trim());
    return new Response(body, { status });
  });
  return { api, asked };
}

const failure = (answer: Promise<unknown>) => answer.catch((error: ApiError) => error);

test("only the filters that are set are sent", async () => {
  const { api, asked } = apiAnswering(200, '{"items":[],"next":null}');
  await api.transactions({ accountId: "", month: "2026-11", cursor: "" }, never);
  await api.transactions({ accountId: "2", month: "", cursor: "a b" }, never);
  expect(asked).toEqual([
    "GET /api/v1/transactions?month=2026-11&limit=10",
    "GET /api/v1/transactions?account=2&cursor=a+b&limit=10",
  ]);
});

test("the server's own words explain a refusal", async () => {
  const { api } = apiAnswering(
    422,
    '{"error":{"code":"invalid","message":"date is in the future","details":["date"]}}',
  );
  expect(await failure(api.accounts(never))).toMatchObject({
    code: "invalid",
    message: "date is in the future",
    details: ["date"],
  });
});

test.each([
  [502, "<html>", "http_502", "The server answered with an error (HTTP 502)."],
  [200, "<html>", "malformed", "The server sent an unreadable answer."],
])("an answer %i with %s becomes the error %s", async (status, body, code, message) => {
  const { api } = apiAnswering(status, body);
  expect(await failure(api.about(never))).toMatchObject({ code, message });
});

test("a server that cannot be reached is said to be so", async () => {
  const api = createApi(() => Promise.reject(new TypeError("Failed to fetch")));
  expect(await failure(api.summary(12, never))).toMatchObject({ code: "unreachable" });
});
