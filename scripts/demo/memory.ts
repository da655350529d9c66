import { basename, dirname } from 'node:path';
import type { Installation } from './installation.ts';
import { argumentsOf, processesOf, rssMiBOf } from './processes.ts';

/** Resident memory of the orchestrator, of each agent, and of each function that runs as a process, by its name: of copies, the largest. */
export function memoryAtRest(installation: Installation): Readonly<Record<string, number>> {
  const rssMiB: Record<string, number> = { orchestrator: rssMiBOf(installation.orchestrator().pid) };
  for (const name of installation.agents()) rssMiB[`agent ${name}`] = rssMiBOf(installation.agent(name).pid);
  for (const pid of processesOf(installation.folder)) {
    const name = functionOf(argumentsOf(pid));
    if (name !== undefined) rssMiB[name] = Math.max(rssMiB[name] ?? 0, rssMiBOf(pid));
  }
  return rssMiB;
}

/** `node …/data-storage/main.js` is data-storage; undefined for what is no function, shells that wrap one included. */
function functionOf([program = '', ...args]: readonly string[]): string | undefined {
  if (basename(program) === 'nats-server') return 'nats-server';
  const main = args.find((argument) => argument.endsWith('/main.js'));
  return basename(program) === 'node' && main !== undefined ? basename(dirname(main)) : undefined;
}
