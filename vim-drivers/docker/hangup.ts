import type { ContainerView } from './container-view.ts';
import type { Engine } from './engine.ts';
import { refusalOf } from './engine-errors.ts';

interface Top {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[] | null;
}

/** Where nobody can tell: a program that has run so long handles what it ever will. */
const STARTED_UP_MILLISECONDS = 3000;

/**
 * Whether the program of a container handles or ignores SIGHUP: to any other one it would be deadly.
 * @param now wall-clock milliseconds
 * @throws IotmanoError `unavailable` when the engine does not answer
 */
export async function handlesHangup(engine: Engine, view: ContainerView, now: number): Promise<boolean> {
  const top = await engine
    .request<Top>({
      method: 'GET',
      path: `/containers/${view.id}/top`,
      query: { ps_args: '-eo pid,ppid,caught,ignored' },
      what: 'look at the processes of a container',
      timeoutSeconds: 30,
    })
    .catch((error: unknown) => {
      if (refusalOf(error) === undefined) throw error;
      return undefined; // there is no ps on the engine's machine
    });
  if (top === undefined) return now - Date.parse(view.startedAt) >= STARTED_UP_MILLISECONDS;
  return readHangup(top, view.pid);
}

/** From a table of processes: the program is the container's first process, or the only child of its init. */
export function readHangup({ Titles, Processes }: Top, firstPid: number): boolean {
  const column = (name: string): number => Titles.indexOf(name);
  const rows = (Processes ?? []).map((row) => ({
    pid: Number(row[column('PID')]),
    parent: Number(row[column('PPID')]),
    masks: [row[column('CAUGHT')] ?? '', row[column('IGNORED')] ?? ''],
  }));
  const first = rows.find(({ pid }) => pid === firstPid);
  const [child] = rows.filter(({ parent }) => parent === firstPid).toSorted((a, b) => a.pid - b.pid);
  // Init itself handles nothing: where the first process does, it is the program.
  return [first, child].some((row) => row?.masks.some(hasHangup) === true);
}

function hasHangup(mask: string): boolean {
  return /^[0-9a-f]+$/i.test(mask) && (BigInt(`0x${mask}`) & 1n) === 1n;
}
