/** Server-sent events; loaded only by a component that streams. */

/** Server-sent events of a body: comments are skipped, several data lines are one. */
export async function* readEvents(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    // A carriage return may be cut from its line feed; it waits for the next piece.
    buffer = (buffer + value).replace(/\r\n/g, "\n");
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const event = readEvent(buffer.slice(0, end));
      buffer = buffer.slice(end + 2);
      if (event) yield event;
    }
  }
}

function readEvent(block) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    const match = /^(event|data): ?(.*)$/.exec(line);
    if (match?.[1] === "event") event = match[2];
    else if (match) data.push(match[2]);
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}
