const KEY_WORDS = 4;
const EMPTY = -1;

/** Records that are remembered one by one; older ones only by their stream. */
export const RECENT_KEYS = 1 << 20;

/**
 * Remembers the last {@link RECENT_KEYS} keys of 128 bits, each with a checksum of its record, in about
 * 28 MiB: a ring of keys in order of arrival, and a table of places in it. A map of strings took three
 * times as much.
 */
export class RecentKeys {
  readonly #capacity: number;
  readonly #keys: Uint32Array;
  readonly #checksums: Uint32Array;
  /** Open addressing with linear probing: places in the ring. */
  readonly #table: Int32Array;
  readonly #mask: number;
  #next = 0;
  #size = 0;

  constructor(capacity = RECENT_KEYS) {
    this.#capacity = capacity;
    this.#keys = new Uint32Array(capacity * KEY_WORDS);
    this.#checksums = new Uint32Array(capacity);
    this.#table = new Int32Array(capacity * 2).fill(EMPTY);
    this.#mask = capacity * 2 - 1;
  }

  /** Makes it again from its {@link views}: all keys, then all checksums, oldest first each. */
  static from(keys: Uint32Array, checksums: Uint32Array): RecentKeys {
    const recent = new RecentKeys();
    recent.#fill(keys, checksums);
    return recent;
  }

  get size(): number {
    return this.#size;
  }

  /** Gives the checksum of the newest record with this key; `null` when the key is not remembered. */
  checksumOf(key: Uint32Array): number | null {
    const place = this.#table[this.#slotOf(key)] as number;
    return place === EMPTY ? null : (this.#checksums[place] as number);
  }

  /** Remembers a key; the oldest is forgotten when there is no room. */
  add(key: Uint32Array, checksum: number): void {
    const known = this.#table[this.#slotOf(key)] as number;
    if (known !== EMPTY) {
      this.#checksums[known] = checksum;
      return;
    }
    if (this.#size === this.#capacity) this.#forget(this.#next);
    else this.#size++;
    this.#keys.set(key, this.#next * KEY_WORDS);
    this.#checksums[this.#next] = checksum;
    this.#table[this.#slotOf(key)] = this.#next;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /** Gives all keys, then all checksums, oldest first each, as views of this object's memory. */
  views(): Uint32Array[] {
    const first = this.#size === this.#capacity ? this.#next : 0;
    return [
      this.#keys.subarray(first * KEY_WORDS, this.#size * KEY_WORDS),
      this.#keys.subarray(0, first * KEY_WORDS),
      this.#checksums.subarray(first, this.#size),
      this.#checksums.subarray(0, first),
    ];
  }

  /** A start waits for this: keys that are known to differ need not be compared. */
  #fill(keys: Uint32Array, checksums: Uint32Array): void {
    this.#keys.set(keys);
    this.#checksums.set(checksums);
    this.#size = checksums.length;
    this.#next = this.#size % this.#capacity;
    const table = this.#table;
    const mask = this.#mask;
    for (let place = 0; place < this.#size; place++) {
      let slot = (keys[place * KEY_WORDS] as number) & mask;
      while (table[slot] !== EMPTY) slot = (slot + 1) & mask;
      table[slot] = place;
    }
  }

  /** The slot that holds the key, or the empty one where it would go. */
  #slotOf(key: Uint32Array): number {
    for (let slot = (key[0] as number) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = this.#table[slot] as number;
      if (place === EMPTY || this.#isAt(place, key)) return slot;
    }
  }

  #isAt(place: number, key: Uint32Array): boolean {
    const at = place * KEY_WORDS;
    for (let i = 0; i < KEY_WORDS; i++) if (this.#keys[at + i] !== key[i]) return false;
    return true;
  }

  #keyAt(place: number): Uint32Array {
    return this.#keys.subarray(place * KEY_WORDS, (place + 1) * KEY_WORDS);
  }

  /** Empties a slot and moves up what was pushed behind it, so that no search ends too early. */
  #forget(place: number): void {
    let hole = this.#slotOf(this.#keyAt(place));
    for (let slot = (hole + 1) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const other = this.#table[slot] as number;
      if (other === EMPTY) break;
      const home = (this.#keys[other * KEY_WORDS] as number) & this.#mask;
      if (((slot - home) & this.#mask) >= ((slot - hole) & this.#mask)) {
        this.#table[hole] = other;
        hole = slot;
      }
    }
    this.#table[hole] = EMPTY;
  }
}
