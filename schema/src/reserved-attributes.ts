import { ATTR_DURATION, ATTR_SCHEMA_VERSION } from "./attributes.js";
import { ENVELOPE_FIELDS } from "./envelope-fields.js";
import { EVENT_FIELDS } from "./event-fields.js";

/** Lists the attributes that a field of `AuditEvent` stands for, so that metadata must not set them too. */
export const RESERVED_ATTRIBUTES: ReadonlySet<string> = new Set([
  ATTR_SCHEMA_VERSION,
  ATTR_DURATION,
  ...ENVELOPE_FIELDS.filter(({ field }) => EVENT_FIELDS.has(field)).map(
    ({ attribute }) => attribute,
  ),
]);
