import { createHash } from 'node:crypto';

/** One value of a sensor, as a notification brought it. */
export interface Observation {
  /** Structured address of the sensor's container. */
  readonly sensor: string;
  /** Resource id of the contentInstance. */
  readonly ri: string;
  /** Creation time, as oneM2M writes it. */
  readonly ct: string;
  readonly value: number | undefined;
}

export interface SensorFigures {
  readonly notifications: number;
  readonly unique: number;
  readonly duplicates: number;
  readonly count: number;
  readonly mean: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly last: { readonly ri: string; readonly ct: string; readonly value: number | null } | null;
}

export interface Figures {
  readonly notifications: number;
  readonly unique: number;
  readonly duplicates: number;
  /** Digest of the set of resource ids, whatever their order: SHA-256 of each, added up. */
  readonly digest: string;
  readonly sensors: Readonly<Record<string, SensorFigures>>;
}

interface Tally {
  notifications: number;
  unique: number;
  count: number;
  sum: number;
  min: number;
  max: number;
  last: Observation | undefined;
}

/** All that the figures are made of, as JSON keeps it. */
export interface FiguresSnapshot {
  readonly tallies: readonly (readonly [
    string,
    Omit<Tally, 'min' | 'max'> & { min: number | null; max: number | null },
  ])[];
  readonly seen: readonly string[];
  readonly digest: string;
}

const DIGEST_MODULUS = 1n << 256n;

/** Figures of each sensor. A notification may come more than once: a resource id counts once. */
export class TrafficFigures {
  readonly #tallies = new Map<string, Tally>([]);
  readonly #seen = new Set<string>([]);
  readonly #capacity: number;
  #digest = 0n;

  /** @param capacity resource ids that are remembered, the latest ones */
  constructor(capacity = 200_000) {
    this.#capacity = capacity;
  }

  snapshot(): FiguresSnapshot {
    return {
      // Infinity, where there was no value yet, is null in JSON.
      tallies: [...this.#tallies],
      seen: [...this.#seen],
      digest: this.#digest.toString(16),
    };
  }

  /** Takes over a snapshot, in place of all that was counted. */
  restore({ tallies, seen, digest }: FiguresSnapshot): void {
    this.#tallies.clear();
    this.#seen.clear();
    for (const [sensor, { last, ...tally }] of tallies)
      this.#tallies.set(sensor, { ...tally, min: tally.min ?? Infinity, max: tally.max ?? -Infinity, last });
    for (const ri of seen) this.#seen.add(ri);
    this.#digest = BigInt(`0x${digest}`);
  }

  add(observation: Observation): void {
    const tally = this.#tallyOf(observation.sensor);
    tally.notifications += 1;
    if (this.#seen.has(observation.ri)) return;
    this.#remember(observation.ri);
    tally.unique += 1;
    if (tally.last === undefined || observation.ct >= tally.last.ct) tally.last = observation;
    if (observation.value === undefined) return;
    tally.count += 1;
    tally.sum += observation.value;
    tally.min = Math.min(tally.min, observation.value);
    tally.max = Math.max(tally.max, observation.value);
  }

  resourceIds(): readonly string[] {
    return [...this.#seen];
  }

  figures(): Figures {
    const sensors = Object.fromEntries(
      [...this.#tallies].map(([sensor, tally]) => [sensor, figuresOf(tally)] as const),
    );
    const all = Object.values(sensors);
    const notifications = all.reduce((sum, each) => sum + each.notifications, 0);
    const unique = all.reduce((sum, each) => sum + each.unique, 0);
    const digest = this.#digest.toString(16).padStart(64, '0');
    return { notifications, unique, duplicates: notifications - unique, digest, sensors };
  }

  #tallyOf(sensor: string): Tally {
    const known = this.#tallies.get(sensor);
    if (known !== undefined) return known;
    const fresh = {
      notifications: 0,
      unique: 0,
      count: 0,
      sum: 0,
      min: Infinity,
      max: -Infinity,
      last: undefined,
    };
    this.#tallies.set(sensor, fresh);
    return fresh;
  }

  #remember(ri: string): void {
    this.#seen.add(ri);
    this.#digest = addToDigest(this.#digest, ri);
    if (this.#seen.size <= this.#capacity) return;
    const [oldest] = this.#seen;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}

/** Digest of a set of resource ids, to compare two sets without sending them. */
export function digestOf(resourceIds: Iterable<string>): string {
  let digest = 0n;
  for (const ri of resourceIds) digest = addToDigest(digest, ri);
  return digest.toString(16).padStart(64, '0');
}

function addToDigest(digest: bigint, ri: string): bigint {
  return (digest + BigInt(`0x${createHash('sha256').update(ri).digest('hex')}`)) % DIGEST_MODULUS;
}

function figuresOf(tally: Tally): SensorFigures {
  const { notifications, unique, count, last } = tally;
  const some = <T>(value: T): T | null => (count === 0 ? null : value);
  return {
    notifications,
    unique,
    duplicates: notifications - unique,
    count,
    mean: some(tally.sum / count),
    min: some(tally.min),
    max: some(tally.max),
    last: last === undefined ? null : { ri: last.ri, ct: last.ct, value: last.value ?? null },
  };
}
