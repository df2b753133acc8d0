/** A question from TypeScript, typed by the service's own description of itself. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

export type Answer = components["schemas"]["AnswerSchema"];
export type Problem = components["schemas"]["ProblemSchema"];

export async function ask(address: string, question: string): Promise<Answer | Problem> {
  const client = createClient<paths>({ baseUrl: address });
  const { data, error } = await client.POST("/v1/ask", { body: { question } });
  if (error !== undefined) return error;
  if (typeof data === "string") throw new TypeError("events come only with stream: true");
  return data;
}

/** The code points of a document that a citation names: JavaScript's own indices count UTF-16 units. */
export async function quoteOf(address: string, citation: Answer["citations"][number]): Promise<string> {
  const client = createClient<paths>({ baseUrl: address });
  const { data } = await client.GET("/v1/documents/{document_id}", {
    params: { path: { document_id: citation.document_id } },
  });
  return Array.from(data?.text ?? "").slice(citation.source_start, citation.source_end).join("");
}
