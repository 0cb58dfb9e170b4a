import { listenAddressText } from "@agent-audit/access";
import { z } from "zod";

/** The query API's part of the configuration file. */
export const queryConfig = z.strictObject({
  http: z
    .strictObject({
      /** `HOST:PORT` of the query API. */
      listen: listenAddressText.default("127.0.0.1:8318"),
    })
    .prefault({}),
});
