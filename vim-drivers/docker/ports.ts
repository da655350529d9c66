import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { UnitPort } from '../../descriptors/index.ts';
import { IotmanoError, type Clock } from '../../kernel/index.ts';

export const DEFAULT_PORT_RANGE: readonly [number, number] = [20_000, 29_999];

/** What the engine said is taken is not offered again for so long. */
const REFUSED_MILLISECONDS = 60_000;

type PortNumbers = Readonly<Record<string, number>>;

/** Chooses numbers for ports, so that no two instances of ours get the same one. Whether others have it, the engine says when it is published. */
export class PortBook {
  readonly #range: readonly [number, number];
  readonly #clock: Clock;
  /** Absent where the driver is not on the engine's machine: then only the engine can tell. */
  readonly #isFree: ((protocol: UnitPort['protocol'], number: number) => Promise<boolean>) | undefined;
  readonly #owners = new Map<number, string>();
  readonly #refused = new Map<number, number>();

  constructor(
    range: readonly [number, number],
    clock: Clock,
    isFree?: (protocol: UnitPort['protocol'], number: number) => Promise<boolean>,
  ) {
    this.#range = range;
    this.#clock = clock;
    this.#isFree = isFree;
  }

  /** Notes numbers that an instance has already. */
  claim(owner: string, ports: PortNumbers): void {
    for (const number of Object.values(ports)) this.#owners.set(number, owner);
  }

  release(owner: string): void {
    for (const [number, other] of this.#owners) if (other === owner) this.#owners.delete(number);
  }

  /** The engine refused to publish this number: somebody else has it. */
  refuse(number: number): void {
    this.#refused.set(number, this.#clock.monotonic() + REFUSED_MILLISECONDS);
  }

  /**
   * The numbers for a new container: what the instance had where that may still be free, another where it is not.
   * @throws IotmanoError `unavailable` when a fixed number is another instance's of ours, or none is free
   */
  async resolve(owner: string, wanted: readonly UnitPort[], had: PortNumbers): Promise<PortNumbers> {
    const numbers: Record<string, number> = {};
    for (const port of wanted) {
      const number =
        port.number === undefined
          ? await this.#choose(owner, port, had[port.name])
          : this.#fixed(owner, port, port.number);
      this.#owners.set(number, owner);
      numbers[port.name] = number;
    }
    return numbers;
  }

  #fixed(owner: string, port: UnitPort, number: number): number {
    const other = this.#owners.get(number) ?? owner;
    if (other === owner) return number;
    throw portTaken(port, number, other);
  }

  async #choose(owner: string, port: UnitPort, had: number | undefined): Promise<number> {
    if (had !== undefined && (this.#owners.get(had) ?? owner) === owner && !this.#isRefused(had)) return had;
    const [first, last] = this.#range;
    const count = last - first + 1;
    const start = createHash('sha256').update(`${owner}/${port.name}`).digest().readUInt32BE(0);
    for (let step = 0; step < count; step += 1) {
      const number = first + ((start + step) % count);
      if (this.#owners.has(number) || this.#isRefused(number)) continue;
      this.#owners.set(number, owner); // reserved while the check is under way
      if ((await this.#isFree?.(port.protocol, number)) ?? true) return number;
      this.#owners.delete(number);
    }
    throw new IotmanoError(
      'unavailable',
      `no port between ${first} and ${last} is free for ${port.name}; widen the range of the VIM, or stop what has them`,
      { isObstacle: true },
    );
  }

  #isRefused(number: number): boolean {
    const until = this.#refused.get(number);
    if (until === undefined) return false;
    if (until > this.#clock.monotonic()) return true;
    this.#refused.delete(number);
    return false;
  }
}

export function portTaken(port: UnitPort, number: number, by?: string): IotmanoError {
  return new IotmanoError(
    'unavailable',
    `port ${number} (${port.name}) is taken${by === undefined ? '' : ` by ${by}`} on the engine's host; stop what has it, or choose another number`,
    { port: number, isObstacle: true },
  );
}

/** The number that the engine could not publish, out of what it said when it refused to start a container. */
export function refusedPort(said: string): number | undefined {
  const isAboutPorts = /port is already allocated|address already in use/i.test(said);
  const number = isAboutPorts
    ? (/Bind for \S*?:(\d+) failed/i.exec(said)?.[1] ?? /listen \w+ \S*:(\d+):/i.exec(said)?.[1])
    : undefined;
  return number === undefined ? undefined : Number(number);
}

/** Whether somebody on this machine could listen there now, on any address. */
export async function isFreeHere(protocol: UnitPort['protocol'], number: number): Promise<boolean> {
  return new Promise((resolve) => {
    if (protocol === 'tcp') {
      const server = createServer().once('error', () => resolve(false));
      server.listen({ port: number, host: '0.0.0.0', exclusive: true }, () =>
        server.close(() => resolve(true)),
      );
      return;
    }
    const socket = createSocket('udp4').once('error', () => resolve(false));
    socket.bind({ port: number, address: '0.0.0.0', exclusive: true }, () =>
      socket.close(() => resolve(true)),
    );
  });
}
