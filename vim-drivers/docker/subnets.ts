/**
 * Networks for when those of the engine are used up (an engine has about thirty unless its administrator gave it more): 198.18.0.0/15, which is set
 * aside for tests of networks among themselves, so that nobody's own network is in the way. 512 networks of 253 addresses.
 */
const FIRST = toNumber('198.18.0.0');
const SIZE = 256;
const COUNT = 512;

/** The next of our subnets that overlaps none of those; nothing when all are used. */
export function chooseSubnet(used: readonly string[]): string | undefined {
  const ranges = used.map(rangeOf).filter((range) => range !== undefined);
  for (let index = 0; index < COUNT; index += 1) {
    const start = FIRST + index * SIZE;
    const end = start + SIZE - 1;
    if (!ranges.some((range) => range.start <= end && range.end >= start)) return `${toAddress(start)}/24`;
  }
  return undefined;
}

function rangeOf(subnet: string): { readonly start: number; readonly end: number } | undefined {
  const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(subnet);
  if (match === null) return undefined;
  const size = 2 ** (32 - Number(match[2]));
  const start = Math.floor(toNumber(match[1] ?? '') / size) * size;
  return { start, end: start + size - 1 };
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
