import type { Readable } from "node:stream";
import { leave, type Output } from "./pipe.js";

/** Output of what a command has left running in the background is waited for no longer than it comes. */
const LINGER_MILLIS = 200;

/** Ends a stream that others hold open after the command has ended, once nothing comes and nothing waits to be passed on. */
export function endWhenIdle(from: Readable | null, to: Output): void {
  if (from === null || from.closed) return;
  let isIdle = false;
  from.on("data", () => {
    isIdle = false;
  });
  const timer = setInterval(() => {
    if (isIdle && from.readableLength === 0 && to.writableLength === 0) leave(from, to);
    isIdle = true;
  }, LINGER_MILLIS);
  from.once("close", () => clearInterval(timer));
}
