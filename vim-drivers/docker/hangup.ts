import type { ContainerView } from './container-view.ts';
import type { Engine } from './engine.ts';

interface Top {
  readonly Titles: readonly string[];
  readonly Processes: readonly (readonly string[])[] | null;
}

/** Whether the program of a container handles or ignores SIGHUP: to any other one it would be deadly. */
export async function handlesHangup(engine: Engine, view: ContainerView): Promise<boolean> {
  const top = await engine
    .request<Top>({
      method: 'GET',
      path: `/containers/${view.id}/top`,
      query: { ps_args: '-eo pid,ppid,caught,ignored' },
      what: 'look at the processes of a container',
      timeoutSeconds: 30,
    })
    .catch(() => undefined);
  // Without ps on the engine's machine nobody can tell; by the time it has run so long, it handles what it ever will.
  return top === undefined ? Date.parse(view.startedAt) > 0 : readHangup(top, view.pid);
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
