import { CaseFailure } from '../case.ts';
import { runShell } from '../operator.ts';

/** What only somebody at the host of the agent can do. */
export const AGENT_COMMANDS = {
  restart:
    'kills the agent without warning (SIGKILL), waits the PAUSE_SECONDS of its environment, and starts it again',
  rekey:
    'kills the agent without warning (SIGKILL), takes away its key for sealed values, and starts it again',
  leave: 'lets the agent leave its orchestrator and waits until it has',
} as const;

export type AgentCommand = keyof typeof AGENT_COMMANDS;

/** Does it, and ends when it is done. @throws CaseFailure where it fails */
export type Hand = (signal: AbortSignal, pauseSeconds: number) => Promise<void>;

export type Hands = Readonly<Partial<Record<AgentCommand, Hand>>>;

const SHOWN_CHARACTERS = 500;

/** What to say of a case that needs a command. */
export function needsCommand(name: string): string {
  return `needs a command that ${AGENT_COMMANDS[name as AgentCommand]}: give --${name}-command`;
}

/** A command line of the shell. */
export function shellHand(name: AgentCommand, line: string): Hand {
  return async (signal, pauseSeconds) => {
    const environment = { ...process.env, PAUSE_SECONDS: String(pauseSeconds) };
    const { code, stderr } = await runShell(line, [], signal, environment);
    if (code !== 0)
      throw new CaseFailure(
        `--${name}-command ended with ${code ?? 'a signal'}: ${stderr.trim().slice(-SHOWN_CHARACTERS)}`,
      );
  };
}
