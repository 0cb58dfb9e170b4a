import { expect, it } from "vitest";
import { sampleBody, sampleEvent } from "../../test/support/sample-logs.js";
import { startQuery } from "../../test/support/start-query.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";

const NOON = 20_000n * 86_400_000_000_000n + 43_200_000_000_000n;

it("a page over segments of which each has other columns has every event's own fields", async () => {
  const limits = { maxRecords: 1, maxJournalBytes: Number.POSITIVE_INFINITY };
  const { append, settle, get } = await startQuery(
    temporaryDirectory(),
    () => NOON,
    () => true,
    { segmentLimits: limits },
  );
  const fields = [
    { user: { id: "u_1" }, usage: { model: "m", inputTokens: 3, cost: 0.5 } },
    { content: { "agent_audit.process.stdout": "text" } },
    { metadata: { "k8s.namespace.name": "prod", "x.y": [1] } },
    {},
  ];
  for (const change of fields) append(sampleBody(sampleEvent(change)), 1);
  await settle();
  const shown = async (query: string) =>
    (await get(`/api/v1/events?order=seq${query}`)).body.events.map(
      ({ user, usage, content, metadata }: Record<string, unknown>) => ({
        user,
        cost: (usage as { cost?: number } | null)?.cost ?? null,
        content,
        metadata,
      }),
    );
  const metadata = (await shown(""))[3].metadata;
  const expected = [
    { user: { id: "u_1" }, cost: 0.5, content: null, metadata: expect.objectContaining(metadata) },
    { user: null, cost: null, content: { "agent_audit.process.stdout": "text" }, metadata },
    {
      user: null,
      cost: null,
      content: null,
      metadata: { ...metadata, "k8s.namespace.name": "prod", "x.y": [1] },
    },
    { user: null, cost: null, content: null, metadata },
  ];
  expect(await shown("&fields=content")).toEqual(expected);
  expect(await shown("")).toEqual(expected.map(({ content: _, ...event }) => event));
  for (const [i, event] of expected.entries()) {
    const alone = await shown(`&after_seq=${i}&limit=1&fields=content`);
    expect(alone).toEqual([event]);
  }
});
