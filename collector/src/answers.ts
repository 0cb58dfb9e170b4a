import { WWW_AUTHENTICATE } from "@agent-audit/access";
import { type Encoding, writeExportResponse, writeStatus } from "@agent-audit/otlp";
import { ACCEPTED_ENCODINGS } from "./admit.js";
import type { StoreOutcome } from "./journal-messages.js";

/** Lists the refusals with their `google.rpc.Code`. 500 is not among them: clients drop a batch on it. */
const RPC_CODES = {
  400: 3,
  401: 16,
  403: 7,
  404: 12,
  405: 12,
  413: 8,
  415: 3,
  429: 8,
  503: 14,
} as const;

export type RefusalStatus = keyof typeof RPC_CODES;

const CONTENT_TYPES: Record<Encoding, string> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** Keeps every answer under 2 KiB: a UTF-16 unit takes at most three bytes. */
const MAX_MESSAGE_LENGTH = 600;

/** Cuts a message, without what JSON would write as six bytes. */
function bounded(message: string): string {
  return message
    .slice(0, MAX_MESSAGE_LENGTH)
    .toWellFormed()
    .replace(/\p{Cc}/gu, "\uFFFD");
}

/** Writes a refusal in the request's encoding. */
export function refuse(
  httpStatus: RefusalStatus,
  message: string,
  encoding: Encoding,
  headers: Record<string, string> = {},
): Response {
  const body = writeStatus(RPC_CODES[httpStatus], bounded(message), encoding);
  return answer(httpStatus, body, encoding, {
    ...(httpStatus === 429 || httpStatus === 503 ? { "Retry-After": retryAfterSeconds() } : {}),
    ...(httpStatus === 401 ? { "WWW-Authenticate": WWW_AUTHENTICATE } : {}),
    ...(httpStatus === 415 ? { "Accept-Encoding": ACCEPTED_ENCODINGS } : {}),
    ...headers,
  });
}

/** Answers a body that went through the journal. */
export function answerOutcome(outcome: StoreOutcome, encoding: Encoding): Response {
  switch (outcome.status) {
    case "failed":
      return refuse(503, "the server cannot write to its disk", encoding);
    case "no_room":
      return refuse(503, "the server's disk is nearly full", encoding);
    case "refused":
      return refuse(outcome.httpStatus, outcome.reason, encoding);
    case "stored": {
      const { lastSeq, rejectedCount, reason } = outcome;
      const partial =
        rejectedCount === 0
          ? null
          : {
              rejectedLogRecords: rejectedCount,
              errorMessage: bounded(
                `${rejectedCount} records were set aside, the first because: ${reason}`,
              ),
            };
      const body = writeExportResponse(partial, encoding);
      return answer(
        200,
        body,
        encoding,
        lastSeq === 0n ? {} : { "Agent-Audit-Seq": String(lastSeq) },
      );
    }
    default:
      return outcome satisfies never;
  }
}

function answer(
  status: number,
  body: Buffer,
  encoding: Encoding,
  headers: Record<string, string>,
): Response {
  return new Response(new Uint8Array(body), {
    status,
    headers: {
      "Content-Type": CONTENT_TYPES[encoding],
      "Content-Length": String(body.length),
      ...headers,
    },
  });
}

/** 2 or 3, so that clients spread out: 0 makes some hammer, 10 and more makes others drop the batch. */
function retryAfterSeconds(): string {
  return Math.random() < 0.5 ? "2" : "3";
}
