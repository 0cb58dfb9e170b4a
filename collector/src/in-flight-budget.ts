/** Bounds the bytes of all bodies that are held at once, received or waiting for the journal. */
export class InFlightBudget {
  readonly #limitBytes: number;
  #heldBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  hasRoom(bytes: number): boolean {
    return this.#heldBytes + bytes <= this.#limitBytes;
  }

  /** Takes room for bytes; `false` when there is none. */
  reserve(bytes: number): boolean {
    if (!this.hasRoom(bytes)) return false;
    this.#heldBytes += bytes;
    return true;
  }

  /** Gives room back that {@link reserve} took. */
  release(bytes: number): void {
    this.#heldBytes -= bytes;
  }
}
