import type { Endpoint } from '../../shared/index.ts';

/**
 * A place for one back end in the running proxy. The proxy is told of back ends slot by slot, without a restart, so that no connection of
 * a device is touched when instances come and go.
 */
export interface Slot {
  readonly name: string;
  /** Undefined: never used. */
  readonly address?: BackEndAddress;
  /** Gets new requests. A slot that does not still lets those under way finish. */
  readonly isOpen: boolean;
}

export interface BackEndAddress {
  readonly host: string;
  readonly port: number;
}

export interface SlotPlan {
  readonly slots: readonly Slot[];
  /** What tells the running proxy, in order. */
  readonly commands: readonly string[];
  /** Back ends that found no slot. */
  readonly left: readonly BackEndAddress[];
}

export const BACKEND = 'gateways';

/** Slots that have never been used. */
export function emptySlots(count: number): readonly Slot[] {
  return Array.from({ length: count }, (_, index) => ({ name: `slot${index + 1}`, isOpen: false }));
}

/**
 * The slots after the endpoints have changed: those that are gone get no new request, those that are new take the slot that has been
 * closed for longest, so that requests under way on it have had their time. Planning the same endpoints again changes nothing.
 */
export function planSlots(slots: readonly Slot[], endpoints: readonly Endpoint[]): SlotPlan {
  const wanted = new Map(endpoints.map(({ host, port }) => [keyOf({ host, port }), { host, port }]));
  const kept = slots.filter((slot) => slot.isOpen && wanted.has(addressKey(slot)));
  for (const slot of kept) wanted.delete(addressKey(slot));
  const closing = slots.filter((slot) => slot.isOpen && !kept.includes(slot));
  // The order of the list is the order of closing: what is closed now goes behind what was closed before.
  const free = [...slots.filter(({ isOpen }) => !isOpen), ...closing];
  const found = [...wanted.values()].slice(0, free.length);
  const opened = found.flatMap((address, index): Slot[] => {
    const slot = free[index];
    return slot === undefined ? [] : [{ ...slot, address, isOpen: true }];
  });
  const closed = free.slice(opened.length).map((slot) => ({ ...slot, isOpen: false }));
  const drained = closing.filter(({ name }) => closed.some((slot) => slot.name === name));
  return {
    slots: [...kept, ...opened, ...closed],
    // New ones first: there is never a time without a back end.
    commands: [...opened.flatMap(openingCommands), ...drained.map((slot) => setServer(slot, 'state drain'))],
    left: [...wanted.values()].slice(free.length),
  };
}

function openingCommands(slot: Slot): readonly string[] {
  const { host = '', port = 0 } = slot.address ?? {};
  return [
    setServer(slot, 'state maint'),
    setServer(slot, `addr ${host} port ${port}`),
    setServer(slot, 'state ready'),
  ];
}

const addressKey = ({ address }: Slot): string => (address === undefined ? '' : keyOf(address));

const keyOf = ({ host, port }: BackEndAddress): string => `${host} ${port}`;

const setServer = ({ name }: Slot, what: string): string => `set server ${BACKEND}/${name} ${what}`;
