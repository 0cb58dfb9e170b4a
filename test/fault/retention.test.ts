import fs from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { checkStore } from "@agent-audit/store/check";
import { describe, expect, it } from "vitest";
import { visibleEvents } from "../support/ledger.js";
import { oldDays } from "../support/old-days.js";
import { faultShare, runSeed, seeded } from "../support/seeded.js";
import { startServer } from "../support/start-server.js";

const KILLS = faultShare(60);
const DAYS = 30;
const PER_DAY = 20;

describe("a drop that is killed", () => {
  it(`has happened, or not, and is finished by the next start: ${KILLS} kills`, async () => {
    const seed = runSeed();
    console.log(`${KILLS} kills, seed ${seed}`);
    const random = seeded(seed);
    let killed = 0;
    while (killed < KILLS) {
      const data = await oldDays(DAYS, PER_DAY);
      const keepAll = path.join(data, "keep.yaml");
      const keepNone = path.join(data, "drop.yaml");
      fs.writeFileSync(keepAll, "");
      fs.writeFileSync(keepNone, "retention:\n  keep: 1d\n");
      // Sealed first: what is not is no candidate.
      const first = await startServer(data, ["--config", keepAll]);
      const compressed = () =>
        fs.readdirSync(path.join(data, "journal")).filter((name) => name.endsWith(".gz")).length;
      await expect.poll(compressed, { timeout: 60_000 }).toBe(DAYS);
      const states = async () => {
        const response = await fetch(`${first.apiUrl}/api/v1/status`);
        const { segments } = (await response.json()) as { segments: { state: string }[] };
        return segments.filter(({ state }) => state === "sealed").length;
      };
      await expect.poll(states, { timeout: 60_000 }).toBe(DAYS);
      await first.stop();
      for (let left = DAYS; left > 0 && killed < KILLS; killed++) {
        // The server drops by itself as soon as queries are ready.
        const server = await startServer(data, ["--config", keepNone]);
        await sleep(random() * 150);
        await server.kill();
        const names = fs
          .readdirSync(path.join(data, "events"))
          .filter((n) => n.endsWith(".duckdb"));
        expect(names.length).toBeLessThanOrEqual(left + 2);
        left = names.length - 1;
        if (left < 2) break;
      }
      const last = await startServer(data, ["--config", keepNone]);
      const count = () => visibleEvents(last.apiUrl);
      expect((await count()) % PER_DAY, "whole days only").toBe(0);
      await expect.poll(count, { timeout: 60_000 }).toBeLessThanOrEqual(2 * PER_DAY);
      await last.stop();
      const faults: string[] = [];
      await checkStore(data, (check) => faults.push(...check.faults));
      expect(faults).toEqual([]);
    }
  });
});
