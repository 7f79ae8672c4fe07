// A TypeScript program written against types that are generated from the published document. It is compiled, not run:
// changes of the document that break such a program fail here.

import createClient from "openapi-fetch";
import type { components, operations, paths } from "./generated/rollcall.js";

type User = components["schemas"]["User"];
type ApiError = components["schemas"]["ApiError"];

const client = createClient<paths>({ baseUrl: "http://127.0.0.1:8080" });

class Failed extends Error {
  constructor(readonly reason: ApiError) {
    super(`${reason.error_code ?? "no code"}: ${reason.message} (${reason.request_id})`);
  }
}

export async function signIn(identifier: string, password: string): Promise<string> {
  const { data, error } = await client.POST("/v1/login", { body: { identifier, password } });
  if (error) throw new Failed(error);
  client.use({
    onRequest: ({ request }) => {
      request.headers.set("Authorization", `Bearer ${data.token}`);
      return request;
    },
  });
  return data.token;
}

// Fields with a default may be omitted, and so may a body whose fields are all optional.
export async function withoutDefaults(user: string): Promise<void> {
  const params = { path: { user } };
  await client.POST("/v1/users", { body: { username: "ada" } });
  await client.POST("/v1/groups", { body: { slug: "engine", name: "Engine" } });
  await client.POST("/v1/roles", { body: { name: "editor" } });
  await client.PUT("/v1/users/{user}/password", { params, body: { password: "plum lantern over rivers" } });
  await client.POST("/v1/users/{user}/suspend", { params });
  await client.POST("/v1/groups/{group}/invitations", { params: { path: { group: "@engine" } } });
  await client.POST("/v1/logout");
  await client.POST("/v1/logout", { body: {} });
}

// The three states of a field in an update, and a conditional request with the header's usual name.
export async function update(user: string): Promise<User> {
  const before = await client.GET("/v1/users/{user}", { params: { path: { user } } });
  if (before.error) throw new Failed(before.error);
  const tag = before.response.headers.get("ETag");
  if (tag === null) throw new Error("the response has no entity tag");
  const { data, error } = await client.PATCH("/v1/users/{user}", {
    params: { path: { user }, header: { "If-Match": tag } },
    body: { name: "Ada King", phone: null, profile: { nickname: null } },
  });
  if (error) throw new Failed(error);
  return data;
}

export async function createOnce(username: string, key: string): Promise<User> {
  const { data, error } = await client.POST("/v1/users", {
    params: { header: { "Idempotency-Key": key } },
    body: { username, profile: { given_name: "Ada" }, custom_data: { shoe: { size: 42 } } },
  });
  if (error) throw new Failed(error);
  return data;
}

export async function* everybody(filter: string): AsyncGenerator<User> {
  let query: NonNullable<operations["user_list"]["parameters"]["query"]> = { filter, total: "estimate" };
  for (;;) {
    const { data, error } = await client.GET("/v1/users", { params: { query } });
    if (error) throw new Failed(error);
    yield* data.items;
    if (!data.next_page) return;
    query = { ...query, page_token: data.next_page };
  }
}

export async function versions(): Promise<components["schemas"]["ServerVersion"]> {
  const { data } = await client.GET("/v1/version");
  if (!data) throw new Error("no version");
  return data;
}

// Open sets are plain strings, so that a newer server's values can be read; closed ones are not.
export function kind(user: User): string {
  return user.view === "card" ? "a card" : (user.created_via ?? "unknown");
}

export async function mistakes(): Promise<void> {
  // @ts-expect-error: a phone number is a string
  await client.PATCH("/v1/users/{user}", { params: { path: { user: "me" } }, body: { phone: 7 } });
  // @ts-expect-error: a group needs a name
  await client.POST("/v1/groups", { body: { slug: "engine" } });
  // @ts-expect-error: `total` has two values
  await client.GET("/v1/users", { params: { query: { total: "all" } } });
  // @ts-expect-error: a sign-in needs a password
  await client.POST("/v1/login", { body: { identifier: "ada" } });
}
