/** A process of its own in which agents run. */
import { fork, type ChildProcess } from 'node:child_process';
import { on, once } from 'node:events';
import { join } from 'node:path';
import type { AgentAnswer, AgentOrder } from './agent-process.ts';

export interface AgentHost {
  start(serverUrl: string, directory: string): Promise<void>;
  /** Ends the agent, as a stop of its service does; functions run on. */
  stop(directory: string): Promise<void>;
  /** SIGKILL: what runs agents is gone from one instant to the next. Another one is there for the next start. */
  kill(): Promise<void>;
  end(): Promise<void>;
}

/** Forks when it is first needed: the start of a process is what takes longest. */
export function createAgentHost(): AgentHost {
  let child: ChildProcess | undefined;
  const order = async (wanted: AgentOrder): Promise<void> => {
    child ??= fork(join(import.meta.dirname, 'agent-process.ts'), {
      execArgv: [],
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    const own = child;
    own.send(wanted);
    for await (const [answer] of on(own, 'message', { close: ['exit'] })) {
      const { directory, fault } = answer as AgentAnswer;
      if (directory !== wanted.directory) continue;
      if (fault === undefined) return;
      throw new Error(`the agent in ${directory}: ${fault}`);
    }
    throw new Error('the process of the agents ended');
  };
  const kill = async (): Promise<void> => {
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    child = undefined;
  };
  return {
    start: (serverUrl, directory) => order({ type: 'start', serverUrl, directory }),
    stop: (directory) => order({ type: 'stop', serverUrl: '', directory }),
    kill,
    end: kill,
  };
}
