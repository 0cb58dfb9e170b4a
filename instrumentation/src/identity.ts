import { AsyncLocalStorage } from "node:async_hooks";
import type { AuditEvent } from "@agent-audit/schema";

/** Says on whose behalf events are recorded. */
export interface Identity {
  agent?: { id?: string; name?: string; version?: string };
  user?: { id?: string; name?: string; email?: string };
  org?: string;
  project?: string;
  conversationId?: string;
}

/** Keeps the identity of a call and of everything that it starts. */
export class IdentityScope {
  readonly #storage = new AsyncLocalStorage<Identity>();
  readonly #base: Identity;

  constructor(base: Identity) {
    this.#base = base;
  }

  get current(): Identity {
    return this.#storage.getStore() ?? this.#base;
  }

  run<T>(change: Identity, action: () => T): T {
    return this.#storage.run({ ...this.current, ...change }, action);
  }
}

/** Gives the event's fields for an identity: the agent acts, else the user. */
export function identityFields({
  agent,
  user,
  org,
  project,
  conversationId,
}: Identity): Pick<AuditEvent, "actor" | "agent" | "user" | "org" | "project" | "conversationId"> {
  const isUser = agent === undefined && user !== undefined;
  const { id, name } = (isUser ? user : agent) ?? {};
  return {
    actor: {
      type: isUser ? "user" : "agent",
      ...(id === undefined ? {} : { id }),
      ...(name === undefined ? {} : { name }),
    },
    ...(agent === undefined ? {} : { agent }),
    ...(user === undefined ? {} : { user }),
    ...(org === undefined ? {} : { org: { id: org } }),
    ...(project === undefined ? {} : { project: { id: project } }),
    ...(conversationId === undefined ? {} : { conversationId }),
  };
}

/** Names who acts, for descriptions. */
export function actorName({ agent, user }: Identity): string {
  return agent?.name ?? agent?.id ?? user?.name ?? user?.id ?? "an agent";
}
