import { isTransient } from '../kernel/index.ts';
import type { AgentOptions } from './agent-options.ts';
import { withParts, type Parts } from './compose-agents.ts';
import { layFoundation } from './foundation.ts';

const STOP_FUNCTIONS_MILLISECONDS = 60_000;
const LEAVE_LOOK_MILLISECONDS = 1000;

/** Why the agents ended: they were told to, or another version of the program is to take their place. */
export type AgentEnd = 'stopped' | 'switch';

/**
 * Runs the orchestration agent and the monitoring agent of a CSE's host, as one process with one identity, until the signal is aborted.
 * Whatever the orchestrator or the network does, it goes on, and functions run on.
 * @throws IotmanoError at the start only: `store-locked` (a second agent), `store-newer`, `conflict` (another host's directory),
 * `unauthorized` and the like where the host is not enrolled and cannot be
 */
export async function runAgent(options: AgentOptions): Promise<AgentEnd> {
  const switching = new AbortController();
  const run = async (parts: Parts): Promise<void> => {
    options.onStarted?.();
    await parts.run(AbortSignal.any([options.signal, switching.signal]));
    if (options.mustStopFunctions !== true || !options.signal.aborted) return;
    const haveEnded = await parts.orchestration.stopFunctions(STOP_FUNCTIONS_MILLISECONDS);
    options.log.info({ haveEnded }, 'functions stopped');
  };
  await withParts(options, run, () => switching.abort());
  return options.signal.aborted ? 'stopped' : 'switch';
}

/** Enrols the host and ends: its identity is then on disk. @throws IotmanoError where it cannot be enrolled now */
export async function enrolHost(options: AgentOptions): Promise<void> {
  const foundation = await layFoundation(options);
  try {
    await foundation.sessions.enrol(options.signal);
  } finally {
    foundation.close();
  }
}

/** Drains the host, and has it forgotten once nothing is assigned to it; runs the agents meanwhile. Resolves false when the signal came first. */
export async function leaveOrchestrator(options: AgentOptions): Promise<boolean> {
  let hasLeft = false;
  const leave = async (parts: Parts): Promise<void> => {
    const ending = new AbortController();
    const running = parts.run(AbortSignal.any([options.signal, ending.signal]));
    while (!hasLeft && !options.signal.aborted) {
      hasLeft = await parts.client.leave(options.signal).then(
        (remaining) => remaining === 0,
        (error: unknown) => {
          if (!isTransient(error)) throw error;
          return false;
        },
      );
      if (!hasLeft) await options.clock.sleep(LEAVE_LOOK_MILLISECONDS, options.signal);
    }
    ending.abort();
    await running;
    if (!hasLeft) return;
    await parts.orchestration.stopFunctions(STOP_FUNCTIONS_MILLISECONDS);
    await parts.orchestration.forgetAssignments();
    await parts.identity.forgetEnrolment();
  };
  // A version that is wanted waits for an agent that stays.
  await withParts(options, leave, () => undefined);
  return hasLeft;
}
