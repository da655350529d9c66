/** A queue: first in, first out, constant time at both ends, with access by position. */
export interface Fifo<Item> {
  readonly length: number;
  push(item: Item): void;
  shift(): Item | undefined;
  /** Counted from the oldest. */
  at(position: number): Item | undefined;
  /** A copy from that position on. */
  from(position: number): Item[];
}

/** Vacated places are given back once there are this many, and more of them than items. */
const COMPACT_FROM = 1024;

export function createFifo<Item>(): Fifo<Item> {
  let items: (Item | undefined)[] = [];
  let head = 0;
  return {
    get length() {
      return items.length - head;
    },
    push: (item) => {
      items.push(item);
    },
    shift: () => {
      if (head === items.length) return undefined;
      const item = items[head];
      items[head] = undefined;
      head += 1;
      if (head >= COMPACT_FROM && head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
    at: (position) => (position < 0 ? undefined : items[head + position]),
    from: (position) => items.slice(head + position) as Item[],
  };
}
