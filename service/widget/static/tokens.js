/** Short-lived tokens, for pages of another origin than the service. */
import { problem } from "./asking.js";

const EARLY_MS = 30_000;

export class Tokens {
  constructor(url, collection) {
    Object.assign(this, { url, collection });
  }

  async header(renew) {
    if (renew || !(this.endsAt > Date.now())) this.token = await this.borrow();
    return { authorization: `Bearer ${this.token}` };
  }

  async borrow() {
    // The last token tells that it is the same visitor.
    const shown = this.token && { authorization: `Bearer ${this.token}` };
    const response = await fetch(this.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...shown },
      body: JSON.stringify({ collection: this.collection || undefined }),
      credentials: "omit",
    });
    if (!response.ok) throw await problem(response);
    const { token, expires_in: seconds = 60 } = await response.json();
    // Early, yet a token of a few seconds is used at all.
    this.endsAt = Date.now() + Math.max(seconds * 500, seconds * 1000 - EARLY_MS);
    return token;
  }
}
