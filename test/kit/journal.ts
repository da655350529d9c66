import { existsSync, readFileSync } from 'node:fs';

/** When one copy of a tiny function wrote into the journal, first and last. */
export interface Span {
  readonly pid: number;
  readonly host: string;
  readonly from: number;
  readonly to: number;
}

/** The spans of all copies that have written into the journal, in order of their first line. */
export function readJournal(file: string): readonly Span[] {
  if (!existsSync(file)) return [];
  const spans = new Map<number, Span>();
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const [time, pid, host = ''] = line.split(' ');
    const known = spans.get(Number(pid));
    const to = Number(time);
    spans.set(Number(pid), { pid: Number(pid), host, from: known?.from ?? to, to });
  }
  return [...spans.values()];
}

/** Pairs of copies that have written at the same time. */
export function overlapsOf(spans: readonly Span[]): readonly string[] {
  return spans.flatMap((one, index) =>
    spans
      .slice(index + 1)
      .filter((other) => one.from <= other.to && other.from <= one.to)
      .map((other) => `${one.host} until ${one.to}, ${other.host} from ${other.from}`),
  );
}
