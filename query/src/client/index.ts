import { AuditError } from "@agent-audit/schema";
import type { AggregateAnswer } from "../aggregate.js";
import type { EventJson } from "../event-json.js";
import type { EventsPage } from "../events.js";
import type { FacetsAnswer } from "../facets.js";
import type { QuarantineAnswer, QuarantineEntryJson } from "../quarantine.js";
import type { statusJson } from "../status.js";
import type { Bucket, TimeseriesAnswer } from "../timeseries.js";

export type {
  AggregateAnswer,
  Bucket,
  EventJson,
  EventsPage,
  FacetsAnswer,
  QuarantineAnswer,
  QuarantineEntryJson,
  TimeseriesAnswer,
};
export type StatusAnswer = Awaited<ReturnType<typeof statusJson>>;

/** Names an endpoint's answer. */
export interface Answers {
  events: EventsPage;
  aggregate: AggregateAnswer;
  facets: FacetsAnswer;
  timeseries: TimeseriesAnswer;
  status: StatusAnswer;
  quarantine: QuarantineAnswer;
  [id: `quarantine/${string}`]: QuarantineEntryJson;
}

/** Asks a server's query API. Loads neither DuckDB nor the server. */
export class QueryClient {
  readonly #baseUrl: string;

  readonly #key: string | undefined;

  /**
   * @param baseUrl such as `http://127.0.0.1:8318`
   * @param key sent with every request; a server without keys needs none
   * @throws AuditError `invalid_address`, `invalid_key`
   */
  constructor(baseUrl: string, key?: string) {
    if (!/^https?:$/.test(URL.canParse(baseUrl) ? new URL(baseUrl).protocol : "")) {
      throw new AuditError(
        "invalid_address",
        `${JSON.stringify(baseUrl)} is no address of a query API`,
        "write it like http://127.0.0.1:8318",
      );
    }
    if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
      throw new AuditError(
        "invalid_key",
        "the key holds what no key has",
        "set AGENT_AUDIT_API_KEY to what `agent-audit keys create` printed",
      );
    }
    this.#baseUrl = baseUrl.replace(/\/+$/, "");
    this.#key = key;
  }

  /**
   * @param parameters name and value pairs; a name may come more than once
   * @throws AuditError `unreachable`, or what the server answered
   */
  async get<E extends keyof Answers>(
    endpoint: E,
    parameters: Iterable<readonly [string, string]> = [],
  ): Promise<Answers[E]> {
    const search = new URLSearchParams(
      [...parameters].map(([name, value]): [string, string] => [name, value]),
    );
    return await this.send("GET", `${endpoint}${search.size > 0 ? `?${search}` : ""}`);
  }

  /**
   * Sends any request under `/api/v1/`.
   *
   * @throws AuditError `unreachable`, `no_tls`, or what the server answered
   */
  async send<T>(method: string, path: string, content?: object): Promise<T> {
    const headers: Record<string, string> = {};
    if (this.#key !== undefined) headers.Authorization = `Bearer ${this.#key}`;
    if (content !== undefined) headers["Content-Type"] = "application/json";
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#baseUrl}/api/v1/${path}`, {
        method,
        headers,
        ...(content === undefined ? {} : { body: JSON.stringify(content) }),
      });
      text = await response.text();
    } catch (cause) {
      throw notAnswered(this.#baseUrl, cause);
    }
    const body = jsonOf(text) as { error?: { code: string; message: string; hint: string } } | null;
    if (response.ok && body !== null) return body as T;
    const { code, message, hint } = body?.error ?? {
      // What stands in front of a server that is starting again.
      code: GATEWAY_STATUSES.includes(response.status) ? "unreachable" : "unreadable",
      message: `${this.#baseUrl} answered ${response.status} without JSON`,
      hint:
        response.status === 431
          ? "the parameters are too long together: ask with fewer values"
          : "is this the query API's address, and does the server run?",
    };
    throw new AuditError(code, message, hint);
  }
}

const GATEWAY_STATUSES = [502, 503, 504];

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Faults of TLS, by the codes of Node's and OpenSSL's errors. */
const TLS_FAULT = /CERT|SSL|TLS|UNABLE_TO/;

function notAnswered(baseUrl: string, cause: unknown): AuditError {
  const { code = "", message } = ((cause as Error).cause ?? cause) as NodeJS.ErrnoException;
  if (TLS_FAULT.test(code)) {
    return new AuditError(
      "no_tls",
      `the server at ${baseUrl} is not trusted, or does not speak TLS: ${message}`,
      "name a certificate authority of your own with NODE_EXTRA_CA_CERTS=FILE",
      { cause },
    );
  }
  return new AuditError(
    "unreachable",
    `no server answers at ${baseUrl}${code === "" ? "" : ` (${code})`}`,
    "start one with `agent-audit serve`, or name another with --api URL",
    { cause },
  );
}
