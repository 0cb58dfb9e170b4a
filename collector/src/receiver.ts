import {
  authenticate,
  type HttpServer,
  type Key,
  type KeyRing,
  type ListenerOptions,
  listen,
  makeHttpServer,
  RateLimits,
  urlOf,
} from "@agent-audit/access";
import type { Encoding } from "@agent-audit/otlp";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { answerOutcome, type RefusalStatus, refuse } from "./answers.js";
import { closeAfterBody } from "./close-after-body.js";
import { InFlightBudget } from "./in-flight-budget.js";
import type { JournalClient } from "./journal-client.js";
import { type BodyRead, readBody } from "./read-body.js";
import { senderOf } from "./sender.js";

type Env = { Bindings: HttpBindings; Variables: { key: Key | null } };

const ENCODINGS: Readonly<Record<string, Encoding>> = {
  "application/x-protobuf": "protobuf",
  "application/json": "json",
};

const KEEP_ALIVE_MILLIS = 120_000;
const HEADERS_MILLIS = 20_000;
const REQUEST_MILLIS = 60_000;
const CLOSE_GRACE_MILLIS = 1_000;
const MAX_IN_FLIGHT_BYTES = 128 * 1024 * 1024;
const STOPPING = "the server is stopping";

export interface ReceiverOptions extends ListenerOptions {
  keys: KeyRing;
  /** Whether callers must be on this machine, so that they need no key while there are none. */
  trustsLoopback: boolean;
  maxBodyBytes: number;
  /** Bytes of all bodies that are held at once, as received; default 128 MiB. */
  maxInFlightBytes?: number;
  /** How long the port outlives the last answer; default 1 s: Go's SDK drops a batch on a refused connection. */
  closeGraceMillis?: number;
  /** Told of every fault of ours: without event content. */
  onError?: (error: unknown) => void;
}

