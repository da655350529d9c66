import type { Cloud } from './cloud.ts';
import type { Installation } from './installation.ts';
import { argumentsOf, processesOf } from './processes.ts';

const ADDRESS = '127.0.0.1';

/** A cloud host with an agent, which runs the functions as processes. */
export function createProcessCloud(): Cloud {
  return {
    countsRestarts: true,
    healSeconds: 20,
    prepare: async () => {},
    join: async (installation) => {
      await installation.enrolAgent('cloud-1', ADDRESS);
      return ADDRESS;
    },
    // Without a constituent, there is none that is not a process of the demo anyway.
    runs: async (installation, constituent) =>
      constituent === undefined ? [] : pidsOf(installation, constituent.program).map(String),
    kill: async (run) => void process.kill(Number(run), 'SIGKILL'),
    leave: async () => {},
    leaveNothing: async () => [],
  };
}

/** Processes of one catalogue function, by its program. */
function pidsOf(installation: Installation, program: string): number[] {
  return processesOf(installation.folder).filter((pid) => {
    const line = argumentsOf(pid).join(' ');
    return line.includes(`${program}/main.js`) && !line.includes('/bin/sh');
  });
}
