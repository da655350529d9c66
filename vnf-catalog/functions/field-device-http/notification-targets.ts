import { lookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { IotmanoError } from '../../../kernel/index.ts';

/** Networks that no subscriber is in: this host itself, this link with the metadata services of clouds, all at once. */
const NEVER = ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', '::/128', 'fe80::/10', 'ff00::/8'];
const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/**
 * Where notifications may go. A subscriber names its address itself, and must not make this function speak to what only
 * this host reaches: so to any address but those of the link, and to loopback only where this function itself is served on
 * loopback and nobody from elsewhere can ask. With networks configured, to those alone.
 */
export class NotificationTargets {
  readonly #allowed: BlockList | undefined;
  readonly #refused: BlockList;

  /**
   * @param networks addresses and networks, e.g. `10.0.0.0/8`; empty: see above
   * @param listensOn address of this function's own server
   * @throws IotmanoError `invalid-parameter` when one of the networks is none
   */
  constructor(networks: readonly string[], listensOn: string) {
    this.#allowed = networks.length === 0 ? undefined : blockListOf(networks);
    const isLocal = contains(blockListOf(LOOPBACK), listensOn);
    this.#refused = blockListOf(isLocal ? NEVER : [...NEVER, ...LOOPBACK]);
  }

  permits(address: string): boolean {
    if (this.#allowed !== undefined) return contains(this.#allowed, address);
    return isIP(address) !== 0 && !contains(this.#refused, address);
  }

  /** Resolves a name to permitted addresses only, at the moment of connecting: what a name stands for may change. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    const all: LookupOptions & { readonly all: true } = { ...options, all: true };
    lookup(hostname, all, (error, addresses) => {
      const permitted: LookupAddress[] = (addresses ?? []).filter(({ address }) => this.permits(address));
      const [first] = permitted;
      if (error !== null) callback(error, []);
      else if (first === undefined) callback(notPermitted(hostname), []);
      else if (options.all === true) callback(null, permitted);
      else callback(null, first.address, first.family);
    });
  };
}

export function notPermitted(host: string): IotmanoError {
  return new IotmanoError('invalid-parameter', `notifications to ${host} are not permitted here`);
}

function blockListOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const version = isIP(address);
    const bits = Number(prefix ?? (version === 4 ? 32 : 128));
    if (version === 0 || !Number.isInteger(bits) || bits < 0 || bits > (version === 4 ? 32 : 128)) {
      throw new IotmanoError(
        'invalid-parameter',
        `configuration "notificationTargets" holds "${network}": write an address or a network like 10.0.0.0/8`,
      );
    }
    list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  return isIP(address) !== 0 && list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}
