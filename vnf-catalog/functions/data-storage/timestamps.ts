/** Time as oneM2M writes it (TS-0004 clause 6.3.3): `20261122T190000,123000`, UTC. */
export function toOneM2mTime(epochMilliseconds: number): string {
  const iso = new Date(epochMilliseconds).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)},${iso.slice(20, 23)}000`;
}

/** Epoch milliseconds of a oneM2M time, or NaN. */
export function fromOneM2mTime(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?:,(\d{1,6}))?$/.exec(text);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour, minute, second, fraction] = match;
  const milliseconds = (fraction ?? '').padEnd(3, '0').slice(0, 3);
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`);
}
