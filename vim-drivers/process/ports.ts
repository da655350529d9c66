import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { UnitPort } from '../../descriptors/index.ts';
import { IotmanoError } from '../../kernel/index.ts';

/**
 * Below the ports that Linux gives to outgoing connections, so that none of those takes one while its owner restarts, and below those that a
 * Kubernetes on the same machine gives to Services.
 */
const FIRST_PORT = 20_000;
const PORT_COUNT = 10_000;

/** Gives every port of every slot a number that stays. */
export interface PortBook {
  /** Notes numbers that a slot has already, e.g. from an earlier run. */
  claim(owner: string, ports: Readonly<Record<string, number>>): void;
  release(owner: string): void;
  /**
   * The numbers for a start: what the slot had where that is free, a new one where the host chooses and it is not.
   * @throws IotmanoError `unavailable` when a fixed port is taken, or none is free
   */
  resolve(
    owner: string,
    wanted: readonly UnitPort[],
    had: Readonly<Record<string, number>>,
  ): Promise<Readonly<Record<string, number>>>;
}

export function createPortBook(): PortBook {
  const owners = new Map<number, string>();
  const claim = (owner: string, number: number): void => {
    owners.set(number, owner);
  };
  const release = (owner: string): void => {
    for (const [number, other] of owners) if (other === owner) owners.delete(number);
  };
  return {
    claim(owner, ports) {
      for (const number of Object.values(ports)) claim(owner, number);
    },
    release,
    async resolve(owner, wanted, had) {
      const resolved: Record<string, number> = {};
      for (const port of wanted) {
        const number = await numberFor(port, owner, had[port.name], owners);
        claim(owner, number);
        resolved[port.name] = number;
      }
      return resolved;
    },
  };
}

async function numberFor(
  port: UnitPort,
  owner: string,
  had: number | undefined,
  owners: Map<number, string>,
): Promise<number> {
  const isOpen = async (number: number): Promise<boolean> =>
    (owners.get(number) ?? owner) === owner && (await isFree(port.protocol, number));
  if (port.number !== undefined) {
    if (await isOpen(port.number)) return port.number;
    throw new IotmanoError(
      'unavailable',
      `port ${port.number} (${port.name}) is taken by ${owners.get(port.number) ?? 'another program'} on this host; stop that one, or choose another number`,
      { port: port.number },
    );
  }
  if (had !== undefined && (await isOpen(had))) return had;
  const first = createHash('sha256').update(`${owner}/${port.name}`).digest().readUInt32BE(0);
  for (let step = 0; step < PORT_COUNT; step += 1) {
    const number = FIRST_PORT + ((first + step) % PORT_COUNT);
    if (owners.has(number)) continue;
    owners.set(number, owner); // reserved while the check is under way
    if (await isFree(port.protocol, number)) return number;
    owners.delete(number);
  }
  throw new IotmanoError('unavailable', `no ${port.protocol} port is free on this host`, {});
}

/** Whether a program could listen there now, on any address. */
export async function isFree(protocol: 'tcp' | 'udp', number: number): Promise<boolean> {
  const onBoth = await tryListen(protocol, number, '::');
  return onBoth === 'unsupported'
    ? (await tryListen(protocol, number, '0.0.0.0')) === 'free'
    : onBoth === 'free';
}

function tryListen(
  protocol: 'tcp' | 'udp',
  number: number,
  address: string,
): Promise<'free' | 'taken' | 'unsupported'> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      resolve(error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL' ? 'unsupported' : 'taken');
    };
    if (protocol === 'tcp') {
      const server = createServer().once('error', failed);
      server.listen({ port: number, host: address, exclusive: true }, () =>
        server.close(() => resolve('free')),
      );
      return;
    }
    const socket = createSocket(address === '::' ? 'udp6' : 'udp4').once('error', failed);
    socket.bind({ port: number, address, exclusive: true }, () => socket.close(() => resolve('free')));
  });
}
