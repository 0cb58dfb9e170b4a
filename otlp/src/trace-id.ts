/** Tells whether a hex id is all zeros, which W3C trace context and OTLP read as absent. */
export function isAllZero(hex: string): boolean {
  return /^0*$/.test(hex);
}
