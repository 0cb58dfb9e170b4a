import { AuditError } from "@agent-audit/schema";
import { expect, it } from "vitest";
import { startStore } from "../../test/support/start-store.js";
import { temporaryDirectory } from "../../test/support/temporary-directory.js";
import { DirectoryAdministration } from "./administration.js";

it("a hold whose event cannot be recorded is not there", async () => {
  const dataDirectory = temporaryDirectory();
  const { store, following } = await startStore(dataDirectory);
  await following;
  const administration = new DirectoryAdministration({
    store,
    dataDirectory,
    keepDays: null,
    record: async () => {
      throw new AuditError("event_not_recorded", "the disk is nearly full", "make room");
    },
  });
  const adding = administration.addHold("agent=agt_1", "case 7", "an operator");
  await expect(adding).rejects.toMatchObject({ code: "event_not_recorded" });
  expect(await administration.listHolds()).toEqual([]);
});
