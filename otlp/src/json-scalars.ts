/** Highest decimal exponent that is evaluated: uint64 has 20 digits, so anything past this is out of range. */
const MAX_EXPONENT = 400;
/** As many digits are evaluated: of sixty million, which fit into a body, `BigInt` takes a minute. */
const MAX_DIGITS = 400;

const INTEGER = /^-?\d+$/;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * Reads an integer from its JSON digits without losing precision: plain, or in exponent form as long as
 * its value is integral.
 *
 * @returns `"invalid"` when the text is no number, `"fraction"` when its value is not integral or too large to tell
 */
export function parseInteger(text: string): bigint | "invalid" | "fraction" {
  const digits = text.trim();
  if (INTEGER.test(digits)) return bigintOf(digits);
  const match = DECIMAL.exec(digits);
  if (match === null) return "invalid";
  const [, sign, whole = "", fraction = "", exponentText = "0"] = match;
  const exponent = Number(exponentText) - fraction.length;
  const mantissa = bigintOf(`${sign}${whole}${fraction}`);
  if (mantissa === 0n || mantissa === "fraction") return mantissa;
  if (Math.abs(exponent) > MAX_EXPONENT) return "fraction";
  if (exponent >= 0) return mantissa * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return mantissa % divisor === 0n ? mantissa / divisor : "fraction";
}

function bigintOf(digits: string): bigint | "fraction" {
  if (digits.length <= MAX_DIGITS) return BigInt(digits);
  const isNegative = digits.startsWith("-");
  const significant = digits.replace(/^-?0*/, "");
  if (significant.length > MAX_DIGITS) return "fraction";
  const value = BigInt(significant);
  return isNegative ? -value : value;
}

/** Reads a double: a JSON number, a numeric string, `NaN`, `Infinity` or `-Infinity`; `undefined` for anything else. */
export function parseDouble(text: string): number | undefined {
  const trimmed = text.trim();
  if (trimmed === "NaN") return Number.NaN;
  if (trimmed === "Infinity") return Number.POSITIVE_INFINITY;
  if (trimmed === "-Infinity") return Number.NEGATIVE_INFINITY;
  return DECIMAL.test(trimmed) ? Number(trimmed) : undefined;
}

/** Reads base64 in the standard or the URL-safe alphabet, padded or not; `undefined` for anything else. */
export function parseBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, "base64"));
}