/**
 * Receives OTLP logs over HTTP. The port answers from the first moment to the last: 503 until the journal
 * is recovered and while the server drains, since a refused connection makes some clients drop a batch.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export class Receiver {
  readonly #maxBodyBytes: number;
  readonly #closeGraceMillis: number;
  readonly #budget: InFlightBudget;
  readonly #answers = new Map<number, number>();
  readonly #server: HttpServer;
  readonly #keys: KeyRing;
  readonly #trustsLoopback: boolean;
  readonly #rates = new RateLimits();
  readonly #onError: (error: unknown) => void;
  #journal: JournalClient | null = null;
  #isDraining = false;
  /** Requests whose body is complete: one that still arrives is not waited for. */
  #openRequests = 0;

  private constructor(options: ReceiverOptions) {
    this.#maxBodyBytes = options.maxBodyBytes;
    this.#onError = options.onError ?? (() => {});
    this.#budget = new InFlightBudget(options.maxInFlightBytes ?? MAX_IN_FLIGHT_BYTES);
    this.#closeGraceMillis = options.closeGraceMillis ?? CLOSE_GRACE_MILLIS;
    this.#keys = options.keys;
    this.#trustsLoopback = options.trustsLoopback;
    const timeouts = {
      keepAliveTimeout: KEEP_ALIVE_MILLIS,
      headersTimeout: HEADERS_MILLIS,
      requestTimeout: REQUEST_MILLIS,
    };
    this.#server = makeHttpServer(this.#app().fetch, options, timeouts, this.#onError);
  }

  /** Opens the port. @throws AuditError `port_in_use` */
  static async listen(options: ReceiverOptions): Promise<Receiver> {
    const receiver = new Receiver(options);
    await listen(receiver.#server, options.address, "--otlp HOST:PORT");
    return receiver;
  }

  /** Base URL of the listener, with the port that it really has. */
  get url(): string {
    return urlOf(this.#server);
  }

  /** Answers to exports since the start, by HTTP status. */
  get answers(): ReadonlyMap<number, number> {
    return this.#answers;
  }

  /** Starts storing, once the journal is recovered. */
  ready(journal: JournalClient): void {
    this.#journal = journal;
  }

  /** Answers what is open and refuses the rest with 503; resolves when nothing is open any more. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#openRequests > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Closes the port, a grace period after {@link drain}. */
  async close(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, this.#closeGraceMillis));
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #app(): Hono<Env> {
    const app = new Hono<Env>();
    app.use("/v1/*", async (c, next) => {
      await next();
      this.#answers.set(c.res.status, (this.#answers.get(c.res.status) ?? 0) + 1);
    });
    app.get("/healthz", (c) => c.text("ok\n"));
    app.get("/readyz", (c) =>
      this.#journal === null || this.#isDraining
        ? c.text("the journal is not ready\n", 503)
        : c.text("ok\n"),
    );
    app.use(async (c, next) => {
      const access = authenticate(
        this.#keys.current(),
        c.env.incoming.headers,
        ["ingest"],
        this.#trustsLoopback,
      );
      if (!access.isGranted) {
        return this.#close(c, access.httpStatus, access.reason, encodingOf(c) ?? "json");
      }
      c.set("key", access.key);
      await next();
      return undefined;
    });
    app.post("/v1/logs", (c) => this.#export(c));
    app.all("/v1/logs", (c) =>
      refuse(405, "send logs with POST", encodingOf(c) ?? "json", { Allow: "POST" }),
    );
    app.notFound((c) => refuse(404, "there is only POST /v1/logs here", encodingOf(c) ?? "json"));
    app.onError((error, c) => {
      this.#onError(error);
      return refuse(503, "the server failed; try again", encodingOf(c) ?? "json");
    });
    return app;
  }

  async #export(c: Context<Env>): Promise<Response> {
    const encoding = encodingOf(c);
    if (encoding === null) {
      const types = Object.keys(ENCODINGS).join(" or ");
      return refuse(415, `Content-Type must be ${types}`, "json");
    }
    const { incoming } = c.env;
    if (this.#isDraining) return this.#close(c, 503, STOPPING, encoding);
    if (this.#journal === null) return refuse(503, "the server is starting", encoding);
    const key = c.get("key");
    const rate = key?.max_bytes_per_second ?? null;
    if (key !== null && rate !== null && !this.#rates.hasRoom(key.id, rate)) {
      const message = `the key ${key.id} may send ${rate} bytes a second`;
      return this.#close(c, 429, message, encoding);
    }
    const read = await readBody(incoming, this.#maxBodyBytes, this.#budget);
    if (key !== null && rate !== null && read.status === "read") {
      const bytes = read.blocks.reduce((sum, { length }) => sum + length, 0);
      this.#rates.count(key.id, rate, bytes);
    }
    try {
      return await this.#answer(c, encoding, read, this.#journal);
    } finally {
      this.#budget.release(read.heldBytes);
    }
  }

  async #answer(
    c: Context<Env>,
    encoding: Encoding,
    read: BodyRead,
    journal: JournalClient,
  ): Promise<Response> {
    switch (read.status) {
      case "too_large": {
        const message = `the body has more than ${this.#maxBodyBytes} bytes; send smaller batches`;
        return this.#close(c, 413, message, encoding);
      }
      case "no_room":
        return this.#close(c, 503, "too many bytes are in flight", encoding);
      case "aborted":
        return refuse(400, "the body ended early", encoding);
      case "read": {
        if (this.#isDraining) return this.#close(c, 503, STOPPING, encoding);
        this.#openRequests++;
        try {
          const outcome = await journal.store({
            blocks: read.blocks,
            encoding,
            contentEncoding: c.env.incoming.headers["content-encoding"] ?? "",
            maxBodyBytes: this.#maxBodyBytes,
            sender: senderOf(c.get("key")),
          });
          return answerOutcome(outcome, encoding);
        } finally {
          this.#openRequests--;
        }
      }
      default:
        return read satisfies never;
    }
  }

  /** Refuses whoever showed no key, or has more to say than is read: a connection is kept for those who send. */
  #close(c: Context<Env>, status: RefusalStatus, message: string, encoding: Encoding): Response {
    return closeAfterBody(refuse(status, message, encoding), c.env.incoming);
  }
}

/** Reads the media type without its parameters, in any case. */
function encodingOf(c: Context<Env>): Encoding | null {
  const header = c.env.incoming.headers["content-type"] ?? "";
  const mediaType = (header.split(";")[0] as string).trim().toLowerCase();
  return Object.hasOwn(ENCODINGS, mediaType) ? (ENCODINGS[mediaType] as Encoding) : null;
}
