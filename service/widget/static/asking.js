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
  /**
   * @param {string} endpoint address of the service, without a slash at its end
   * @param {string|null} tokenUrl where the host's page gets a short-lived token, if the service wants one
   */
  constructor(endpoint, tokenUrl) {
    this.endpoint = endpoint.replace(/\/+$/, "");
    this.tokenUrl = tokenUrl;
    this.token = null;
  }

  /** Ask and wait for the whole reply. */
  async ask(body, signal) {
    const response = await this.post("/v1/ask", body, signal);
    return readJson(response);
  }

  /**
   * Ask and hand over each event as it comes; resolves with the reply of the `done` event.
   *
   * @param {(event: string, data: any) => void} hear
   */
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
    let response;
    try {
      response = await fetch(this.endpoint + path, {
        method: "POST",
        headers: { "content-type": "application/json", accept, ...(await this.authorization()) },
        body: JSON.stringify(body),
        signal: AbortSignal.any(signals),
        credentials: "omit",
      });
    } catch {
      throw new AskError(signal?.aborted ? "stopped" : isOffline() ? "offline" : "failed");
    }
    if (!response.ok) throw await problem(response);
    return response;
  }

  /** The page never holds a key: its own server hands out a token that dies within minutes. */
  async authorization() {
    if (!this.tokenUrl) return {};
    if (!this.token || this.token.endsAt < Date.now()) {
      const response = await fetch(this.tokenUrl, { method: "POST", headers: { accept: "application/json" } });
      if (!response.ok) throw new Error("no token");
      const { token, expires_in: seconds = 60 } = await response.json();
      this.token = { text: token, endsAt: Date.now() + Math.max(0, seconds - 10) * 1000 };
    }
    return { authorization: `Bearer ${this.token.text}` };
  }
}

async function readJson(response) {
  try {
    return await response.json();
  } catch {
    throw new AskError("failed", { requestId: response.headers.get("x-request-id") ?? "" });
  }
}

async function problem(response) {
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
