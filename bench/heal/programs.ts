import { readFileSync } from 'node:fs';
import { IotmanoError } from '../../kernel/index.ts';
import { argumentsOf, processesOf } from '../../scripts/demo/processes.ts';
import { eventually } from '../../test/kit/test-system.ts';

/** Kernel ticks, in which start times of processes are counted. */
const TICKS_PER_SECOND = 100;

/** The one process below a folder that runs a function of the catalogue; its wrapper, a shell, is another one. */
export function programBelow(folder: string, functionName: string): number | undefined {
  return processesOf(folder).find((pid) => {
    const [command = '', ...args] = argumentsOf(pid);
    return !command.endsWith('sh') && args.some((argument) => argument.endsWith(`${functionName}/main.js`));
  });
}

/** Waits until a process of the function is there that is not the one that was killed. */
export function newProgramBelow(folder: string, functionName: string, killed: number): Promise<number> {
  return eventually(`${functionName} is started again`, () => {
    const pid = programBelow(folder, functionName);
    return pid !== undefined && pid !== killed && pid;
  });
}

/** When a process was started, by `performance.now()`, to a hundredth of a second. */
export function startedAt(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name of the program (field 2) may hold anything; the start time is field 22.
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const upSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  if (Number.isNaN(ticks) || Number.isNaN(upSeconds))
    throw new IotmanoError('internal', `/proc does not say when process ${pid} was started`);
  return performance.now() - (upSeconds - ticks / TICKS_PER_SECOND) * 1000;
}
