import { BACKEND } from './plan-slots.ts';
import { FRONTEND } from './proxy-config.ts';

/** What HAProxy's own table of figures says. Counters begin anew when it takes over another configuration. */
export interface ProxyFigures {
  /** Back ends that are ready. */
  readonly ready: number;
  readonly connections: number;
  /** Requests that back ends have, and that wait for one. */
  readonly underWay: number;
  readonly requests: number;
  /** By first digit of the status, from 1. */
  readonly answers: readonly number[];
  /** Requests that were sent to a back end once more. */
  readonly retries: number;
  /** Mean of the last 1024, from request to answer. */
  readonly meanSeconds: number;
}

/** Reads the CSV of `show stat`, in which columns are found by name. */
export function parseFigures(csv: string): ProxyFigures {
  const [head = '', ...lines] = csv.trim().split('\n');
  const names = head.replace(/^# /, '').split(',');
  const rows = lines.map((line) => {
    const values = line.split(',');
    return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
  });
  const of = (proxy: string, server: string) =>
    rows.find(({ pxname, svname }) => pxname === proxy && svname === server) ?? {};
  const frontend = of(FRONTEND, 'FRONTEND');
  const backend = of(BACKEND, 'BACKEND');
  const number = (row: Readonly<Record<string, string>>, name: string): number => Number(row[name] ?? 0);
  return {
    ready: rows.filter(
      ({ pxname, svname, status }) => pxname === BACKEND && svname !== 'BACKEND' && status === 'UP',
    ).length,
    connections: number(frontend, 'scur'),
    underWay: number(backend, 'scur') + number(backend, 'qcur'),
    requests: number(frontend, 'req_tot'),
    answers: [1, 2, 3, 4, 5].map((digit) => number(frontend, `hrsp_${digit}xx`)),
    retries: number(backend, 'wretr') + number(backend, 'wredis'),
    meanSeconds: number(backend, 'rtime') / 1000,
  };
}

/** Counters that go on where HAProxy's begin anew. */
export class RunningTotals {
  #last: readonly number[] = [];
  #before: readonly number[] = [];

  /** @param counters in the same order at every look; none: they cannot be read now @returns them, with what earlier lives had counted */
  add(counters: readonly number[]): readonly number[] {
    if (counters.length === 0) return this.#totals();
    const isAnew = counters.some((value, index) => value < (this.#last[index] ?? 0));
    if (isAnew) this.#before = this.#last.map((value, index) => value + (this.#before[index] ?? 0));
    this.#last = counters;
    return this.#totals();
  }

  #totals(): readonly number[] {
    return this.#last.map((value, index) => value + (this.#before[index] ?? 0));
  }
}
