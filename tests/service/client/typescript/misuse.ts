/** What must not compile: each line below is an error, and a line that is none is an error of its own. */
import createClient from "openapi-fetch";
import type { Answer } from "./ask.js";
import type { paths } from "./schema.js";

const client = createClient<paths>({ baseUrl: "" });

// @ts-expect-error The field is called question.
void client.POST("/v1/ask", { body: { query: "…" } });
// @ts-expect-error There is no such address.
void client.POST("/v1/answer", { body: { question: "…" } });
// @ts-expect-error The address takes no GET.
void client.GET("/v1/ask");

export function misread(answer: Answer): string {
  // @ts-expect-error A citation has source_start.
  void answer.citations[0]?.start;
  // @ts-expect-error A list may be empty.
  void answer.citations[0].quote;
  // @ts-expect-error There is not always a notice.
  return answer.triage.message;
}
