import { describe, expect, it } from "vitest";
import { bucketStart, nextBucket, parseInterval } from "./buckets.js";
import { Zone } from "./zone.js";

const starts = (interval: string, zone: string, from: string, to: string) => {
  const parsed = parseInterval(interval);
  const tz = new Zone(zone);
  const list: string[] = [];
  for (let at = bucketStart(Date.parse(from), parsed, tz); at < Date.parse(to); ) {
    list.push(new Date(at).toISOString().slice(5, 16));
    at = nextBucket(at, parsed, tz);
  }
  return list;
};

describe("buckets", () => {
  it.each([
    ["day", "UTC", "2026-11-23T05:00Z", "2026-11-25T00:00Z", ["11-23T00:00", "11-24T00:00"]],
    [
      "day",
      "Europe/Berlin",
      "2026-03-28T12:00Z",
      "2026-03-30T12:00Z",
      ["03-27T23:00", "03-28T23:00", "03-29T22:00"],
    ],
    [
      "day",
      "Europe/Berlin",
      "2026-10-24T12:00Z",
      "2026-10-26T12:00Z",
      ["10-23T22:00", "10-24T22:00", "10-25T23:00"],
    ],
    [
      "6h",
      "Europe/Berlin",
      "2026-03-29T00:00Z",
      "2026-03-30T00:00Z",
      ["03-28T23:00", "03-29T05:00", "03-29T11:00", "03-29T17:00", "03-29T22:00"],
    ],
    [
      "week",
      "Asia/Kolkata",
      "2026-11-25T00:00Z",
      "2026-12-01T00:00Z",
      ["11-22T18:30", "11-29T18:30"],
    ],
    [
      "day",
      "America/Sao_Paulo",
      "2018-11-03T12:00Z",
      "2018-11-05T12:00Z",
      ["11-03T03:00", "11-04T03:00", "11-05T02:00"],
    ],
    ["day", "Asia/Chita", "2014-10-25T14:30Z", "2014-10-26T17:00Z", ["10-25T14:00", "10-26T16:00"]],
    ["day", "Antarctica/Casey", "2023-03-09T05:00Z", "2023-03-09T16:00Z", ["03-08T13:00"]],
    [
      "hour",
      "Asia/Kathmandu",
      "2026-11-25T00:20Z",
      "2026-11-25T02:00Z",
      ["11-25T00:15", "11-25T01:15"],
    ],
    [
      "7h",
      "Europe/Berlin",
      "1970-01-01T08:00Z",
      "1970-01-01T15:00Z",
      ["01-01T07:00", "01-01T14:00"],
    ],
  ])("of %s in %s start where the clock says", (interval, zone, from, to, expected) => {
    expect(starts(interval, zone, from, to)).toEqual(expected);
  });
});
