/** The wire: one question out, one reply in, as a whole or as a stream of events. */
import { isOffline } from "./dom.js";

const TIMEOUT_MS = 60_000;

/** A request that did not end in a reply. `kind`: "limited", "offline", "stopped", "cut" or "failed". */
export class AskError extends Error {
  constructor(kind, { detail = "", requestId = "", seconds = 0, status = 0 } = {}) {
    super(kind);
    Object.assign(this, { kind, detail, requestId, seconds, status });
  }
}

export class Service {
  /** @param {string} endpoint address of the service; "" is the page's own origin */
  constructor(endpoint, tokenUrl, collection) {
    this.endpoint = endpoint.replace(/\/+$/, "");
    this.wantsToken = tokenUrl || new URL(endpoint, document.baseURI).origin !== self.origin;
    this.lender = [tokenUrl || `${this.endpoint}/v1/widget-tokens`, collection];
  }

  async ask(body, signal) {
    const response = await this.post("/v1/ask", body, signal);
    return readJson(response);
  }

  /** Ask and hand over each event as it comes; resolves with the reply of the last one, `done`. */
  async stream(body, signal, hear) {
    const response = await this.post("/v1/ask", { ...body, stream: true }, signal, "text/event-stream");
    if (!(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) return readJson(response);
    const { readEvents } = await import("./streaming.js");
    let reply = null;
    try {
      for await (const { event, data } of readEvents(response.body)) {
        if (event === "error") throw new AskError("cut", { detail: data.detail, requestId: data.request_id });
        if (event === "done") reply = data;
        else hear(event, data);
      }
    } catch (error) {
      throw error instanceof AskError ? error : new AskError(signal.aborted ? "stopped" : "cut");
    }
    if (!reply) throw new AskError("cut");
    return reply;
  }

  async post(path, body, signal = null, accept = "application/json") {
    if (isOffline()) throw new AskError("offline");
    const signals = [AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])];
    const send = async (renew) => fetch(this.endpoint + path, {
      method: "POST",
      headers: { "content-type": "application/json", accept, ...(await this.authorization(renew)) },
      body: JSON.stringify(body),
      signal: AbortSignal.any(signals),
      credentials: "omit",
    });
    let response;
    try {
      response = await send(false);
      if (response.status === 401) response = await send(true);
    } catch (error) {
      if (error instanceof AskError) throw error;
      throw new AskError(signal?.aborted ? "stopped" : isOffline() ? "offline" : "failed");
    }
    if (!response.ok) throw await problem(response);
    return response;
  }

  /** A page of another origin never holds a key: it borrows a token that dies within minutes. */
  async authorization(renew) {
    if (!this.wantsToken && !this.tokens && !renew) return {};
    this.tokens ??= new (await import("./tokens.js")).Tokens(...this.lender);
    return this.tokens.header(renew);
  }
}

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    throw new AskError("failed", { requestId: response.headers.get("x-request-id") ?? "" });
  }
}

export async function problem(response) {
  let told = {};
  try {
    told = await response.json();
  } catch {
    // A proxy's error page: the status says enough.
  }
  const requestId = String(told.request_id ?? response.headers.get("x-request-id") ?? "");
  if (response.status === 429) {
    const seconds = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
    return new AskError("limited", { requestId, status: 429, seconds: seconds > 0 ? seconds : 30 });
  }
  const detail = response.status < 500 && typeof told.detail === "string" ? told.detail : "";
  return new AskError("failed", { detail, requestId, status: response.status });
}
