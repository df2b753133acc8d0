import { ask, quoteOf } from "./built/ask.js";

const [, , address, question] = process.argv;
const reply = await ask(address, question);
const quotes = [];
for (const citation of reply.citations ?? []) quotes.push(await quoteOf(address, citation));
console.log(JSON.stringify({ reply, quotes }));
