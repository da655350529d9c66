export interface AdmissionLimits {
  /** Requests that are read, processed or answered at once. */
  readonly maxInFlight: number;
  /** Bytes of their contents together. */
  readonly maxInFlightBytes: number;
}

/** What one request holds of the function's room; given back with `leave`. */
export interface Admitted {
  /** Asks for room for more of its content; false when there is none. */
  take(bytes: number): boolean;
  leave(): void;
}

/** Keeps the memory of requests under way within limits, whatever devices send and however slow the rest of the CSE is. */
export class Admission {
  readonly #limits: () => AdmissionLimits;
  #requests = 0;
  #bytes = 0;

  constructor(limits: () => AdmissionLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#requests;
  }

  /** Undefined when there are too many already. */
  enter(): Admitted | undefined {
    if (this.#requests >= this.#limits().maxInFlight) return undefined;
    this.#requests += 1;
    let taken = 0;
    return {
      take: (bytes) => {
        if (this.#bytes + bytes > this.#limits().maxInFlightBytes) return false;
        taken += bytes;
        this.#bytes += bytes;
        return true;
      },
      leave: () => {
        this.#requests -= 1;
        this.#bytes -= taken;
      },
    };
  }
}
